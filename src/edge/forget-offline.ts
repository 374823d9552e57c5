import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { openEvidenceFolder, removeEvidence } from '../evidence/evidence-removal.ts';
import { damagedJournals } from '../journal/journal-file.ts';
import { JOURNAL_FILE } from '../journal/schema.ts';
import { type ForgetReport, Forgetter } from '../people/forgetter.ts';
import type { Gallery } from '../people/gallery.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import { openJournal, openStore } from './parts.ts';
import { eraseMatter, findMatter } from './person-matter.ts';

/**
 * Forgets a person while no daemon runs.
 * @throws ApexError PEOPLE_UNKNOWN; PEOPLE_FORGETTING where traces are left for the daemon, which goes on at its start
 */
export async function forgetOffline(
  personId: string,
  { config, gallery, clock, log }: { config: Config; gallery: Gallery; clock: Clock; log: Logger },
): Promise<ForgetReport> {
  const { data_dir } = config.edge;
  const hasJournal =
    existsSync(join(data_dir, JOURNAL_FILE)) || damagedJournals(data_dir).length > 0;
  // Nothing is stored where there is no file, and none is made. The store's lock is that of the journal, too.
  const isStored = hasJournal || existsSync(join(data_dir, 'outbox.db'));
  const store = isStored ? await openStore(config, { clock, log }) : null;
  const journal = hasJournal ? openJournal(config, { clock, log }) : null;
  const files = await openEvidenceFolder(data_dir, log);
  const forgetter = new Forgetter({
    gallery,
    find: (person) => findMatter({ store, journal }, person),
    erase: (person) => eraseMatter({ store, journal, live: null, clock }, person),
    removeFiles: (matter) => removeEvidence(files, matter),
    wallMs: () => clock.wallMs(),
    log,
  });
  try {
    return await forgetter.forget(personId);
  } finally {
    await journal?.close();
    await store?.close();
  }
}
