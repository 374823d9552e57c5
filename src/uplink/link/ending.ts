import { CLOSE_CODES } from '../../protocol/close-codes.ts';
import type { Ending } from '../../protocol/reconnection.ts';
import type { ErrorFrame } from '../../protocol/session.ts';
import { ApexError, type ErrorCode } from '../../system/errors.ts';
import type { SocketEnd } from './socket.ts';
import { tlsFault } from './tls.ts';

/** What one connection learned about its own end. */
export interface EndFacts {
  readonly isIdentified: boolean;
  /** The last `error` frame. */
  readonly hubError: ErrorFrame['data'] | null;
  /** Of `server_draining`. */
  readonly drainAfterMs: number | null;
  /** This side's own reason for ending it. */
  readonly given: EndVerdict | null;
}

export interface EndVerdict {
  readonly ending: Ending;
  /** Null where the end is no fault of anybody's. */
  readonly error: ApexError | null;
}

const AUTH_STATUS: ReadonlySet<number> = new Set([401, 403]);
/** A proxy without its server, or one that is overloaded: the same as unreachable. */
const PASSING_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const REFUSALS: Readonly<Partial<Record<number, ErrorCode>>> = {
  [CLOSE_CODES.authFailed]: 'UPLINK_AUTH_FAILED',
  [CLOSE_CODES.superseded]: 'UPLINK_SUPERSEDED',
  [CLOSE_CODES.policy]: 'UPLINK_REFUSED',
  [CLOSE_CODES.identifyTimeout]: 'UPLINK_TIMEOUT',
  [CLOSE_CODES.frameTooLarge]: 'UPLINK_REFUSED',
  [CLOSE_CODES.flowViolation]: 'UPLINK_REFUSED',
  // RFC 6455, 7.4.1: protocol error, data of the wrong kind, invalid data, message too big.
  1002: 'UPLINK_PROTOCOL',
  1003: 'UPLINK_PROTOCOL',
  1007: 'UPLINK_PROTOCOL',
  1009: 'UPLINK_REFUSED',
};

/** Why a connection ended: when to try again, and what to tell a person. */
export function endingOf(facts: EndFacts, end: SocketEnd): EndVerdict {
  if (facts.given !== null) return facts.given;
  if (end.http !== null) return httpVerdict(end.http, end);
  const tls = end.error === null ? null : tlsFault(end.error);
  if (tls !== null) return refusal(tls, facts, end);
  if (facts.hubError?.code === 'auth_failed') return refusal('UPLINK_AUTH_FAILED', facts, end);
  const drainAfterMs = facts.drainAfterMs;
  if (drainAfterMs !== null)
    return { ending: { kind: 'told', delayMs: drainAfterMs }, error: null };
  const retryAfterMs = facts.hubError?.retry_after_ms;
  if (end.code === CLOSE_CODES.tryLater && retryAfterMs !== undefined) {
    const error = new ApexError('UPLINK_REFUSED', what(facts, end));
    return { ending: { kind: 'told', delayMs: retryAfterMs }, error };
  }
  const refused = REFUSALS[end.code];
  if (refused !== undefined) return refusal(refused, facts, end);
  return { ending: { kind: 'lost' }, error: unreachable(what(facts, end), end) };
}

function httpVerdict(http: NonNullable<SocketEnd['http']>, end: SocketEnd): EndVerdict {
  const { status, retryAfterMs } = http;
  const message = `the hub answered HTTP ${status}`;
  if (PASSING_STATUS.has(status)) {
    const ending: Ending =
      retryAfterMs === null ? { kind: 'lost' } : { kind: 'told', delayMs: retryAfterMs };
    return { ending, error: unreachable(message, end) };
  }
  const code = AUTH_STATUS.has(status) ? 'UPLINK_AUTH_FAILED' : 'UPLINK_REFUSED';
  return { ending: { kind: 'refused', retryAfterMs }, error: new ApexError(code, message) };
}

function refusal(code: ErrorCode, facts: EndFacts, end: SocketEnd): EndVerdict {
  return {
    ending: { kind: 'refused', retryAfterMs: facts.hubError?.retry_after_ms ?? null },
    error: new ApexError(code, what(facts, end)),
  };
}

function unreachable(message: string, { error }: SocketEnd): ApexError {
  return new ApexError('UPLINK_UNREACHABLE', message, error === null ? {} : { cause: error });
}

function what({ hubError, isIdentified }: EndFacts, { code, reason, error }: SocketEnd): string {
  if (hubError !== null) return `${hubError.code}: ${hubError.message}`;
  if (error !== null) return error.message;
  const when = isIdentified
    ? 'the connection ended'
    : 'the connection ended before it was accepted';
  return `${when} (${code}${reason === '' ? '' : `, ${reason}`})`;
}
