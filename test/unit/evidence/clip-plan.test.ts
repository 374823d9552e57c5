import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClipPlan } from '../../../src/evidence/clips/clip-plan.ts';

const LENGTHS = { preMs: 5000, postMs: 5000, maxMs: 60_000 };
const all = () => true;

describe('ClipPlan', () => {
  test('an alert makes a clip around it', () => {
    const plan = new ClipPlan(LENGTHS);
    plan.alert('a', 20_000);
    expect(plan.neededFromMs).toBe(15_000);
    expect(plan.take(() => false)).toEqual([]);
    expect(plan.take(all)).toEqual([{ alertIds: ['a'], fromMs: 15_000, toMs: 25_000 }]);
    expect(plan.neededFromMs).toBeNull();
    expect(plan.take(all)).toEqual([]);
  });

  test('alerts that follow each other share one, which becomes longer', () => {
    const plan = new ClipPlan(LENGTHS);
    plan.alert('a', 20_000);
    plan.alert('b', 29_000);
    plan.alert('c', 60_000);
    expect(plan.take(all)).toEqual([
      { alertIds: ['a', 'b'], fromMs: 15_000, toMs: 34_000 },
      { alertIds: ['c'], fromMs: 55_000, toMs: 65_000 },
    ]);
  });

  test('every alert is in exactly one clip that shows all that was asked for, and none is too long', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(gaps, (steps) => {
        const plan = new ClipPlan(LENGTHS);
        const times = steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, ms) => sum + ms, 0));
        times.forEach((ms, index) => {
          plan.alert(`${index}`, ms);
        });
        const clips = plan.take(all);
        expect(clips.flatMap(({ alertIds }) => alertIds)).toEqual(times.map((_, i) => `${i}`));
        for (const { alertIds, fromMs, toMs } of clips) {
          expect(toMs - fromMs).toBeLessThanOrEqual(LENGTHS.maxMs);
          for (const id of alertIds) {
            const ms = times[Number(id)] ?? 0;
            expect(fromMs).toBeLessThanOrEqual(ms - LENGTHS.preMs);
            expect(toMs).toBeGreaterThanOrEqual(ms + LENGTHS.postMs);
          }
        }
      }),
    );
  });
});
