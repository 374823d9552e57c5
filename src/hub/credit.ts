import type { FlowCredit } from '../protocol/batch.ts';
import { LIMITS } from '../protocol/limits.ts';

/** What every client may have in flight. */
export const CREDIT: FlowCredit = {
  credit_messages: LIMITS.windowMessages,
  credit_bytes: LIMITS.windowBytes,
};

/** What one client has delivered and the store has not yet committed. */
export interface Uncommitted {
  readonly messages: number;
  readonly bytes: number;
}

/**
 * Whether the hub stops reading from a client for now, so that what it sends waits in the network and in its
 * own outbox. A client may overstep its credit by the batch that was under way.
 */
export function isOverCredit({ messages, bytes }: Uncommitted): boolean {
  return messages > 2 * CREDIT.credit_messages || bytes > 2 * CREDIT.credit_bytes;
}
