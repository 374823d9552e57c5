import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { FaceCrops } from '../events/face-crops.ts';
import { type ForgetReport, Forgetter } from '../people/forgetter.ts';
import type { Gallery } from '../people/gallery.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import { openStore } from './parts.ts';

/**
 * Forgets a person while no daemon runs.
 * @throws ApexError PEOPLE_UNKNOWN; PEOPLE_FORGETTING where traces are left for the daemon, which goes on at its start
 */
export async function forgetOffline(
  personId: string,
  { config, gallery, clock, log }: { config: Config; gallery: Gallery; clock: Clock; log: Logger },
): Promise<ForgetReport> {
  const { data_dir } = config.edge;
  const faces = new FaceCrops(data_dir);
  // Nothing is stored where there is no file, and none is made.
  const isStored = existsSync(join(data_dir, 'outbox.db'));
  const store = isStored ? await openStore(config, { clock, log }) : null;
  const at = { wallMs: clock.wallMs(), monoMs: clock.monotonicMs() };
  const forgetter = new Forgetter({
    gallery,
    findEvents: async (person) => store?.eventsAbout(person) ?? [],
    eraseEvents: async (person) => store?.forgetPerson(person, at) ?? { rows: 0, eventIds: [] },
    removeFaces: (eventIds) => faces.remove(eventIds),
    wallMs: () => clock.wallMs(),
    log,
  });
  try {
    return await forgetter.forget(personId);
  } finally {
    await store?.close();
  }
}
