import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GroundPlane } from '../../../../src/tracking/zones/ground-plane.ts';
import { SpeedGauge } from '../../../../src/tracking/zones/speed-gauge.ts';

/** A camera 5 m above the ground looks down a road: where a place on the ground is in the picture. */
function seen({ x, y }: { x: number; y: number }): { x: number; y: number } {
  const distance = 8 + y;
  return { x: 0.5 + (0.8 * x) / distance, y: 0.1 + 5 / distance };
}

const WIDTH = 6;
const DEPTH = 20;
const CORNERS = [
  { x: -3, y: 20 },
  { x: 3, y: 20 },
  { x: 3, y: 0 },
  { x: -3, y: 0 },
].map(seen);
const road = GroundPlane.of(CORNERS, WIDTH, DEPTH)!;

describe('GroundPlane', () => {
  test('knows where every place of the picture lies on the ground', () => {
    const across = fc.double({ min: -5, max: 5, noNaN: true });
    const along = fc.double({ min: -4, max: 40, noNaN: true });
    fc.assert(
      fc.property(across, along, (x, y) => {
        const place = road.place(seen({ x, y }));
        // From the first corner: to the right, and towards the camera.
        expect(place?.x).toBeCloseTo(x + 3, 6);
        expect(place?.y).toBeCloseTo(20 - y, 6);
      }),
    );
  });

  test('there is no ground at the horizon and above it', () => {
    expect(road.place({ x: 0.5, y: 0.1 })).toBeNull();
    expect(road.place({ x: 0.5, y: 0 })).toBeNull();
  });

  test('corners in the other direction around, or from another one on, are the same ground', () => {
    const backwards = GroundPlane.of([...CORNERS].reverse(), WIDTH, DEPTH);
    const place = backwards?.place(seen({ x: 0, y: 10 }));
    expect(place?.x).toBeCloseTo(3, 6);
    expect(place?.y).toBeCloseTo(10, 6);
  });

  test('corners that no rectangle can have are none', () => {
    const [a, b, c, d] = CORNERS as [...typeof CORNERS];
    expect(GroundPlane.of([a!, c!, b!, d!], 1, 1)).toBeNull();
    expect(GroundPlane.of([a!, b!, c!], 1, 1)).toBeNull();
    expect(GroundPlane.of([a!, b!, b!, d!], 1, 1)).toBeNull();
    const dent = { x: (a!.x + b!.x) / 2, y: a!.y + 0.01 };
    expect(GroundPlane.of([a!, b!, dent, d!], 1, 1)).toBeNull();
  });
});

describe('SpeedGauge', () => {
  const speeds = fc.record({
    kmh: fc.double({ min: 1, max: 60, noNaN: true }),
    angle: fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }),
    fps: fc.integer({ min: 4, max: 30 }),
  });

  test('measures any steady speed in any direction, at any frame rate', () => {
    fc.assert(
      fc.property(speeds, ({ kmh, angle, fps }) => {
        const gauge = new SpeedGauge(road);
        for (let frame = 0; frame <= fps; frame++) {
          const way = (kmh / 3.6) * (frame / fps);
          const place = { x: way * Math.cos(angle), y: 10 + way * Math.sin(angle) };
          gauge.see(1, seen(place), (frame / fps) * 1000);
        }
        expect(gauge.kmh(1)).toBeCloseTo(kmh, 3);
      }),
    );
  });

  test('says nothing of what was seen for a moment only, or has gone', () => {
    const gauge = new SpeedGauge(road);
    for (const ms of [0, 100, 200, 500]) {
      gauge.see(1, seen({ x: 0, y: ms / 100 }), ms);
      expect(gauge.kmh(1)).toBeNull();
    }
    gauge.see(1, seen({ x: 0, y: 7 }), 700);
    expect(gauge.kmh(1)).toBeCloseTo(36, 3);
    gauge.forget(1);
    expect(gauge.kmh(1)).toBeNull();
  });

  test('who stands still with a trembling box is slow', () => {
    const gauge = new SpeedGauge(road);
    for (let frame = 0; frame < 20; frame++) {
      const { x, y } = seen({ x: 0, y: 5 });
      gauge.see(1, { x, y: y + (frame % 2 === 0 ? 0.004 : -0.004) }, frame * 100);
    }
    expect(gauge.kmh(1)).toBeLessThan(1.5);
  });
});
