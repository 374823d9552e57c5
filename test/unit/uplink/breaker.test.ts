import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterCredentialChange,
  afterSession,
  atDial,
  type Breaker,
  CLOSED_BREAKER,
  type Outcome,
} from '../../../src/uplink/breaker.ts';

const none: Outcome = { kind: 'no_verdict' };
const auth: Outcome = { kind: 'refused', code: 'UPLINK_AUTH_FAILED', retryAfterMs: null };
const policy: Outcome = { kind: 'refused', code: 'UPLINK_REFUSED', retryAfterMs: null };
const fruitless: Outcome = { kind: 'fruitless', code: 'UPLINK_REFUSED' };

/** Sessions that each end at the time the next try is due, without jitter. */
function following(outcomes: readonly Outcome[], from: Breaker = CLOSED_BREAKER): Breaker {
  return outcomes.reduce((breaker, outcome) => {
    const nowMs = Number.isFinite(breaker.untilMs) ? breaker.untilMs : 0;
    return afterSession(atDial(breaker), outcome, { nowMs, random: () => 0 });
  }, from);
}

/** How long it stays open, time after time. */
function openings(outcome: Outcome, times: number): number[] {
  let breaker = following([outcome, outcome, outcome]);
  let nowMs = 0;
  return Array.from({ length: times }, () => {
    const waitMs = breaker.untilMs - nowMs;
    nowMs = breaker.untilMs;
    breaker = following([outcome], breaker);
    return waitMs;
  });
}

describe('breaker', () => {
  test('three refusals in a row open it', () => {
    expect(following([auth, auth]).state).toBe('closed');
    expect(following([auth, policy, auth])).toMatchObject({
      state: 'open',
      reason: 'UPLINK_AUTH_FAILED',
      untilMs: 5000,
    });
  });

  test('five accepted sessions without an acknowledgement open it', () => {
    expect(following(Array(4).fill(fruitless)).state).toBe('closed');
    expect(following(Array(5).fill(fruitless))).toMatchObject({ state: 'open', untilMs: 5000 });
  });

  test('a hub that cannot be reached never does, and takes no count away', () => {
    expect(following(Array(1000).fill(none))).toEqual(CLOSED_BREAKER);
    expect(following([auth, none, auth, none, none, auth]).state).toBe('open');
  });

  test('another edge under the same id opens it at once', () => {
    const superseded: Outcome = { ...policy, code: 'UPLINK_SUPERSEDED' };
    expect(following([superseded])).toMatchObject({ state: 'open', untilMs: 5000 });
  });

  test('it stays open for longer and longer: up to 60 s, after refused tokens up to 300 s', () => {
    expect(openings(policy, 6)).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    expect(openings(auth, 8).slice(-3)).toEqual([160_000, 300_000, 300_000]);
  });

  test('what the hub asks for is waited, up to 300 s', () => {
    const told: Outcome = { ...policy, retryAfterMs: 90_000 };
    expect(following([told, told, told]).untilMs).toBe(90_000);
    const endless: Outcome = { ...policy, retryAfterMs: 1e12 };
    expect(following([endless, endless, endless]).untilMs).toBe(300_000);
  });

  test('half open, one refusal is enough; an unreachable hub leaves it half open', () => {
    const half = atDial(following([auth, auth, auth]));
    expect(half).toMatchObject({ state: 'half_open', untilMs: Number.POSITIVE_INFINITY });
    expect(following([none, none], half).state).toBe('half_open');
    expect(following([fruitless], half).state).toBe('open');
  });

  test('changed credentials are tried at once, but 5 s after the last attempt', () => {
    const open = openAfter(6);
    expect(open.untilMs).toBeGreaterThan(30_000);
    const at = (nowMs: number) => afterCredentialChange(open, { nowMs, lastDialMs: 1000 });
    expect(at(20_000)).toMatchObject({ state: 'open', untilMs: 20_000, openings: 0 });
    expect(at(3000).untilMs).toBe(6000);
    expect(
      afterCredentialChange(following([auth, auth]), { nowMs: 0, lastDialMs: 0 }).refusals,
    ).toBe(0);
  });

  test('while the hub refuses, attempts are at least 5 s apart', () => {
    const outcome = fc.constantFrom(auth, policy, fruitless);
    const property = fc.property(
      fc.array(outcome, { maxLength: 50 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (outcomes, random) => {
        let breaker = openAfter(3);
        let nowMs = breaker.untilMs;
        for (const each of outcomes) {
          breaker = afterSession(atDial(breaker), each, { nowMs, random: () => random });
          expect(breaker.state).toBe('open');
          expect(breaker.untilMs - nowMs).toBeGreaterThanOrEqual(5000);
          expect(breaker.untilMs - nowMs).toBeLessThanOrEqual(300_000.001);
          nowMs = breaker.untilMs;
        }
      },
    );
    fc.assert(property);
  });
});

function openAfter(refusals: number): Breaker {
  return following(Array(refusals).fill(auth));
}
