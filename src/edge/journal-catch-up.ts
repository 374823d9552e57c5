import type { Journal } from '../journal/journal.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../system/logger.ts';

interface CatchUpDeps {
  readonly store: Pick<Store, 'listEvents' | 'eventsOf'>;
  readonly journal: Pick<Journal, 'lacking' | 'event' | 'flushed'>;
  readonly log: Logger;
}

/** Looked at with one call; their bodies are read only where they are missing. */
const LISTED = 1000;
const READ = 100;

/**
 * Brings the journal the events that the store has and it lacks: those of a crash between both, or of a journal that was
 * begun anew. Only what has ended: what goes on is told by who watches it. Failures are told in the log; the next start
 * tries again.
 */
export async function catchUpJournal({ store, journal, log }: CatchUpDeps): Promise<void> {
  let found = 0;
  try {
    let afterId = 0;
    for (;;) {
      const listed = await store.listEvents(afterId, LISTED);
      const last = listed.at(-1);
      if (last === undefined) break;
      afterId = last.id;
      const missing = await journal.lacking(listed.filter(({ endMs }) => endMs !== null));
      for (let from = 0; from < missing.length; from += READ) {
        const events = await store.eventsOf(missing.slice(from, from + READ));
        for (const event of events) journal.event(event);
        found += events.length;
        await journal.flushed();
      }
    }
  } catch (error) {
    log.warn({ err: error }, 'journal not compared with the store');
  }
  if (found > 0) log.warn({ events: found }, 'events that the journal lacked');
}
