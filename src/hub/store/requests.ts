import type { StreamAck } from '../../protocol/batch.ts';
import type { ClientStream, ClientType } from '../../protocol/session.ts';
import type { ErrorCode } from '../../system/errors.ts';
import type { SeqRange } from './placement.ts';
import type { EventStatus } from './schema.ts';

/** What the hub's main thread and its store thread say to each other. */

/** One message or gap as it is stored. */
export interface StoredItem extends SeqRange {
  /** UUID; null for a gap. */
  readonly messageId: string | null;
  readonly type: string;
  readonly cameraId: string | null;
  readonly schemaVersion: number | null;
  /** When it happened by the client's clock, Unix milliseconds. */
  readonly deviceMs: number | null;
  readonly replayed: boolean;
  readonly status: EventStatus;
  /** JSON text. */
  readonly body: string;
}

export interface StoreBatch {
  readonly clientId: string;
  readonly epoch: string;
  readonly lane: number;
  /** Where the stream starts if this is the first that the hub hears of it. */
  readonly firstSeq: number;
  readonly receivedMs: number;
  readonly items: readonly StoredItem[];
}

/** The batch is on disk when this arrives. */
export interface StoredBatch {
  readonly ackedThrough: number;
  readonly duplicates: number;
  readonly expectedSeq: number | null;
  /** Event id of each item of the batch, in its order; 0 for items that were not stored by this batch. */
  readonly eventIds: readonly number[];
}

export interface ClientRecord {
  readonly clientId: string;
  readonly clientType: ClientType;
  readonly tokenName: string;
  readonly sessionTokenHash: Uint8Array;
  readonly connectedMs: number;
  readonly streams: readonly ClientStream[];
}

export interface IdentifiedClient {
  readonly streams: readonly StreamAck[];
}

/** Types and camera ids that are wanted; null for all. */
export interface EventFilter {
  readonly types: readonly string[] | null;
  readonly cameras: readonly string[] | null;
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
  | { readonly op: 'read'; readonly read: ReadEvents }
  | { readonly op: 'close' };

export type WriteCall = Extract<StoreCall, { op: 'identify' | 'store' }>;

export interface StoreAnswers {
  identify: IdentifiedClient;
  store: StoredBatch;
  read: EventPage;
  close: null;
}

export type StoreRequest = StoreCall & { readonly id: number };

export type StoreReply =
  | { readonly id: number; readonly ok: true; readonly answer: StoreAnswers[keyof StoreAnswers] }
  | { readonly id: number; readonly ok: false; readonly message: string };

/** From the store thread: the outcome of opening the file, then replies, one message per group. */
export type StoreNotice =
  | {
      readonly kind: 'ready';
      readonly storeId: string;
      readonly lastEventId: number;
      readonly edgeTokens: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'replies'; readonly replies: readonly StoreReply[] };
