import type { WriteCall } from './requests.ts';

/** Least time between two commits while there is work; bounds fsyncs to 200 a second. */
const COMMIT_WINDOW_MS = 5;
const GROUP_MESSAGES = 1000;

/**
 * How long a commit waits for company, in milliseconds: not at all when the last one is longer ago than the
 * window or a full group is there, else for the rest of the window.
 */
export function commitDelay(sinceLastCommitMs: number, waitingMessages: number): number {
  if (waitingMessages >= GROUP_MESSAGES) return 0;
  return Math.max(0, COMMIT_WINDOW_MS - sinceLastCommitMs);
}

/** How many calls from the front of the queue make the next transaction: at least one, then up to the limit. */
export function groupSize(queue: readonly WriteCall[]): number {
  let messages = 0;
  for (const [index, call] of queue.entries()) {
    messages += messageCount(call);
    if (messages > GROUP_MESSAGES) return Math.max(1, index);
  }
  return queue.length;
}

export function messageCount(call: WriteCall): number {
  return call.op === 'store' ? call.batch.items.length : 1;
}
