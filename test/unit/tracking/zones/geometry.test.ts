import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  doCross,
  footPoint,
  isInside,
  offsetFrom,
  type Point,
} from '../../../../src/tracking/zones/geometry.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const point: fc.Arbitrary<Point> = fc.record({ x: share, y: share });

test('the foot is the middle of the lower edge', () => {
  expect(footPoint({ x: 0.25, y: 0.5, width: 0.5, height: 0.25 })).toEqual({ x: 0.5, y: 0.75 });
});

describe('isInside', () => {
  const square = [
    { x: 0.2, y: 0.2 },
    { x: 0.8, y: 0.2 },
    { x: 0.8, y: 0.8 },
    { x: 0.2, y: 0.8 },
  ];

  test('of a rectangle is what its edges say', () => {
    fc.assert(
      fc.property(point, ({ x, y }) => {
        const isBetween = x >= 0.2 && x < 0.8 && y >= 0.2 && y < 0.8;
        expect(isInside(square, { x, y })).toBe(isBetween);
      }),
    );
  });

  test('does not depend on where the corners begin or which way they go', () => {
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 3, maxLength: 8 }),
        point,
        fc.nat(7),
        (corners, at, start) => {
          const turned = [
            ...corners.slice(start % corners.length),
            ...corners.slice(0, start % corners.length),
          ];
          expect(isInside(turned, at)).toBe(isInside(corners, at));
        },
      ),
    );
  });

  test('parts of a picture that is cut in two have each point once', () => {
    fc.assert(
      fc.property(share, share, point, (top, bottom, at) => {
        const left = [
          { x: -1, y: -1 },
          { x: top, y: -1 },
          { x: bottom, y: 2 },
          { x: -1, y: 2 },
        ];
        const right = [
          { x: top, y: -1 },
          { x: 3, y: -1 },
          { x: 3, y: 2 },
          { x: bottom, y: 2 },
        ];
        expect([isInside(left, at), isInside(right, at)].filter(Boolean)).toHaveLength(1);
      }),
    );
  });

  test('has a hollow where the polygon has one', () => {
    const horseshoe = [
      { x: 0, y: 0 },
      { x: 1, y: 0 },
      { x: 1, y: 1 },
      { x: 0.7, y: 1 },
      { x: 0.7, y: 0.3 },
      { x: 0.3, y: 0.3 },
      { x: 0.3, y: 1 },
      { x: 0, y: 1 },
    ];
    expect(isInside(horseshoe, { x: 0.5, y: 0.6 })).toBe(false);
    expect(isInside(horseshoe, { x: 0.5, y: 0.2 })).toBe(true);
    expect(isInside(horseshoe, { x: 0.1, y: 0.6 })).toBe(true);
  });
});

describe('offsetFrom', () => {
  test('is above zero to the right of who looks along the line, as seen in the picture', () => {
    const [top, bottom] = [
      { x: 0.5, y: 0 },
      { x: 0.5, y: 1 },
    ];
    // Looking down the picture, the right hand is on its left side.
    expect(offsetFrom(top, bottom, { x: 0.3, y: 0.5 })).toBeCloseTo(0.2);
    expect(offsetFrom(bottom, top, { x: 0.3, y: 0.5 })).toBeCloseTo(-0.2);
  });
});

describe('doCross', () => {
  test('needs both stretches to reach the other', () => {
    const wall: [Point, Point] = [
      { x: 0.5, y: 0.2 },
      { x: 0.5, y: 0.6 },
    ];
    expect(
      doCross(wall, [
        { x: 0.4, y: 0.4 },
        { x: 0.6, y: 0.4 },
      ]),
    ).toBe(true);
    expect(
      doCross(wall, [
        { x: 0.4, y: 0.9 },
        { x: 0.6, y: 0.9 },
      ]),
      'around its end',
    ).toBe(false);
    expect(
      doCross(wall, [
        { x: 0.2, y: 0.4 },
        { x: 0.4, y: 0.4 },
      ]),
      'up to it',
    ).toBe(false);
  });
});
