import type { StreamAck } from '../../protocol/batch.ts';
import type { Lane } from '../../protocol/lanes.ts';
import type { OutboxStream } from '../../store/requests.ts';

/** A stream on its way to the hub. */
export interface SendStream {
  readonly epoch: string;
  readonly lane: Lane;
  readonly isCurrent: boolean;
  readonly isSameBoot: boolean;
  readonly firstSeq: number;
  /** Number behind the last one; grows while the epoch is current. */
  nextSeq: number;
  sentThrough: number;
  ackedThrough: number;
}

export type AckVerdict =
  | { readonly kind: 'progress' }
  /** Old, repeated, or of a stream that is done. */
  | { readonly kind: 'stale' }
  /** For something that was never sent: one side has lost its mind. */
  | { readonly kind: 'impossible' };

/**
 * How far one lane is sent and acknowledged on this connection.
 *
 * Streams of older epochs go first, and the next one begins only after the one before is acknowledged to its
 * end; so one number per lane tells what may be deleted.
 */
export class LaneCursor {
  readonly lane: Lane;
  readonly #streams: SendStream[];
  /** The current epoch waits: streams between the listed ones and it are still to be listed. */
  readonly #isCurrentHeld: boolean;
  #waitingSinceMs: number | null = null;

  constructor(lane: Lane, streams: SendStream[], isCurrentHeld: boolean) {
    this.lane = lane;
    this.#streams = streams;
    this.#isCurrentHeld = isCurrentHeld;
    this.#dropFinished();
  }

  /** The stream to send from. */
  get head(): SendStream | null {
    return this.#streams[0] ?? null;
  }

  get isAtCurrent(): boolean {
    return this.head?.isCurrent !== false;
  }

  /** Numbers that can be sent now. */
  get available(): number {
    const { head } = this;
    if (head === null || (head.isCurrent && this.#isCurrentHeld)) return 0;
    return head.nextSeq - 1 - head.sentThrough;
  }

  /** Numbers that are not acknowledged. */
  get pending(): number {
    return this.#streams.reduce(
      (sum, { nextSeq, ackedThrough }) => sum + nextSeq - 1 - ackedThrough,
      0,
    );
  }

  /** Monotonic time since when something can be sent; null where nothing can. */
  get waitingSinceMs(): number | null {
    return this.available > 0 ? this.#waitingSinceMs : null;
  }

  /** More was stored for the current epoch. */
  onCommitted(nextSeq: number, nowMs: number): void {
    const current = this.#streams.at(-1);
    if (current?.isCurrent) current.nextSeq = Math.max(current.nextSeq, nextSeq);
    this.noteWaiting(nowMs);
  }

  /** Starts the clock of `waitingSinceMs` where something can be sent and it does not run. */
  noteWaiting(nowMs: number): void {
    if (this.available === 0) this.#waitingSinceMs = null;
    else this.#waitingSinceMs ??= nowMs;
  }

  onSent(through: number, nowMs: number): void {
    if (this.head !== null) this.head.sentThrough = through;
    // What is left has waited already, and does not wait for company again.
    this.noteWaiting(nowMs);
  }

  /** Cumulative: `acked_through` and everything before is on the hub's disk. */
  onAck({ epoch, acked_through: through }: StreamAck, nowMs: number): AckVerdict {
    const stream = this.#streams.find((entry) => entry.epoch === epoch);
    if (stream === undefined) return { kind: 'stale' };
    if (through > stream.sentThrough) return { kind: 'impossible' };
    if (through <= stream.ackedThrough) return { kind: 'stale' };
    stream.ackedThrough = through;
    this.#dropFinished();
    this.noteWaiting(nowMs);
    return { kind: 'progress' };
  }

  /** The hub wants the stream again from `expectedSeq`. False where that is not possible on this connection. */
  rewind(epoch: string, expectedSeq: number, nowMs: number): boolean {
    const { head } = this;
    if (head === null || head.epoch !== epoch || expectedSeq > head.sentThrough + 1) return false;
    head.sentThrough = expectedSeq - 1;
    head.ackedThrough = Math.min(head.ackedThrough, expectedSeq - 1);
    this.noteWaiting(nowMs);
    return true;
  }

  #dropFinished(): void {
    while (this.head !== null && !this.head.isCurrent && isDone(this.head)) this.#streams.shift();
  }
}

function isDone(stream: SendStream): boolean {
  return stream.ackedThrough >= stream.nextSeq - 1;
}

export interface ResumePlan {
  readonly streams: readonly SendStream[];
  /** The hub has numbers that this outbox never gave out: the storage was rolled back. */
  readonly rolledBack: readonly OutboxStream[];
}

/**
 * Where to go on after `identification_success`: behind what the hub has of each stream. There is no state of
 * this side's that has to survive; what the hub does not mention it does not have.
 */
export function planResume(mine: readonly OutboxStream[], hubs: readonly StreamAck[]): ResumePlan {
  const rolledBack: OutboxStream[] = [];
  const streams = mine.map((stream): SendStream => {
    const known = hubs.find((ack) => ack.epoch === stream.epoch && ack.lane === stream.lane);
    const last = stream.nextSeq - 1;
    const through = Math.max(known?.acked_through ?? 0, stream.firstSeq - 1);
    if (through > last) rolledBack.push(stream);
    const position = Math.min(through, last);
    return {
      epoch: stream.epoch,
      lane: stream.lane,
      firstSeq: stream.firstSeq,
      isCurrent: stream.isCurrent,
      isSameBoot: stream.isSameBoot,
      nextSeq: stream.nextSeq,
      sentThrough: position,
      ackedThrough: position,
    };
  });
  return { streams, rolledBack };
}
