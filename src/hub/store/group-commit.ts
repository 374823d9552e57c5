/** Least time between two commits while there is work; bounds fsyncs to 200 a second. */
const COMMIT_WINDOW_MS = 5;
export const GROUP_MESSAGES = 1000;

/**
 * How long a commit waits for company, in milliseconds: not at all when the last one is longer ago than the
 * window or a full group is there, else for the rest of the window.
 */
export function commitDelay(sinceLastCommitMs: number, waitingMessages: number): number {
  if (waitingMessages >= GROUP_MESSAGES) return 0;
  return Math.max(0, COMMIT_WINDOW_MS - sinceLastCommitMs);
}
