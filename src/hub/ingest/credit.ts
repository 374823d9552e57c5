import type { FlowCredit } from '../../protocol/batch.ts';
import { LIMITS } from '../../protocol/limits.ts';

const KIB = 1024;
/** Frames received and not yet committed, of all clients together. */
const INGEST_BUDGET_BYTES = 64 * KIB * KIB;
/** A client's share of it, however many there are: one batch. */
const MIN_CREDIT_BYTES = LIMITS.batchBytes;
/** Below this a credit is not worth a frame. */
const MIN_CREDIT_MESSAGES = 16;
/** From receiving a batch to its commit: full credit up to the first, none from the second on. */
const EASY_LATENCY_MS = 250;
const BUSY_LATENCY_MS = 2000;

/** What all clients together have on the way into the store. */
export interface Load {
  readonly uncommittedBytes: number;
  /** Of the newest commit, from receiving to committed. */
  readonly latencyMs: number;
  /** Clients that deliver. */
  readonly clients: number;
}

/** How much of its full credit a client gets: 1 on an easy day, 0 for a hub that cannot keep up. */
export function easeOf({ uncommittedBytes, latencyMs }: Load): number {
  // Nothing waits, so nothing is slow any more.
  if (uncommittedBytes === 0) return 1;
  const room = 2 - (2 * uncommittedBytes) / INGEST_BUDGET_BYTES;
  const pace = (BUSY_LATENCY_MS - latencyMs) / (BUSY_LATENCY_MS - EASY_LATENCY_MS);
  return Math.max(0, Math.min(1, room, pace));
}

/**
 * What a client may have in flight: an equal part of the ingest budget, less when the hub is busy, and no more
 * messages than the client's rate leaves it.
 *
 * @param allowance messages that the rate limit leaves; negative after an overdraft
 */
export function creditOf(load: Load, allowance: number): FlowCredit {
  const ease = easeOf(load);
  const share = INGEST_BUDGET_BYTES / Math.max(1, load.clients);
  const full = Math.max(MIN_CREDIT_BYTES, Math.min(LIMITS.windowBytes, share));
  const messages = Math.floor(LIMITS.windowMessages * ease);
  const isWorthIt = messages >= MIN_CREDIT_MESSAGES && allowance >= 1;
  if (!isWorthIt) return NO_CREDIT;
  return {
    credit_messages: Math.min(messages, Math.floor(allowance)),
    credit_bytes: Math.floor(full * ease),
  };
}

export const NO_CREDIT: FlowCredit = { credit_messages: 0, credit_bytes: 0 };

/** What one client has delivered and the store has not yet committed. */
export interface Uncommitted {
  readonly messages: number;
  readonly bytes: number;
}

/**
 * Whether the hub stops reading from a client for now, so that what it sends waits in the network and in its
 * own outbox. A client may overstep its credit by what was under way when the credit shrank.
 */
export function isOverrun({ messages, bytes }: Uncommitted, allowance: number): boolean {
  return (
    messages > 2 * LIMITS.windowMessages ||
    bytes > 2 * LIMITS.windowBytes ||
    allowance < -2 * LIMITS.windowMessages
  );
}
