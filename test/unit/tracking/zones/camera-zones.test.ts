import { describe, expect, test } from 'vitest';
import { CameraZones } from '../../../../src/tracking/zones/camera-zones.ts';

/** Of the whole height, from `left` to `right`. */
function strip(name: string, left: number, right: number) {
  const corners = [
    { x: left, y: 0 },
    { x: right, y: 0 },
    { x: right, y: 1 },
    { x: left, y: 1 },
  ];
  return { name, polygon: corners, inertiaMs: 0, ground: null };
}

const foot = (x: number) => ({ x, y: 0.5 });

/** The dock lies in the yard. */
const SITE = [strip('dock', 0.6, 0.8), strip('yard', 0.4, 1), strip('road', 0, 0.4)];

describe('CameraZones', () => {
  test('names the zones of a track in the order of entry, those it has left among the entered', () => {
    const zones = new CameraZones(SITE);
    const ways = [0.2, 0.5, 0.7].map((x, i) => zones.see(1, foot(x), 100 * i));
    expect(ways).toEqual([[], ['road'], []]);
    expect(zones.of(1)).toEqual({ current: ['yard', 'dock'], entered: ['road', 'yard', 'dock'] });
    expect(zones.stays(1)).toEqual({ yard: 100, dock: 200 });
    expect(zones.occupancies).toEqual({ dock: 1, yard: 1, road: 0 });
  });

  test('one that comes back is in it as of now, and entered it when it did first', () => {
    const zones = new CameraZones(SITE);
    for (const [i, x] of [0.2, 0.5, 0.2].entries()) zones.see(1, foot(x), 100 * i);
    expect(zones.of(1)).toEqual({ current: ['road'], entered: ['road', 'yard'] });
    expect(zones.sinceMs(1, 'road')).toBe(200);
  });

  test('a stay from before goes on where the foot still is', () => {
    const zones = new CameraZones(SITE);
    zones.resume(1, foot(0.7), { yard: -5000, road: -9000, gone: -1 });
    expect(zones.of(1)).toEqual({ current: ['yard'], entered: ['yard'] });
    expect(zones.sinceMs(1, 'yard')).toBe(-5000);
  });

  test('of a track that is no more nothing is known, and without zones nothing of any', () => {
    const zones = new CameraZones(SITE);
    zones.see(1, foot(0.7), 0);
    zones.forget(1);
    expect(zones.of(1)).toEqual({ current: [], entered: [] });
    expect(new CameraZones([]).of(1)).toBeNull();
  });
});
