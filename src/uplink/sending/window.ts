import type { FlowCredit, StreamAck } from '../../protocol/batch.ts';
import type { Lane } from '../../protocol/lanes.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { OutboxItem } from '../../store/outbox/outbox-rows.ts';

/** A `message_batch` that the hub has not acknowledged. */
export interface BatchInFlight {
  readonly requestId: string;
  readonly epoch: string;
  readonly lane: Lane;
  /** Its numbers: those behind the first up to the second. */
  readonly afterSeq: number;
  readonly through: number;
  readonly messages: number;
  readonly bytes: number;
  /** Its message where it has no other, declared gaps aside. */
  readonly only: Extract<OutboxItem, { kind: 'message' }> | null;
}

/** What the next batch may hold. */
export interface Room {
  readonly maxItems: number;
  readonly maxBytes: number;
}

/** The least that stays free for alerts where the window allows it. */
const RESERVED_MESSAGES = 16;
/** The one batch that tries out whether the hub takes messages again. */
const PROBE_MESSAGES = 8;
/** An acknowledgement that takes longer shows a slow link: what is on its way stands in front of the next alert. */
const SLOW_ACK_MS = 1_000;
/** On a slow link one batch travels while another is acknowledged. */
const SLOW_BATCHES = 2;

/**
 * How much may be in flight: the protocol's limits, the hub's credit, and a slow start of one batch that
 * doubles with every acknowledgement and halves with every late one. A quarter is kept free for lane 0, so that an alert never waits for the
 * acknowledgement of detections.
 */
export class Window {
  #batchLimit = 1;
  #credit: FlowCredit;
  #inFlight: BatchInFlight[] = [];
  readonly #sentMs = new WeakMap<BatchInFlight, number>();
  #isProbe: boolean;

  /** @param isProbe begins with a single small batch, whatever its lane, until that is acknowledged */
  constructor(credit: FlowCredit, isProbe = false) {
    this.#credit = credit;
    this.#isProbe = isProbe;
  }

  get inFlight(): readonly BatchInFlight[] {
    return this.#inFlight;
  }

  get credit(): FlowCredit {
    return this.#credit;
  }

  setCredit({ credit_messages, credit_bytes }: FlowCredit): void {
    this.#credit = { credit_messages, credit_bytes };
  }

  /** Null where the lane has to wait. */
  room(lane: Lane): Room | null {
    const used = this.#used();
    if (this.#isProbe && used.batches > 0) return null;
    const batches = lane === 0 ? Math.max(2, this.#batchLimit) : withoutReserve(this.#batchLimit);
    if (used.batches >= batches) return null;
    const limit = Math.min(LIMITS.windowMessages, this.#credit.credit_messages);
    const messages = lane === 0 ? limit : limit - reserveOf(limit);
    const largest = this.#isProbe ? PROBE_MESSAGES : LIMITS.batchItems;
    const maxItems = Math.min(largest, messages - used.messages);
    if (maxItems <= 0) return null;
    const bytes = Math.min(LIMITS.windowBytes, this.#credit.credit_bytes);
    const maxBytes = Math.min(LIMITS.batchBytes, bytes - used.bytes);
    if (maxBytes <= 0) return null;
    return { maxItems, maxBytes };
  }

  onSent(batch: BatchInFlight, nowMs: number): void {
    this.#sentMs.set(batch, nowMs);
    this.#inFlight.push(batch);
  }

  /** Takes the acknowledged batches out and opens the window. */
  onAck({ epoch, lane, acked_through: through }: StreamAck, nowMs: number): void {
    const isAcked = (batch: BatchInFlight): boolean =>
      batch.epoch === epoch && batch.lane === lane && batch.through <= through;
    const newest = this.#inFlight.findLast(isAcked);
    if (newest === undefined) return;
    this.#inFlight = this.#inFlight.filter((batch) => !isAcked(batch));
    this.#isProbe = false;
    const isSlow = nowMs - (this.#sentMs.get(newest) ?? nowMs) > SLOW_ACK_MS;
    const limit = isSlow ? Math.floor(this.#batchLimit / 2) : this.#batchLimit * 2;
    this.#batchLimit = Math.max(isSlow ? SLOW_BATCHES : 1, Math.min(LIMITS.windowBatches, limit));
  }

  /** Forgets the batches of a stream that is sent again. */
  forget(epoch: string, lane: Lane): void {
    this.#inFlight = this.#inFlight.filter((batch) => batch.epoch !== epoch || batch.lane !== lane);
  }

  #used(): { batches: number; messages: number; bytes: number } {
    const used = { batches: this.#inFlight.length, messages: 0, bytes: 0 };
    for (const batch of this.#inFlight) {
      used.messages += batch.messages;
      used.bytes += batch.bytes;
    }
    return used;
  }
}

function withoutReserve(batches: number): number {
  return Math.max(1, batches - Math.floor(batches / 4));
}

function reserveOf(messages: number): number {
  return Math.min(Math.max(RESERVED_MESSAGES, Math.floor(messages / 4)), Math.floor(messages / 2));
}
