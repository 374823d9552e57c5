import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FACE_TEMPLATE, similarityBetween } from '../../../src/faces/alignment/similarity.ts';
import { poseOf } from '../../../src/faces/pose.ts';

const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
const scale = fc.double({ min: 0.05, max: 20, noNaN: true });
const shift = fc.double({ min: -2000, max: 2000, noNaN: true });

/** The template turned (radians), scaled and shifted. */
function placed(turn: number, size: number, dx: number, dy: number) {
  const [a, b] = [size * Math.cos(turn), size * Math.sin(turn)];
  return FACE_TEMPLATE.map(({ x, y }) => ({ x: a * x - b * y + dx, y: b * x + a * y + dy }));
}

describe('similarityBetween', () => {
  test('finds any turn, scale and shift', () => {
    fc.assert(
      fc.property(angle, scale, shift, shift, (turn, size, dx, dy) => {
        const found = similarityBetween(FACE_TEMPLATE, placed(turn, size, dx, dy));
        expect(found?.a).toBeCloseTo(size * Math.cos(turn), 6);
        expect(found?.b).toBeCloseTo(size * Math.sin(turn), 6);
        expect(found?.tx).toBeCloseTo(dx, 4);
        expect(found?.ty).toBeCloseTo(dy, 4);
      }),
    );
  });

  test('is the best there is for points that do not fit: no small change of it comes nearer', () => {
    const target = placed(0.3, 2, 10, 20).map(({ x, y }, index) => ({
      x: x + (index % 2) * 9,
      y: y - (index % 3) * 7,
    }));
    const found = similarityBetween(FACE_TEMPLATE, target);
    const error = (m: NonNullable<typeof found>) =>
      FACE_TEMPLATE.reduce((sum, { x, y }, index) => {
        const to = target[index] ?? { x: 0, y: 0 };
        return (
          sum + (m.a * x - m.b * y + m.tx - to.x) ** 2 + (m.b * x + m.a * y + m.ty - to.y) ** 2
        );
      }, 0);
    const least = error(found!);
    for (const key of ['a', 'b', 'tx', 'ty'] as const)
      for (const step of [-0.01, 0.01])
        expect(error({ ...found!, [key]: found![key] + step })).toBeGreaterThan(least);
  });

  test('there is none for points that are all one', () => {
    expect(similarityBetween(Array(5).fill({ x: 3, y: 4 }), FACE_TEMPLATE)).toBeNull();
  });
});

describe('poseOf', () => {
  test('the template looks straight ahead', () => {
    const { yaw, roll } = poseOf(FACE_TEMPLATE);
    expect(Math.abs(yaw)).toBeLessThan(2);
    expect(Math.abs(roll)).toBeLessThan(1);
  });

  test('roll is the turn of the head in the picture, at any size and place', () => {
    const narrow = fc.double({ min: -1.5, max: 1.5, noNaN: true });
    fc.assert(
      fc.property(narrow, scale, shift, (turn, size, at) => {
        const straight = poseOf(FACE_TEMPLATE);
        const turned = poseOf(placed(turn, size, at, -at));
        expect(turned.roll - straight.roll).toBeCloseTo((turn * 180) / Math.PI, 5);
        expect(turned.yaw).toBeCloseTo(straight.yaw, 4);
      }),
    );
  });

  test('a nose to the right of the middle is a head turned to the right', () => {
    const withNose = (x: number) =>
      FACE_TEMPLATE.map((point, index) => (index === 2 ? { ...point, x } : point));
    const yaws = [40, 48, 56, 64, 72].map((x) => poseOf(withNose(x)).yaw);
    expect(yaws).toEqual([...yaws].sort((a, b) => a - b));
    expect(yaws[0]).toBeLessThan(-30);
    expect(yaws.at(-1)).toBeGreaterThan(30);
  });
});
