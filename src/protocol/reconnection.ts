import { fullJitterDelay } from './full-jitter.ts';

/** Why a connection ended, as far as it matters for the next one. */
export type Ending =
  /** Never reached, or broken off. */
  | { readonly kind: 'lost' }
  /** The hub will not have this client: the breaker counts these. */
  | { readonly kind: 'refused'; readonly retryAfterMs: number | null }
  /** The hub said when to come back. */
  | { readonly kind: 'told'; readonly delayMs: number }
  /** Ended by this side, to begin anew at once. */
  | { readonly kind: 'renewed' };

/** What the delay depends on. Pure: `reconnectDelay` and `afterProgress` give the next one. */
export interface Backoff {
  /** Connections in a row that came to nothing. */
  readonly attempts: number;
  /** Monotonic time since when there has been no progress; null while there is. */
  readonly downSinceMs: number | null;
  readonly baseMs: number;
  readonly capMs: number;
}

/** A cap of 750 ms lets a fleet of hundreds be back within a second of the hub. */
export const INITIAL_BACKOFF: Backoff = {
  attempts: 0,
  downSinceMs: null,
  baseMs: 100,
  capMs: 750,
};

const LONG_DOWN_MS = 15 * 60_000;
const LONG_DOWN_CAP_MS = 5_000;
/** After a refusal that does not open the breaker yet. */
const REFUSED_MS = 1_000;
const MAX_TOLD_MS = 300_000;

/** The largest delay in force, in milliseconds. */
export function capOf(backoff: Backoff, nowMs: number): number {
  const isLong = backoff.downSinceMs !== null && nowMs - backoff.downSinceMs > LONG_DOWN_MS;
  return isLong ? Math.max(LONG_DOWN_CAP_MS, backoff.capMs) : backoff.capMs;
}

/** Time until the next connection. @param random uniform in [0, 1) */
export function reconnectDelay(
  backoff: Backoff,
  ending: Ending,
  at: { readonly nowMs: number; readonly random: () => number },
): { delayMs: number; backoff: Backoff } {
  const next = { ...backoff, downSinceMs: backoff.downSinceMs ?? at.nowMs };
  switch (ending.kind) {
    case 'renewed':
      return { delayMs: 0, backoff: next };
    case 'told':
      return { delayMs: Math.min(ending.delayMs, MAX_TOLD_MS), backoff: { ...next, attempts: 0 } };
    case 'refused': {
      const toldMs = Math.min(ending.retryAfterMs ?? 0, MAX_TOLD_MS);
      const delayMs = Math.max(REFUSED_MS, toldMs) * (1 + at.random() / 4);
      return { delayMs, backoff: { ...next, attempts: next.attempts + 1 } };
    }
    case 'lost': {
      const capMs = capOf(next, at.nowMs);
      const step = { attempt: backoff.attempts, baseMs: backoff.baseMs, capMs };
      return {
        delayMs: fullJitterDelay(step, at.random),
        backoff: { ...next, attempts: backoff.attempts + 1 },
      };
    }
  }
}

/** After the hub acknowledged something: an open socket alone proves nothing where a link flaps. */
export function afterProgress(backoff: Backoff): Backoff {
  return { ...backoff, attempts: 0, downSinceMs: null };
}
