import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StormGuard } from '../../../../src/events/rules/storm-guard.ts';
import type { AlertTriggered } from '../../../../src/protocol/payloads.ts';

function alert(severity: AlertTriggered['severity'] = 'low', rule = 'a'): AlertTriggered {
  return { type: 'x', camera_id: 'gate', severity, timestamp: 5, data: { rule } };
}

describe('StormGuard', () => {
  test('lets ten a minute through and tells of the others in one', () => {
    const guard = new StormGuard('gate');
    const told = Array.from({ length: 25 }, (_, n) =>
      guard.pass(n === 20 ? alert('high', 'b') : alert(), 1000 * n),
    );
    expect(told.filter((each) => each !== null)).toHaveLength(10);
    expect(guard.digest(69_999, 1)).toBeNull();
    expect(guard.digest(70_000, 70_000.4)).toEqual({
      type: 'alert_storm',
      camera_id: 'gate',
      severity: 'high',
      timestamp: 70_000,
      data: {
        why: '15 more alerts than the 10 a minute that are told one by one: 14 of a, 1 of b',
        count: 15,
        by_rule: { a: 14, b: 1 },
        start_time: 5,
      },
    });
    expect(guard.digest(200_000, 1)).toBeNull();
    expect(guard.pass(alert(), 200_000)).not.toBeNull();
  });

  test('always lets critical ones through', () => {
    const guard = new StormGuard('gate');
    const told = Array.from({ length: 100 }, () => guard.pass(alert('critical'), 0));
    expect(told).not.toContain(null);
    expect(guard.flush(1)).toBeNull();
  });

  test('whatever comes, every alert is told or counted, and no minute has more than eleven messages', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(gaps, (steps) => {
        const guard = new StormGuard('gate');
        const messages: { atMs: number; counts: number }[] = [];
        let nowMs = 0;
        const tell = (message: AlertTriggered | null): void => {
          if (message !== null)
            messages.push({ atMs: nowMs, counts: Number(message.data.count ?? 1) });
        };
        for (const step of steps) {
          nowMs += step;
          tell(guard.digest(nowMs, nowMs));
          tell(guard.pass(alert(), nowMs));
        }
        for (const { atMs } of messages)
          expect(
            messages.filter((each) => each.atMs > atMs - 60_000 && each.atMs <= atMs).length,
          ).toBeLessThanOrEqual(11);
        tell(guard.flush(nowMs));
        expect(messages.reduce((sum, { counts }) => sum + counts, 0)).toBe(steps.length);
      }),
    );
  });
});
