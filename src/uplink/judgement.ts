import { CLOSE_CODES } from '../protocol/close-codes.ts';
import type { Outcome } from './breaker.ts';
import type { EndFacts, EndVerdict } from './link/ending.ts';
import type { SocketEnd } from './link/socket.ts';
import type { Evidence, SessionRuin } from './poison/suspects.ts';
import type { BatchInFlight } from './sending/window.ts';

/** What there is to say of the deliveries of a connection that ends. */
export interface Delivery {
  readonly inFlight: readonly BatchInFlight[];
  /** Evidence for the suspected message that is in flight alone; null where none is. */
  readonly alone: Evidence | null;
  readonly hasAcked: boolean;
  /** The hub answered a heartbeat after the last batch was sent. */
  readonly isHeartbeatAnswered: boolean;
}

/** A finished session, with everything that is known of its end. */
export interface EndedSession {
  readonly facts: EndFacts;
  readonly end: SocketEnd;
  readonly verdict: EndVerdict;
  /** Null where the hub did not accept this edge. */
  readonly delivery: Delivery | null;
}

/** Closes without a verdict: the hub leaves or starts again, is busy, or the network broke. */
const NO_VERDICT: ReadonlySet<number> = new Set([
  CLOSE_CODES.goingAway,
  1006,
  CLOSE_CODES.restart,
  CLOSE_CODES.tryLater,
]);

/** Closes that no message can be the cause of. */
const NO_MESSAGES_DOING: ReadonlySet<number> = new Set([
  CLOSE_CODES.goingAway,
  CLOSE_CODES.restart,
  CLOSE_CODES.tryLater,
  CLOSE_CODES.authFailed,
  CLOSE_CODES.identifyTimeout,
  CLOSE_CODES.superseded,
  CLOSE_CODES.flowViolation,
]);

/** What the end says about the hub's will, for the breaker. */
export function outcomeOf(session: EndedSession): Outcome {
  const { ending, error } = session.verdict;
  if (error === null) return { kind: 'no_verdict' };
  if (ending.kind === 'refused')
    return { kind: 'refused', code: error.code, retryAfterMs: ending.retryAfterMs };
  if (ending.kind !== 'lost' || !isFruitless(session)) return { kind: 'no_verdict' };
  // The hub was reached: it did not want what it got.
  const code = error.code === 'UPLINK_UNREACHABLE' ? 'UPLINK_REFUSED' : error.code;
  return { kind: 'fruitless', code };
}

/** A session that had nothing to get acknowledged proves nothing. */
function isFruitless({ facts, end, delivery }: EndedSession): boolean {
  if (delivery === null || delivery.hasAcked || delivery.inFlight.length === 0) return false;
  if (facts.given === null) return !NO_VERDICT.has(end.code);
  const code = facts.given.error?.code;
  return code === 'UPLINK_PROTOCOL' || (code === 'UPLINK_TIMEOUT' && delivery.isHeartbeatAnswered);
}

/** What the end says about the messages that were in flight; null where the hub had not accepted this edge. */
export function ruinOf({ facts, end, verdict, delivery }: EndedSession): SessionRuin | null {
  if (delivery === null) return null;
  const { inFlight, alone } = delivery;
  const reason = verdict.error?.message ?? 'the connection ended';
  return { how: howOf(facts, end), reason, inFlight, alone };
}

function howOf(facts: EndFacts, end: SocketEnd): SessionRuin['how'] {
  if (facts.given !== null)
    return facts.given.error?.code === 'UPLINK_TIMEOUT' ? 'timeout' : 'passing';
  const isPassing = facts.drainAfterMs !== null || NO_MESSAGES_DOING.has(end.code);
  return isPassing ? 'passing' : 'crash';
}
