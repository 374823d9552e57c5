import { entryPoint } from '../system/entry-point.ts';
import type { Logger } from '../system/logger.ts';
import type { JournalAlert, JournalEvent, JournalPage, SummaryEntry } from './contract.ts';
import { JournalThread } from './journal-thread.ts';
import { readAlertQuery, readEventQuery, readSummaryQuery } from './query.ts';
import type { JournalThreadSettings, ReadAnswers, ReadCall } from './requests.ts';

interface JournalReadsOptions {
  readonly settings: JournalThreadSettings;
  readonly onDamage: (reason: string) => void;
  readonly log: Logger;
}

/** Questions that wait for their turn. */
const MOST_READS = 64;

/**
 * Reads the journal. Queries come from outside and are checked here: `EventQuery`, `AlertQuery` and `SummaryQuery` say
 * what they may hold. Every method throws JOURNAL_BUSY, JOURNAL_CLOSED, JOURNAL_IO.
 */
export class JournalReads {
  readonly #thread: JournalThread<ReadCall, ReadAnswers>;

  constructor({ settings, onDamage, log }: JournalReadsOptions) {
    const path = entryPoint(import.meta.url, './journal-read-worker.js');
    this.#thread = new JournalThread({ path, settings, mostCalls: MOST_READS, onDamage, log });
  }

  /** Events by when they began. @throws ApexError JOURNAL_INPUT too */
  async page(query: unknown): Promise<JournalPage<JournalEvent>> {
    return this.#thread.call<'page'>({ op: 'page', query: readEventQuery(query) });
  }

  /** Null where there is none of that id. */
  one(eventId: string): Promise<JournalEvent | null> {
    return this.#thread.call<'one'>({ op: 'one', eventId });
  }

  /** Alerts by when they were raised. @throws ApexError JOURNAL_INPUT too */
  async alertsPage(query: unknown): Promise<JournalPage<JournalAlert>> {
    return this.#thread.call<'alertsPage'>({ op: 'alertsPage', query: readAlertQuery(query) });
  }

  /** Null where there is none of that id. */
  alert(alertId: string): Promise<JournalAlert | null> {
    return this.#thread.call<'alert'>({ op: 'alert', alertId });
  }

  /** How much happened, by hour or day and camera. @throws ApexError JOURNAL_INPUT too */
  async summary(query: unknown): Promise<readonly SummaryEntry[]> {
    return this.#thread.call<'summary'>({ op: 'summary', query: readSummaryQuery(query) });
  }

  /** Another file is in the place of the one that is open. */
  reopen(): void {
    // Without a thread nothing is open; and one that fails opens anew by itself.
    if (this.#thread.isRunning)
      this.#thread.call<'reopen'>({ op: 'reopen' }).catch(() => undefined);
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
