export interface BackoffStep {
  /** Failures in a row before this one; 0 for the first. */
  attempt: number;
  baseMs: number;
  capMs: number;
}

/**
 * Delay before the next try, in milliseconds: uniform in [0, min(cap, base * 2^attempt)).
 *
 * "Full jitter" spreads clients that failed together over the whole window
 * (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
 * @param random uniform in [0, 1)
 */
export function fullJitterDelay(step: BackoffStep, random: () => number): number {
  // 2^30 is past any cap and keeps the product finite.
  const ceiling = Math.min(step.capMs, step.baseMs * 2 ** Math.min(step.attempt, 30));
  return random() * ceiling;
}
