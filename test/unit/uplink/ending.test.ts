import { describe, expect, test } from 'vitest';
import { type EndFacts, endingOf } from '../../../src/uplink/link/ending.ts';
import type { SocketEnd } from '../../../src/uplink/link/socket.ts';

const facts: EndFacts = { isIdentified: true, hubError: null, drainAfterMs: null, given: null };
const end: SocketEnd = { code: 1006, reason: '', error: null, http: null };
const hubError = { code: 'x', message: 'y', retryable: false };

describe('endingOf', () => {
  test('a broken connection is lost', () => {
    const verdict = endingOf(facts, end);
    expect(verdict).toMatchObject({
      ending: { kind: 'lost' },
      error: { code: 'UPLINK_UNREACHABLE' },
    });
  });

  test.each([
    [4401, 'UPLINK_AUTH_FAILED'],
    [4409, 'UPLINK_SUPERSEDED'],
    [1008, 'UPLINK_REFUSED'],
    [4413, 'UPLINK_REFUSED'],
    [4429, 'UPLINK_REFUSED'],
    [1009, 'UPLINK_REFUSED'],
    [1002, 'UPLINK_PROTOCOL'],
  ])('close code %i is a refusal, %s', (code, error) => {
    const verdict = endingOf(facts, { ...end, code });
    expect(verdict).toMatchObject({ ending: { kind: 'refused' }, error: { code: error } });
  });

  test('a refused token is one even where the close code got lost', () => {
    const told = { ...hubError, code: 'auth_failed', retry_after_ms: 60_000 };
    expect(endingOf({ ...facts, hubError: told }, end)).toMatchObject({
      ending: { kind: 'refused', retryAfterMs: 60_000 },
      error: { code: 'UPLINK_AUTH_FAILED', message: 'auth_failed: y' },
    });
  });

  test('draining and trying later are told, and draining is no error', () => {
    expect(endingOf({ ...facts, drainAfterMs: 420 }, { ...end, code: 1012 })).toEqual({
      ending: { kind: 'told', delayMs: 420 },
      error: null,
    });
    const busy = { ...hubError, retry_after_ms: 900 };
    expect(endingOf({ ...facts, hubError: busy }, { ...end, code: 1013 })).toMatchObject({
      ending: { kind: 'told', delayMs: 900 },
    });
  });

  test('an earlier error does not turn a lost connection into a refusal', () => {
    expect(endingOf({ ...facts, hubError }, end)).toMatchObject({ ending: { kind: 'lost' } });
  });

  test.each([
    [401, 'refused', 'UPLINK_AUTH_FAILED'],
    [403, 'refused', 'UPLINK_AUTH_FAILED'],
    [404, 'refused', 'UPLINK_REFUSED'],
    [502, 'lost', 'UPLINK_UNREACHABLE'],
  ])('HTTP %i is %s', (status, kind, code) => {
    const verdict = endingOf(facts, { ...end, http: { status, retryAfterMs: null } });
    expect(verdict).toMatchObject({ ending: { kind }, error: { code } });
  });

  test('HTTP 503 with Retry-After is obeyed', () => {
    const http = { status: 503, retryAfterMs: 2000 };
    expect(endingOf(facts, { ...end, http }).ending).toEqual({ kind: 'told', delayMs: 2000 });
  });
});
