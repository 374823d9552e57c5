import type { ForgottenPerson } from '../people/scrub.ts';
import type { LogLevel } from '../system/relayed-logger.ts';
import type {
  JournalAlert,
  JournalEvent,
  JournalFailure,
  JournalPage,
  JournalStats,
  PersonTraces,
  SummaryEntry,
} from './contract.ts';
import type { AlertQuery, EventQuery, SummaryQuery } from './query.ts';
import type { ReviewAnswer, ReviewCall } from './review-changes.ts';

/** What was given up before it could be written. */
export interface Lost {
  readonly events: number;
  readonly alerts: number;
}

/** What the daemon asks of the thread that writes. Bodies are JSON texts of messages. */
export type WriteCall =
  | { readonly op: 'open' }
  | {
      readonly op: 'write';
      readonly events: readonly string[];
      readonly alerts: readonly string[];
      readonly lost: Lost;
    }
  /** Of events that have ended, ids of those that the journal has not, or has without their end. */
  | {
      readonly op: 'lacking';
      readonly events: readonly {
        readonly eventId: string;
        readonly startMs: number;
      }[];
    }
  | { readonly op: 'review'; readonly change: ReviewCall }
  /** What is about a person; out of which `forget` takes them, and of the whole file. */
  | {
      readonly op: 'mentions';
      readonly person: ForgottenPerson;
      readonly eventIds: readonly string[];
    }
  | {
      readonly op: 'forget';
      readonly person: ForgottenPerson;
      readonly eventIds: readonly string[];
    }
  /** Somebody who read it found it damaged. */
  | { readonly op: 'suspect'; readonly reason: string };

export interface WriteAnswers {
  open: null;
  write: null;
  lacking: readonly string[];
  review: ReviewAnswer;
  mentions: PersonTraces;
  forget: PersonTraces;
  suspect: null;
}

export type ReadCall =
  | { readonly op: 'page'; readonly query: EventQuery }
  | { readonly op: 'one'; readonly eventId: string }
  | { readonly op: 'alertsPage'; readonly query: AlertQuery }
  | { readonly op: 'alert'; readonly alertId: string }
  | { readonly op: 'summary'; readonly query: SummaryQuery }
  /** What was open is closed; the next call opens the file that is there then. */
  | { readonly op: 'reopen' };

export interface ReadAnswers {
  page: JournalPage<JournalEvent>;
  one: JournalEvent | null;
  alertsPage: JournalPage<JournalAlert>;
  alert: JournalAlert | null;
  summary: readonly SummaryEntry[];
  reopen: null;
}

/** What the thread that writes tells with every answer. */
export interface WriterNews {
  /** Null where the file is not open. */
  readonly stats: JournalStats | null;
  /** Grows with every file that was put aside. */
  readonly replaced: number;
}

export type ToThread<Call> =
  | { readonly kind: 'call'; readonly id: number; readonly call: Call }
  | { readonly kind: 'close' };

export type FromThread =
  | {
      readonly kind: 'done';
      readonly id: number;
      readonly answer: unknown;
      readonly error: (JournalFailure & { readonly isDamage: boolean }) | null;
      readonly news: WriterNews | null;
    }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly fields: object;
      readonly event: string;
    };

/** What the threads are started with. */
export interface JournalThreadSettings {
  readonly dir: string;
  readonly budgetBytes: number;
}
