import type { StreamAck } from '../../protocol/batch.ts';
import type { Scopes } from '../../protocol/scopes.ts';
import type { ClientStream, ClientType } from '../../protocol/session.ts';
import type { ErrorCode } from '../../system/errors.ts';
import type { RetentionSlice } from './event-deletion.ts';
import type { ForkVerdict } from './fork.ts';
import type { ForgettingSlice } from './person-forgetting.ts';
import type { SeqRange } from './placement.ts';
import type { RetentionRules } from './retention.ts';
import type { EventStatus } from './schema.ts';

/** What the hub's main thread and its store thread say to each other. */

/** One message or gap as it is stored. */
export interface StoredItem extends SeqRange {
  /** UUID; null for what has none: a gap, a message of the original protocol. */
  readonly messageId: string | null;
  readonly type: string;
  readonly cameraId: string | null;
  readonly schemaVersion: number | null;
  /** When it happened by the client's clock, Unix milliseconds. */
  readonly deviceMs: number | null;
  /** The same by the hub's clock; null where that cannot be told. */
  readonly correctedMs: number | null;
  readonly clockSuspect: boolean;
  readonly replayed: boolean;
  readonly status: EventStatus;
  /** JSON text. */
  readonly body: string;
}

interface StreamPart {
  readonly epoch: string;
  readonly lane: number;
  /** Where the stream starts if this is the first that the hub hears of it. */
  readonly firstSeq: number;
}

export interface StoreBatch {
  readonly clientId: string;
  /** Null for messages of the original protocol, which have no numbers: all are stored, but for known ids. */
  readonly stream: StreamPart | null;
  readonly receivedMs: number;
  readonly items: readonly StoredItem[];
}

/** The batch is on disk when this arrives. */
export interface StoredBatch {
  /** 0 without a stream. */
  readonly ackedThrough: number;
  readonly duplicates: number;
  /** Stored although their numbers were known: they are other messages than the ones stored under these. */
  readonly forked: number;
  readonly expectedSeq: number | null;
  /** Event id of each item of the batch, in its order; 0 for items that were not stored by this batch. */
  readonly eventIds: readonly number[];
}

/** A token of the hub's configuration, as a client id is bound to it. */
export interface TokenBinding {
  readonly name: string;
  /** SHA-256 in hexadecimal; null where an older version wrote the record. */
  readonly sha256: string | null;
}

export interface ClientRecord {
  readonly clientId: string;
  readonly clientType: ClientType;
  readonly token: TokenBinding;
  readonly connectedMs: number;
  /** Null for a client of the original protocol, which has neither streams nor session tokens. */
  readonly resume: ResumeRequest | null;
}

export interface ResumeRequest {
  readonly sessionToken: string | null;
  readonly streams: readonly ClientStream[];
  /** A fork is not refused again: the client cannot do what it takes. */
  readonly isForkForgiven: boolean;
}

export type IdentifiedClient =
  | {
      readonly verdict: Exclude<ForkVerdict, 'fork'>;
      /** Null for a client of the original protocol. */
      readonly sessionToken: IssuedToken | null;
      readonly streams: readonly StreamAck[];
      /** High-water marks of epochs long gone that were forgotten. */
      readonly purged: number;
    }
  | { readonly verdict: 'fork' };

interface IssuedToken {
  readonly text: string;
  /** Counts the tokens given to this client. */
  readonly number: number;
}

/** The client has its session token: the one before is no longer accepted. */
export interface TokenUse {
  readonly clientId: string;
  readonly clientType: ClientType;
  readonly number: number;
}

/** What a subscriber is shown of events; a null list is for all. */
export interface EventFilter {
  readonly types: readonly string[] | null;
  readonly cameras: readonly string[] | null;
  /** Of messages that have a severity. */
  readonly severities: readonly string[] | null;
  /** What its token allows, whatever it asks for. */
  readonly scopes: Scopes;
}

export interface ReadEvents extends EventFilter {
  readonly afterEventId: number;
}

/** Part of the event table, ascending. */
export interface EventPage {
  readonly frames: readonly string[];
  /** Everything up to this event id was looked at. */
  readonly throughEventId: number;
  /** Newest event at the time of the read. */
  readonly lastEventId: number;
}

export type StoreCall =
  | { readonly op: 'identify'; readonly client: ClientRecord }
  | { readonly op: 'store'; readonly batch: StoreBatch }
  | { readonly op: 'confirm'; readonly use: TokenUse }
  | { readonly op: 'probe' }
  | { readonly op: 'close' };

export type WriteCall = Extract<StoreCall, { op: 'identify' | 'store' | 'confirm' | 'probe' }>;

export interface StoreAnswers {
  identify: IdentifiedClient;
  store: StoredBatch;
  confirm: null;
  probe: null;
  close: null;
}

export type StoreRequest = StoreCall & { readonly id: number };

export type StoreReply =
  | { readonly id: number; readonly ok: true; readonly answer: StoreAnswers[keyof StoreAnswers] }
  | { readonly id: number; readonly ok: false; readonly message: string };

export interface StoreThreadData {
  readonly dataDir: string;
  readonly retention: RetentionRules;
}

/** From the store thread: the outcome of opening the file, then replies, one message per group. */
export type StoreNotice =
  | {
      readonly kind: 'ready';
      readonly storeId: string;
      readonly lastEventId: number;
      readonly oldestEventId: number;
      readonly edgeTokens: ReadonlyMap<string, TokenBinding>;
    }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | {
      readonly kind: 'replies';
      readonly replies: readonly StoreReply[];
      /** How long the transaction took with its fsync; null for replies without one. */
      readonly commitMs: number | null;
    }
  | ({ readonly kind: 'retained' } & RetentionSlice)
  | { readonly kind: 'retention_failed'; readonly message: string }
  | ({ readonly kind: 'forgot' } & ForgettingSlice)
  | { readonly kind: 'forgetting_failed'; readonly message: string };
