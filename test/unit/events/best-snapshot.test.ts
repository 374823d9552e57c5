import { describe, expect, test } from 'vitest';
import { BestSnapshot, snapshotQuality } from '../../../src/events/best-snapshot.ts';

const BOX = { x: 0.4, y: 0.4, width: 0.1, height: 0.2 };

describe('snapshotQuality', () => {
  test('is higher for a more certain, a larger and a whole object', () => {
    const quality = snapshotQuality(BOX, 0.7);
    expect(snapshotQuality(BOX, 0.9)).toBeGreaterThan(quality);
    expect(snapshotQuality({ ...BOX, height: 0.3 }, 0.7)).toBeGreaterThan(quality);
    for (const cut of [{ x: 0 }, { y: 0 }, { x: 0.9 }, { y: 0.8 }]) {
      expect(snapshotQuality({ ...BOX, ...cut }, 0.7)).toBeLessThan(quality);
    }
  });
});

describe('BestSnapshot', () => {
  test('asks at once, then for what is a tenth better, at most once a second', () => {
    const best = new BestSnapshot();
    expect(best.isWorthIt(1, 0)).toBe(true);
    expect(best.isWorthIt(2, 900)).toBe(false);
    expect(best.isWorthIt(1.05, 1000)).toBe(false);
    expect(best.isWorthIt(1.2, 1200)).toBe(true);
    expect(best.isWorthIt(1.3, 9000)).toBe(false);
  });

  test('asks again when the picture could not be had', () => {
    const best = new BestSnapshot();
    best.isWorthIt(1, 0);
    best.missed();
    expect(best.isWorthIt(0.5, 500)).toBe(false);
    expect(best.isWorthIt(0.5, 1000)).toBe(true);
    best.saved();
    best.isWorthIt(2, 2000);
    best.missed();
    expect(best.isWorthIt(0.52, 3000)).toBe(false);
    expect(best.isWorthIt(0.6, 3000)).toBe(true);
  });
});
