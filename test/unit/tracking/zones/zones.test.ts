import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineCrossing } from '../../../../src/tracking/zones/line-crossing.ts';
import { ZonePresence } from '../../../../src/tracking/zones/zone-presence.ts';

const HALF = [
  { x: 0, y: 0 },
  { x: 0.5, y: 0 },
  { x: 0.5, y: 1.1 },
  { x: 0, y: 1.1 },
];
const IN = { x: 0.2, y: 0.5 };
const OUT = { x: 0.8, y: 0.5 };

function zone(inertiaMs = 500): ZonePresence {
  return new ZonePresence({ name: 'yard', polygon: HALF, inertiaMs, ground: null });
}

describe('ZonePresence', () => {
  test('begins with the first sighting within, once the inertia is over', () => {
    const yard = zone();
    expect([0, 200, 400].map((ms) => yard.see(1, IN, ms))).toEqual([null, null, null]);
    expect(yard.sinceMs(1)).toBeNull();
    expect(yard.see(1, IN, 600)).toBe('entered');
    expect(yard.sinceMs(1)).toBe(0);
    expect(yard.occupancy).toBe(1);
  });

  test('outlasts steps over the edge that are shorter than the inertia', () => {
    const yard = zone();
    yard.see(1, IN, 0);
    yard.see(1, IN, 500);
    for (const ms of [600, 900, 1000]) expect(yard.see(1, OUT, ms)).toBeNull();
    expect(yard.see(1, IN, 1050)).toBeNull();
    expect(yard.see(1, OUT, 1200)).toBeNull();
    expect(yard.sinceMs(1)).toBe(0);
    expect(yard.see(1, OUT, 1700)).toBe('left');
    expect([yard.sinceMs(1), yard.occupancy]).toEqual([null, 0]);
  });

  test('is of each track for itself, and ends with it', () => {
    const yard = zone(0);
    expect([yard.see(1, IN, 0), yard.see(2, IN, 0), yard.see(3, OUT, 0)]).toEqual([
      'entered',
      'entered',
      null,
    ]);
    yard.forget(1);
    expect([yard.occupancy, yard.sinceMs(1), yard.sinceMs(2)]).toEqual([1, null, 0]);
  });

  test('however a track moves, it enters and leaves in turn, never sooner than the inertia after the last change', () => {
    const walk = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 400 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(walk, fc.integer({ min: 1, max: 1000 }), (steps, inertiaMs) => {
        const yard = zone(inertiaMs);
        const at = steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, [, ms]) => sum + ms, 0));
        const changes = steps.flatMap(([goesIn], i) => {
          const nowMs = at[i] ?? 0;
          const change = yard.see(7, goesIn ? IN : OUT, nowMs);
          return change === null ? [] : [{ change, nowMs, sinceMs: yard.sinceMs(7) ?? 0 }];
        });
        expect(changes.map(({ change }) => change)).toEqual(
          changes.map((_, i) => (i % 2 === 0 ? 'entered' : 'left')),
        );
        for (const [i, { change, nowMs, sinceMs }] of changes.entries()) {
          expect(nowMs - (changes[i - 1]?.nowMs ?? -1e9)).toBeGreaterThanOrEqual(inertiaMs);
          if (change === 'entered') expect(nowMs - sinceMs).toBeGreaterThanOrEqual(inertiaMs);
        }
        expect(yard.occupancy).toBe(changes.length % 2);
      }),
    );
  });
});

describe('LineCrossing', () => {
  const line = () =>
    new LineCrossing({ name: 'door', from: { x: 0.5, y: 0.2 }, to: { x: 0.5, y: 1 } });

  test('counts a way across, with its direction', () => {
    const door = line();
    expect([0.2, 0.4, 0.6, 0.7].map((x) => door.see(1, { x, y: 0.5 }))).toEqual([
      null,
      null,
      'left',
      null,
    ]);
    expect(door.see(1, { x: 0.3, y: 0.5 })).toBe('right');
    expect(door.counts).toEqual({ left: 1, right: 1 });
  });

  test('does not count who trembles on it, turns back at it, or walks around its end', () => {
    const door = line();
    for (const x of [0.4, 0.495, 0.505, 0.499, 0.502, 0.4]) door.see(1, { x, y: 0.5 });
    for (const x of [0.4, 0.6]) door.see(2, { x, y: 0.1 });
    expect(door.counts).toEqual({ left: 0, right: 0 });
  });

  test('of one that is first seen on the other side nothing is known', () => {
    const door = line();
    door.see(1, { x: 0.4, y: 0.5 });
    door.forget(1);
    expect(door.see(1, { x: 0.6, y: 0.5 })).toBeNull();
  });

  test('across a line through the whole picture, crossings are the changes of side', () => {
    const wall = { name: 'wall', from: { x: 0.5, y: -1 }, to: { x: 0.5, y: 2 } };
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(share, share), { minLength: 1, maxLength: 50 }), (walk) => {
        const crossing = new LineCrossing(wall);
        for (const [x, y] of walk) crossing.see(1, { x, y });
        const sides = walk.map(([x]) => x - 0.5).filter((off) => Math.abs(off) >= 0.01);
        const changes = sides.filter((off, i) => i > 0 && off > 0 !== (sides[i - 1] ?? 0) > 0);
        const { left, right } = crossing.counts;
        expect(left + right).toBe(changes.length);
        expect(Math.abs(left - right)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
