import { describe, expect, test } from 'vitest';
import { ApexError } from '../../../src/system/errors.ts';
import { type Delivery, outcomeOf, ruinOf } from '../../../src/uplink/judgement.ts';
import type { EndFacts } from '../../../src/uplink/link/ending.ts';
import { endingOf } from '../../../src/uplink/link/ending.ts';
import type { SocketEnd } from '../../../src/uplink/link/socket.ts';

const nobody: EndFacts = { isIdentified: false, hubError: null, drainAfterMs: null, given: null };
const accepted: EndFacts = { ...nobody, isIdentified: true };
const broken: SocketEnd = { code: 1006, reason: '', error: null, http: null };
const batch = {
  requestId: 'b-1',
  epoch: 'e',
  lane: 0 as const,
  afterSeq: 0,
  through: 1,
  messages: 1,
  bytes: 10,
  only: null,
};
const waiting: Delivery = {
  inFlight: [batch],
  alone: null,
  hasAcked: false,
  isHeartbeatAnswered: false,
};

function session(facts: EndFacts, end: SocketEnd, delivery: Delivery | null) {
  return { facts, end, verdict: endingOf(facts, end), delivery };
}

function given(code: 'UPLINK_TIMEOUT' | 'UPLINK_PROTOCOL'): EndFacts {
  return { ...accepted, given: { ending: { kind: 'lost' }, error: new ApexError(code, 'x') } };
}

function networkError(code: string): SocketEnd {
  return { ...broken, error: Object.assign(new Error(code), { code }) };
}

describe('outcomeOf', () => {
  test.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EHOSTUNREACH', 'EPROTO'])(
    '%s is no verdict',
    (code) => {
      expect(outcomeOf(session(nobody, networkError(code), null)).kind).toBe('no_verdict');
    },
  );

  test.each([
    ['CERT_HAS_EXPIRED', 'UPLINK_TLS_EXPIRED'],
    ['UPLINK_TLS_PIN', 'UPLINK_TLS_PIN'],
  ])('%s is a refusal', (code, told) => {
    const outcome = outcomeOf(session(nobody, networkError(code), null));
    expect(outcome).toEqual({ kind: 'refused', code: told, retryAfterMs: null });
  });

  test('an accepted session that the hub closes over its first messages is fruitless', () => {
    const end = { ...broken, code: 1011 };
    expect(outcomeOf(session(accepted, end, waiting))).toEqual({
      kind: 'fruitless',
      code: 'UPLINK_REFUSED',
    });
    const idle = { ...waiting, inFlight: [] };
    expect(outcomeOf(session(accepted, end, idle)).kind).toBe('no_verdict');
    const proven = { ...waiting, hasAcked: true };
    expect(outcomeOf(session(accepted, end, proven)).kind).toBe('no_verdict');
  });

  test.each([1001, 1006, 1012, 1013])('a close with %i is no verdict', (code) => {
    const outcome = outcomeOf(session(accepted, { ...broken, code }, waiting));
    expect(outcome.kind).toBe('no_verdict');
  });

  test('a timeout is one only where the hub was there all the time', () => {
    const late = session(given('UPLINK_TIMEOUT'), broken, waiting);
    expect(outcomeOf(late).kind).toBe('no_verdict');
    const there = { ...waiting, isHeartbeatAnswered: true };
    expect(outcomeOf(session(given('UPLINK_TIMEOUT'), broken, there)).kind).toBe('fruitless');
    expect(outcomeOf(session(given('UPLINK_PROTOCOL'), broken, waiting)).kind).toBe('fruitless');
  });
});

describe('ruinOf', () => {
  test('a hub that was never reached ruins nothing', () => {
    expect(ruinOf(session(nobody, broken, null))).toBeNull();
  });

  test.each([
    ['a broken connection', accepted, 1006, 'crash'],
    ['an internal error', accepted, 1011, 'crash'],
    ['a message too big', accepted, 1009, 'crash'],
    ['a hub that restarts', accepted, 1012, 'passing'],
    ['a hub that is busy', accepted, 1013, 'passing'],
    ['another session', accepted, 4409, 'passing'],
    ['a hub that drains', { ...accepted, drainAfterMs: 100 }, 1006, 'passing'],
    ['no answer', given('UPLINK_TIMEOUT'), 1006, 'timeout'],
    ['a fault of this side', given('UPLINK_PROTOCOL'), 1006, 'passing'],
  ])('%s', (_, facts, code, how) => {
    expect(ruinOf(session(facts, { ...broken, code }, waiting))).toMatchObject({
      how,
      inFlight: [batch],
    });
  });
});
