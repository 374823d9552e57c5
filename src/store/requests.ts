import type { ForgottenPerson } from '../people/scrub.ts';
import type { Lane } from '../protocol/lanes.ts';
import type { ErrorCode } from '../system/errors.ts';
import type { LogLevel } from '../system/relayed-logger.ts';
import type { OutboxBatch, ReadLimits } from './outbox/outbox-rows.ts';

/** A message on its way into the outbox. */
export interface NewRow {
  readonly lane: Lane;
  readonly messageId: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly cameraId: string | null;
  readonly wallMs: number;
  readonly monoMs: number;
  /** JSON text of the payload. */
  readonly body: string;
}

export interface EventRow {
  readonly eventId: string;
  readonly cameraId: string;
  readonly label: string;
  readonly startMs: number;
  /** Null while the event goes on. */
  readonly endMs: number | null;
  readonly snapshotPath: string | null;
  /** JSON text of the `object_event`. */
  readonly body: string;
}

/** An event as a list has it. */
export interface ListedEvent {
  /** Number in its table, in the order in which events began. */
  readonly id: number;
  readonly eventId: string;
  readonly startMs: number;
  readonly endMs: number | null;
}

/** One lane of one epoch, as far as it is still of interest. */
export interface OutboxStream {
  readonly epoch: string;
  readonly lane: Lane;
  readonly firstSeq: number;
  /** The number that its next message gets, or would have got. */
  readonly nextSeq: number;
  readonly isCurrent: boolean;
  /** Written in this run of the kernel: its `monoMs` compare with now. */
  readonly isSameBoot: boolean;
}

export interface OutboxStreams {
  /** By lane, oldest first. The current epoch has one for each lane, older ones where messages are left. */
  readonly streams: readonly OutboxStream[];
  /** There were more than asked for. */
  readonly isTruncated: boolean;
}

export interface RawLaneQueue {
  readonly depth: number;
  readonly bytes: number;
  /** Of `depth`: not on disk. */
  readonly inMemory: number;
  /** Since the file was made. */
  readonly evictedCount: number;
  readonly evictedBytes: number;
  readonly gapCount: number;
  readonly ackedSeq: number;
  readonly nextSeq: number;
  readonly oldest: { wallMs: number; monoMs: number; isSameBoot: boolean } | null;
}

export interface RawQueue {
  readonly lanes: readonly RawLaneQueue[];
  readonly deadLetters: number;
  readonly disk: DiskStatus;
  /** `memory`: the file cannot be written, and messages are kept and sent from memory. */
  readonly mode: 'disk' | 'memory';
  /** Why it is not `disk`. */
  readonly fault: StoreFailure | null;
  /** Damaged databases that lie beside the outbox. */
  readonly damagedFiles: number;
}

interface DiskStatus {
  /** Of the main file, the log and the ballast. */
  readonly used: number;
  readonly budget: number;
  readonly ballast: 'ready' | 'spent';
  /** On the file system; null where that is unknown. */
  readonly free: number | null;
}

/** A message that the hub refused, or that could not be sent. */
export interface DeadLetter {
  readonly lane: Lane;
  readonly seq: number;
  /** Of the message; null in letters of an older version. */
  readonly type: string | null;
  readonly code: string;
  readonly reason: string;
  readonly wallMs: number;
  readonly bytes: number;
  /** Beginning of the payload. */
  readonly excerpt: string;
}

/** The hub as it was when this edge last identified itself. */
export interface SinkPeer {
  readonly storeId: string;
  readonly sessionToken: string;
}

export interface Rejection {
  readonly lane: Lane;
  readonly seq: number;
  readonly code: string;
  readonly reason: string;
}

/** What forgetting a person came to. */
export interface ForgottenRows {
  /** Stored rows that told of the person. */
  readonly rows: number;
  /** Events that these were about. */
  readonly eventIds: readonly string[];
}

/** What the daemon asks of the store's thread, with the result of each. */
interface Calls {
  /** Rows and an event row in one transaction. */
  write: { args: { rows: readonly NewRow[]; event: EventRow | null }; result: null };
  ack: { args: { epoch: string; lane: Lane; through: number }; result: null };
  deadLetter: { args: { rejections: readonly Rejection[] }; result: null };
  /** Copies a message to the dead letters and puts a declared gap in its place. */
  poison: { args: { rejection: Rejection }; result: null };
  savePeer: { args: SinkPeer; result: null };
  renewEpoch: { args: Record<never, never>; result: null };
  read: {
    args: ReadLimits & { epoch: string; lane: Lane; afterSeq: number };
    result: OutboxBatch;
  };
  streams: { args: { limit: number }; result: OutboxStreams };
  queue: { args: Record<never, never>; result: RawQueue };
  deadLetters: { args: { limit: number }; result: DeadLetter[] };
  peer: { args: Record<never, never>; result: SinkPeer | null };
  /** Takes every trace of a person out of the file, and queues the message for the hub that tells it to do the same. */
  forget: { args: { person: ForgottenPerson; order: NewRow | null }; result: ForgottenRows };
  /** What `forget` would find, and nothing changed. */
  mentions: { args: { person: ForgottenPerson }; result: ForgottenRows };
  /** Events behind a number of the table, without their bodies; and bodies of events, those that are still there. */
  listEvents: { args: { afterId: number; limit: number }; result: ListedEvent[] };
  eventBodies: { args: { eventIds: readonly string[] }; result: string[] };
  openEvents: { args: Record<never, never>; result: EventRow[] };
}

export type Operation = keyof Calls;
export type Args<Op extends Operation> = Calls[Op]['args'];
export type Result<Op extends Operation> = Calls[Op]['result'];
export type StoreCall = { [Op in Operation]: { readonly op: Op } & Args<Op> }[Operation];

export interface StoreFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

export type Outcome =
  | { readonly ok: true; readonly result: Result<Operation> }
  | { readonly ok: false; readonly error: StoreFailure };

/** Where the outbox stands after a group of calls. */
export interface Position {
  readonly epoch: string;
  /** By lane. */
  readonly nextSeq: readonly number[];
}

/** What the thread is started with. */
export interface WorkerSettings {
  readonly dir: string;
  readonly bootId: string;
  /** All files together; null for the default. */
  readonly budgetBytes: number | null;
  readonly durability: 'standard' | 'strict';
}

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly call: StoreCall }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'opened'; readonly position: Position }
  | { readonly kind: 'refused'; readonly error: StoreFailure }
  | {
      readonly kind: 'done';
      readonly outcomes: readonly { readonly id: number; readonly outcome: Outcome }[];
      readonly position: Position;
    }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly fields: object;
      readonly event: string;
    }
  | { readonly kind: 'closed' };
