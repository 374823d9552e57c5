import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { FaceCrops } from '../events/face-crops.ts';
import { type ForgetReport, Forgetter } from '../people/forgetter.ts';
import type { Gallery } from '../people/gallery.ts';
import type { Store } from '../store/store.ts';
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
  const forgetter = new Forgetter({
    gallery,
    // Nothing is stored where there is no file, and none is made.
    eraseEvents: async (person) => {
      if (!existsSync(join(data_dir, 'outbox.db'))) return { rows: 0, eventIds: [] };
      const at = { wallMs: clock.wallMs(), monoMs: clock.monotonicMs() };
      return withStore(await openStore(config, { clock, log }), (store) =>
        store.forgetPerson(person, at),
      );
    },
    removeFaces: (eventIds) => faces.remove(eventIds),
    wallMs: () => clock.wallMs(),
    log,
  });
  return forgetter.forget(personId);
}

async function withStore<Result>(
  store: Store,
  work: (store: Store) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
