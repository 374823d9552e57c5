import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUsable } from '../../../src/tracking/box.ts';
import { BoxFilter } from '../../../src/tracking/kalman.ts';

const START = { x: 0.1, y: 0.2, width: 0.1, height: 0.3 };

function moved(seconds: number) {
  return { ...START, x: START.x + 0.2 * seconds, y: START.y + 0.05 * seconds };
}

describe('BoxFilter', () => {
  test.each([2, 5, 25])('learns a constant velocity at %d frames a second', (fps) => {
    const filter = new BoxFilter(moved(0));
    for (let frame = 1; frame <= 2 * fps; frame++) {
      filter.predict(1 / fps);
      filter.update(moved(frame / fps));
    }
    filter.predict(1);
    const { x, y, width, height } = filter.box();
    expect(x).toBeCloseTo(moved(3).x, 1);
    expect(y).toBeCloseTo(moved(3).y, 1);
    expect(width).toBeCloseTo(START.width, 2);
    expect(height).toBeCloseTo(START.height, 2);
  });

  test('one long step is the same as many short ones', () => {
    const seen = { ...START, x: START.x + 0.05 };
    const [long, short] = [new BoxFilter(START), new BoxFilter(START)];
    long.predict(1);
    for (let step = 0; step < 10; step++) short.predict(0.1);
    long.update(seen);
    short.update(seen);
    for (const side of ['x', 'y', 'width', 'height'] as const) {
      expect(long.box()[side]).toBeCloseTo(short.box()[side], 9);
    }
  });

  test('comes nearer to what it is shown, and trusts it more after a long time', () => {
    const seen = { ...START, x: START.x + 0.2 };
    const after = [0.04, 0.5, 3].map((seconds) => {
      const filter = new BoxFilter(START);
      filter.predict(seconds);
      filter.update(seen);
      return filter.box().x;
    });
    expect(after).toEqual(after.toSorted((a, b) => a - b));
    expect(after[0]).toBeGreaterThan(START.x);
    expect(after[2]).toBeCloseTo(seen.x, 2);
  });

  test('a box that was shrinking stays a box', () => {
    const filter = new BoxFilter({ ...START, height: 0.5 });
    for (const height of [0.4, 0.3, 0.2, 0.1]) {
      filter.predict(0.2);
      filter.update({ ...START, height });
    }
    filter.predict(5);
    expect(isUsable({ ...filter.box(), x: 0, y: 0 })).toBe(true);
  });

  test('its numbers stay finite whatever boxes and times come', () => {
    const side = fc.double({ min: 1e-4, max: 1, noNaN: true });
    const place = fc.double({ min: -1, max: 1, noNaN: true });
    const box = fc.record({ x: place, y: place, width: side, height: side });
    const seconds = fc.double({ noDefaultInfinity: false, noNaN: true });
    fc.assert(
      fc.property(box, fc.array(fc.tuple(box, seconds), { maxLength: 40 }), (first, steps) => {
        const filter = new BoxFilter(first);
        for (const [next, dt] of steps) {
          filter.predict(dt);
          filter.update(next);
          const { x, y, width, height } = filter.box();
          expect([x, y, width, height].every(Number.isFinite)).toBe(true);
          expect(Math.min(width, height)).toBeGreaterThan(0);
        }
      }),
    );
  });
});
