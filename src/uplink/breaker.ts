import type { ErrorCode } from '../system/errors.ts';

/**
 * Keeps an edge from asking again and again for what the hub refuses.
 *
 * It judges only what the hub said: refused tokens and policies, and sessions that were accepted and then ended by
 * the hub before anything was acknowledged. A hub that cannot be reached is no verdict, or a fleet could not be
 * back within a second of it. `closed` lets everything through, `open` nothing until `untilMs`, and `half_open`
 * one session with one small batch.
 */
export interface Breaker {
  readonly state: 'closed' | 'open' | 'half_open';
  /** Refusals, and accepted sessions without an acknowledgement, in a row. */
  readonly refusals: number;
  readonly fruitless: number;
  /** Times that it opened since something was last acknowledged. */
  readonly openings: number;
  /** Why it opened. */
  readonly reason: ErrorCode | null;
  /** Monotonic time of the next try; infinite unless open. */
  readonly untilMs: number;
}

/** At the start, and whenever the hub acknowledged something. */
export const CLOSED_BREAKER: Breaker = {
  state: 'closed',
  refusals: 0,
  fruitless: 0,
  openings: 0,
  reason: null,
  untilMs: Number.POSITIVE_INFINITY,
};

/** What an ended connection says about the hub's will. */
export type Outcome =
  | { readonly kind: 'no_verdict' }
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      /** As the hub asked. */
      readonly retryAfterMs: number | null;
    }
  /** Accepted, then ended by the hub while the first messages waited for their acknowledgement. */
  | { readonly kind: 'fruitless'; readonly code: ErrorCode };

const MAX_REFUSALS = 3;
const MAX_FRUITLESS = 5;
/** Attempts are at least so far apart while it is open. */
const BASE_MS = 5_000;
const CAP_MS = 60_000;
const AUTH_CAP_MS = 300_000;

export function afterSession(
  breaker: Breaker,
  outcome: Outcome,
  at: { readonly nowMs: number; readonly random: () => number },
): Breaker {
  if (outcome.kind === 'no_verdict') return breaker;
  const isRefusal = outcome.kind === 'refused';
  const refusals = isRefusal ? breaker.refusals + 1 : breaker.refusals;
  const fruitless = isRefusal ? breaker.fruitless : breaker.fruitless + 1;
  const counted = { ...breaker, refusals, fruitless };
  const isOver =
    breaker.state !== 'closed' ||
    refusals >= MAX_REFUSALS ||
    fruitless >= MAX_FRUITLESS ||
    // Two edges under one id would throw each other out for ever, with an acknowledgement now and then.
    outcome.code === 'UPLINK_SUPERSEDED';
  return isOver ? opened(counted, outcome, at) : counted;
}

function opened(
  breaker: Breaker,
  outcome: Exclude<Outcome, { kind: 'no_verdict' }>,
  { nowMs, random }: { readonly nowMs: number; readonly random: () => number },
): Breaker {
  const capMs = outcome.code === 'UPLINK_AUTH_FAILED' ? AUTH_CAP_MS : CAP_MS;
  // A quarter on top keeps edges with the same fault apart.
  const stepMs = BASE_MS * 2 ** Math.min(breaker.openings, 30) * (1 + random() / 4);
  const toldMs = outcome.kind === 'refused' ? Math.min(outcome.retryAfterMs ?? 0, AUTH_CAP_MS) : 0;
  return {
    ...breaker,
    state: 'open',
    openings: breaker.openings + 1,
    reason: outcome.code,
    untilMs: nowMs + Math.max(Math.min(stepMs, capMs), toldMs),
  };
}

/** For the connection that is about to be opened. */
export function atDial(breaker: Breaker): Breaker {
  if (breaker.state !== 'open') return breaker;
  return { ...breaker, state: 'half_open', untilMs: Number.POSITIVE_INFINITY };
}

/**
 * Another token or certificate is another question: it is asked at once, but for the spacing of attempts.
 * @param lastDialMs monotonic time of the last attempt
 */
export function afterCredentialChange(
  breaker: Breaker,
  { nowMs, lastDialMs }: { readonly nowMs: number; readonly lastDialMs: number },
): Breaker {
  if (breaker.state !== 'open') return { ...breaker, refusals: 0 };
  return { ...breaker, openings: 0, untilMs: Math.max(nowMs, lastDialMs + BASE_MS) };
}
