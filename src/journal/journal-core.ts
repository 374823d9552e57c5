import { statfsSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { ForgottenPerson } from '../people/scrub.ts';
import { isDamage, quickCheck } from '../store/file/damage.ts';
import { faultOf } from '../store/file/sqlite-faults.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { AlertTable } from './alert-table.ts';
import type { JournalStats, PersonTraces } from './contract.ts';
import { EventTable } from './event-table.ts';
import { addToFigure, figure } from './figures.ts';
import {
  closeJournalFile,
  damagedJournals,
  deleteJournal,
  journalBytes,
  journalError,
  openJournalFile,
  putAside,
} from './journal-file.ts';
import { PeopleColumn } from './people-column.ts';
import { PersonWork } from './person-traces.ts';
import type { Lost, WriteAnswers, WriteCall, WriterNews } from './requests.ts';
import { RESERVE_BYTES, Retention, type RetentionStep } from './retention.ts';
import { applyReview } from './review-changes.ts';
import { Tallies } from './tallies.ts';

export interface JournalCoreOptions {
  readonly dir: string;
  /** All files of the journal together stay near this. */
  readonly budgetBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** On the file system of `dir`; null where that cannot be read. */
  readonly freeBytes?: (dir: string) => number | null;
}

interface OpenJournal {
  readonly db: Database;
  readonly events: EventTable;
  readonly alerts: AlertTable;
  readonly people: PeopleColumn;
  readonly retention: Retention;
}

/** Of the log, which is kept at this size. */
const LOG_BYTES = 4 * 1024 * 1024;

type Answered = Exclude<WriteCall, { op: 'mentions' | 'forget' }>;

/**
 * The journal's file and everything that changes it. Synchronous, for the thread that owns it. A file that cannot be
 * opened, or fails, is opened again with the next call; one that is damaged is put aside, and a new one begun.
 */
export class JournalCore {
  readonly #options: JournalCoreOptions;
  #open: OpenJournal | null = null;
  #replaced = 0;

  constructor(options: JournalCoreOptions) {
    this.#options = options;
  }

  get news(): WriterNews {
    return { stats: this.#stats(), replaced: this.#replaced };
  }

  /** @throws ApexError JOURNAL_FULL, JOURNAL_IO, JOURNAL_INPUT and what `openJournalFile` does */
  answer<Call extends Answered>(call: Call): WriteAnswers[Call['op']] {
    return this.#attempt((open) => this.#answer(open, call)) as WriteAnswers[Call['op']];
  }

  #answer(open: OpenJournal, call: Answered): WriteAnswers[WriteCall['op']] {
    switch (call.op) {
      case 'open':
        return null;
      case 'write':
        return this.#write(open, call);
      case 'lacking': {
        const evictedUntil = figure(open.db, 'evictedUntilMs');
        return open.events.lacking(call.events.filter(({ startMs }) => startMs > evictedUntil));
      }
      case 'review':
        return applyReview(open.db, call.change, this.#options.clock.wallMs());
      case 'suspect':
        this.#options.log.warn({ reason: call.reason }, 'journal could not be read; looking at it');
        quickCheck(open.db);
        return null;
    }
  }

  /** Looks for a person, or takes them out of the file, in slices: the caller asks for the next one when it likes. */
  *person(
    op: 'mentions' | 'forget',
    person: ForgottenPerson,
    eventIds: readonly string[],
  ): Generator<void, PersonTraces> {
    const { db, people } = this.#attempt((open) => open);
    const work = new PersonWork(db, person, {
      eventIds,
      people: op === 'forget' ? people : null,
    }).run();
    for (;;) {
      const step = this.#attempt((open) => {
        if (open.db !== db) throw new ApexError('JOURNAL_IO', 'the journal was opened anew');
        return work.next();
      });
      if (step.done) {
        // What is in them cannot be taken out one by one.
        if (op === 'forget')
          for (const path of damagedJournals(this.#options.dir)) deleteJournal(path);
        return step.value;
      }
      yield;
    }
  }

  /** Makes some room where the journal has too much. */
  makeRoom(): RetentionStep {
    return this.#attempt(({ retention }) => retention.slice());
  }

  close(): void {
    const open = this.#open;
    this.#open = null;
    if (open !== null) closeJournalFile(open.db);
  }

  #write(
    { db, events, alerts, people }: OpenJournal,
    call: { events: readonly string[]; alerts: readonly string[]; lost: Lost },
  ): null {
    const free = this.#freeBytes();
    if (call.events.length > 0 && free !== null && free < RESERVE_BYTES / 2)
      throw new ApexError('JOURNAL_FULL', `only ${free} bytes are free, which are kept for alerts`);
    try {
      db.transaction(() => {
        for (const body of call.alerts) this.#put('alert', () => alerts.put(body));
        for (const body of call.events) this.#put('event', () => events.put(body));
        addToFigure(db, 'lostEvents', call.lost.events);
        addToFigure(db, 'lostAlerts', call.lost.alerts);
      }).immediate();
    } catch (error) {
      people.reset();
      throw error;
    }
    return null;
  }

  /** A message that no table takes must not keep its neighbours out for ever. */
  #put(what: string, put: () => void): void {
    try {
      put();
    } catch (error) {
      if (faultOf(error) !== 'other') throw error;
      this.#options.log.error({ err: error, what }, 'not a row of the journal');
    }
  }

  #attempt<Result>(work: (open: OpenJournal) => Result): Result {
    try {
      this.#open ??= this.#opened();
      return work(this.#open);
    } catch (error) {
      if (isDamage(error)) {
        this.#replace(error);
        throw new ApexError('JOURNAL_IO', 'the journal was damaged; a new one is begun', {
          cause: error,
        });
      }
      throw this.#explained(error);
    }
  }

  #explained(error: unknown): ApexError {
    // A failed fsync is not to be tried again on the same connection.
    if (faultOf(error) === 'io') this.#abandon();
    return journalError(error);
  }

  #replace(error: unknown): void {
    this.#abandon();
    const { dir, clock, log } = this.#options;
    putAside({ dir, wallMs: clock.wallMs(), log }, error);
    this.#replaced++;
  }

  #abandon(): void {
    const open = this.#open;
    this.#open = null;
    try {
      open?.db.close();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'journal not closed in good order');
    }
  }

  #opened(): OpenJournal {
    const { dir, clock, log, budgetBytes } = this.#options;
    const before = damagedJournals(dir).length;
    const db = openJournalFile({ dir, wallMs: clock.wallMs(), log });
    if (damagedJournals(dir).length > before) this.#replaced++;
    const people = new PeopleColumn(db);
    const tallies = new Tallies(db);
    const alerts = new AlertTable(db, tallies);
    const events = new EventTable(db, people, tallies);
    const retention = new Retention(
      { db, events, alerts },
      {
        budgetBytes: budgetBytes - LOG_BYTES,
        freeBytes: () => this.#freeBytes(),
        takenBytes: () => journalBytes(dir),
      },
    );
    return { db, people, events, alerts, retention };
  }

  #freeBytes(): number | null {
    const { dir, freeBytes = freeOnDisk } = this.#options;
    return freeBytes(dir);
  }

  #stats(): JournalStats | null {
    if (this.#open === null) return null;
    const { db } = this.#open;
    try {
      const counts = db.prepare<
        [],
        Pick<JournalStats, 'events' | 'alerts' | 'openAlerts' | 'oldestMs'>
      >(STATS);
      const found = counts.get() ?? { events: 0, alerts: 0, openAlerts: 0, oldestMs: null };
      return {
        ...found,
        bytes: journalBytes(this.#options.dir),
        evictedEvents: figure(db, 'evictedEvents'),
        evictedAlerts: figure(db, 'evictedAlerts'),
        lostEvents: figure(db, 'lostEvents'),
        lostAlerts: figure(db, 'lostAlerts'),
        damagedFiles: damagedJournals(this.#options.dir).length,
      };
    } catch (error) {
      // The call that comes next meets the same, and tells it.
      this.#options.log.debug({ err: error }, 'journal not counted');
      return null;
    }
  }
}

const STATS = `SELECT (SELECT coalesce(sum(events), 0) FROM tally) AS events,
  (SELECT count(*) FROM alert) AS alerts,
  (SELECT count(*) FROM alert INDEXED BY alert_open WHERE acknowledged_ms IS NULL) AS openAlerts,
  nullif(min(coalesce((SELECT min(start_ms) FROM event), 9e15),
    coalesce((SELECT min(at_ms) FROM alert), 9e15)), 9e15) AS oldestMs`;

function freeOnDisk(dir: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch {
    // Unknown is no reason to keep nothing.
    return null;
  }
}
