import { type ForgottenPerson, scrubJson } from '../people/scrub.ts';
import type { AlertTriggered, ObjectEvent } from '../protocol/payloads.ts';
import type { Clock } from '../system/clock.ts';
import { entryPoint } from '../system/entry-point.ts';
import type { Logger } from '../system/logger.ts';
import type { JournalIntake, JournalStatus, PersonTraces } from './contract.ts';
import { JournalReads } from './journal-reads.ts';
import { JournalReview } from './journal-review.ts';
import { JournalThread } from './journal-thread.ts';
import { JournalWrites } from './journal-writes.ts';
import { aboutIn } from './person-traces.ts';
import type { WriteAnswers, WriteCall, WriterNews } from './requests.ts';

export interface JournalOptions {
  /** Folder of `journal.db`; made where it is missing. */
  readonly dir: string;
  /** All files of the journal together stay near this, bytes; at least 16 MB. */
  readonly budgetBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Calls of reviews, forgetting and the writing itself at a time. */
const MOST_WRITES = 256;

/**
 * What the box saw: events, alerts and what people said of them, in one SQLite file. One thread writes, with every commit
 * on disk; another reads, so that a slow page holds up nothing. Nothing here waits for the disk: what cannot be written
 * stays in memory, within bounds, and is tried again.
 */
export class Journal implements JournalIntake {
  readonly history: JournalReads;
  readonly review: JournalReview;
  readonly #options: JournalOptions;
  readonly #thread: JournalThread<WriteCall, WriteAnswers>;
  readonly #writes: JournalWrites;
  #news: WriterNews = { stats: null, replaced: 0 };
  /** Forgotten since the start: tracks that go on may still bring them along. */
  #forgotten: ForgottenPerson[] = [];
  #onReplaced: () => void = () => undefined;

  /** Begins to open the file. Where that fails the status says why, and it is tried again. */
  constructor(options: JournalOptions) {
    this.#options = options;
    const { dir, budgetBytes, clock, log } = options;
    this.#thread = new JournalThread({
      path: entryPoint(import.meta.url, './journal-worker.js'),
      settings: { dir, budgetBytes },
      mostCalls: MOST_WRITES,
      onNews: (news) => this.#noteNews(news),
      log,
    });
    this.history = new JournalReads({
      settings: { dir, budgetBytes },
      onDamage: (reason) => this.#suspect(reason),
      log,
    });
    this.review = new JournalReview(this.#thread);
    this.#writes = new JournalWrites({ thread: this.#thread, clock, log });
    void this.#writes.flushed();
  }

  event(event: ObjectEvent): void {
    this.#writes.add('event', event.event_id, this.#withoutForgotten(JSON.stringify(event)));
  }

  alert(alert: AlertTriggered): void {
    if (alert.alert_id === undefined) return;
    this.#writes.add('alert', alert.alert_id, this.#withoutForgotten(JSON.stringify(alert)));
  }

  get hasUnstoredAlerts(): boolean {
    return this.#writes.hasAlerts;
  }

  /** Resolves once everything told so far is on disk, or could not be written. */
  flushed(): Promise<void> {
    return this.#writes.flushed();
  }

  /** Calls back when a damaged file was put aside and a new one begun. */
  onReplaced(listener: () => void): void {
    this.#onReplaced = listener;
  }

  /**
   * Of events that have ended, the ids of those that the journal lacks, or lacks the end of. What it gave up for want of
   * room is not missed.
   * @throws ApexError JOURNAL_IO and more
   */
  lacking(
    events: readonly {
      readonly eventId: string;
      readonly startMs: number;
    }[],
  ): Promise<readonly string[]> {
    return this.#thread.call<'lacking'>({ op: 'lacking', events });
  }

  /**
   * What is about a person, and nothing changed.
   * @param eventIds events that are known to be theirs
   * @throws ApexError where the file cannot be read
   */
  async mentions(person: ForgottenPerson, eventIds: readonly string[]): Promise<PersonTraces> {
    const waiting = this.#inQueue(person, false);
    const known = [...eventIds, ...waiting.eventIds];
    const found = await this.#thread.call<'mentions'>({ op: 'mentions', person, eventIds: known });
    return together(found, waiting);
  }

  /**
   * Leaves no trace of a person in the file and in damaged ones beside it. What comes in later goes without them too.
   * Others may write meanwhile.
   * @throws ApexError JOURNAL_IO, JOURNAL_FULL where traces are left; it is to be called again then
   */
  async forgetPerson(person: ForgottenPerson, eventIds: readonly string[]): Promise<PersonTraces> {
    const { personId } = person;
    if (!this.#forgotten.some((other) => other.personId === personId)) this.#forgotten.push(person);
    const waiting = this.#inQueue(person, true);
    const known = [...eventIds, ...waiting.eventIds];
    const found = await this.#thread.call<'forget'>({ op: 'forget', person, eventIds: known });
    return together(found, waiting);
  }

  /** People who are known, also such as were forgotten and came back from an export. */
  readmit(personIds: ReadonlySet<string>): void {
    this.#forgotten = this.#forgotten.filter(({ personId }) => !personIds.has(personId));
  }

  /** As it was last known; what is asked for by it comes with the next call. */
  status(): JournalStatus {
    void this.#writes.flushed();
    return {
      stats: this.#news.stats,
      budgetBytes: this.#options.budgetBytes,
      ...this.#writes.status,
    };
  }

  /** Writes what is left, as far as that can be done, and ends the threads. */
  async close(): Promise<void> {
    await this.#writes.close();
    await Promise.all([this.history.close(), this.#thread.close()]);
  }

  #noteNews(news: WriterNews): void {
    const isReplaced = news.replaced > this.#news.replaced;
    // A file that cannot be read now is still as it was.
    this.#news = { ...news, stats: news.stats ?? this.#news.stats };
    if (!isReplaced) return;
    this.history.reopen();
    this.#onReplaced();
  }

  #suspect(reason: string): void {
    this.#thread
      .call<'suspect'>({ op: 'suspect', reason })
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'journal looked at'));
  }

  #withoutForgotten(body: string): string {
    return this.#forgotten
      .filter(({ personId }) => body.includes(personId))
      .reduce(scrubJson, body);
  }

  #inQueue(person: ForgottenPerson, isToForget: boolean): PersonTraces {
    const eventIds = new Set<string>();
    const alertIds = new Set<string>();
    this.#writes.rewrite((kind, id, body) => {
      const scrubbed = scrubJson(body, person);
      if (scrubbed === body) return body;
      for (const eventId of aboutIn(body, person.personId)) eventIds.add(eventId);
      (kind === 'alert' ? alertIds : eventIds).add(id);
      return isToForget ? scrubbed : body;
    });
    return { rows: 0, eventIds: [...eventIds], alertIds: [...alertIds] };
  }
}

function together(one: PersonTraces, other: PersonTraces): PersonTraces {
  return {
    rows: one.rows + other.rows,
    eventIds: [...new Set([...one.eventIds, ...other.eventIds])],
    alertIds: [...new Set([...one.alertIds, ...other.alertIds])],
  };
}
