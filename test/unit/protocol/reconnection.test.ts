import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterProgress,
  type Backoff,
  type Ending,
  INITIAL_BACKOFF,
  reconnectDelay,
} from '../../../src/protocol/reconnection.ts';

const lost: Ending = { kind: 'lost' };
const refused: Ending = { kind: 'refused', retryAfterMs: null };

/** Delays of endings in a row, all at one time. */
function delays(endings: readonly Ending[], random = 1, from: Backoff = INITIAL_BACKOFF): number[] {
  let backoff = from;
  return endings.map((ending) => {
    const step = reconnectDelay(backoff, ending, { nowMs: 0, random: () => random });
    ({ backoff } = step);
    return step.delayMs;
  });
}

describe('reconnectDelay', () => {
  test('doubles up to the cap, with full jitter', () => {
    expect(delays([lost, lost, lost, lost, lost])).toEqual([100, 200, 400, 750, 750]);
    expect(delays([lost, lost], 0)).toEqual([0, 0]);
  });

  test('takes the cap that the hub gave', () => {
    const told = { ...INITIAL_BACKOFF, capMs: 3000 };
    expect(delays(Array(7).fill(lost), 1, told).at(-1)).toBe(3000);
  });

  test('after 15 minutes without a hub the cap is 5 s', () => {
    const down: Backoff = { ...INITIAL_BACKOFF, attempts: 20, downSinceMs: 0 };
    const at = (nowMs: number) => reconnectDelay(down, lost, { nowMs, random: () => 1 }).delayMs;
    expect([at(900_000), at(900_001)]).toEqual([750, 5000]);
  });

  test('a refusal is not asked again within a second, or before the hub wants it', () => {
    expect(delays([refused, refused, refused], 0)).toEqual([1000, 1000, 1000]);
    expect(delays([{ kind: 'refused', retryAfterMs: 60_000 }], 0)).toEqual([60_000]);
    expect(delays([{ kind: 'refused', retryAfterMs: 1e9 }], 0)).toEqual([300_000]);
  });

  test('a hub that says when to come back is obeyed, and attempts start over', () => {
    expect(delays([lost, lost, { kind: 'told', delayMs: 420 }, lost])).toEqual([
      100, 200, 420, 100,
    ]);
  });

  test('a connection that this side ends is renewed at once', () => {
    expect(delays([{ kind: 'renewed' }])).toEqual([0]);
  });

  test('only progress starts it over', () => {
    const { backoff } = reconnectDelay(INITIAL_BACKOFF, lost, { nowMs: 5, random: () => 0 });
    expect(backoff).toMatchObject({ attempts: 1, downSinceMs: 5 });
    expect(afterProgress(backoff)).toEqual(INITIAL_BACKOFF);
  });

  test('is always finite and never negative', () => {
    const ending = fc.constantFrom<Ending>(lost, refused, { kind: 'told', delayMs: 3 });
    const property = fc.property(
      fc.array(ending, { maxLength: 100 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (endings, random) => {
        for (const delayMs of delays(endings, random)) {
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(375_000);
        }
      },
    );
    fc.assert(property);
  });
});
