import { describe, expect, test } from 'vitest';
import { isMasked, type ObjectMask } from '../../../../src/tracking/zones/object-mask.ts';

const POSTER: ObjectMask = {
  polygon: [
    { x: 0.5, y: 0.5 },
    { x: 1, y: 0.5 },
    { x: 1, y: 1 },
    { x: 0.5, y: 1 },
  ],
  labels: new Set(['person']),
};

function at(x: number, bottom: number, label = 'person') {
  return { label, box: { x: x - 0.1, y: bottom - 0.3, width: 0.2, height: 0.3 } };
}

describe('isMasked', () => {
  test('what has its foot in a mask is left out, wherever the rest of it is', () => {
    expect(isMasked([POSTER], at(0.75, 0.6))).toBe(true);
    expect(isMasked([POSTER], at(0.75, 0.4))).toBe(false);
    expect(isMasked([POSTER], at(0.45, 0.9))).toBe(false);
  });

  test('a mask holds for its labels, or for all', () => {
    expect(isMasked([POSTER], at(0.75, 0.6, 'car'))).toBe(false);
    expect(isMasked([{ ...POSTER, labels: null }], at(0.75, 0.6, 'car'))).toBe(true);
    expect(isMasked([], at(0.75, 0.6))).toBe(false);
  });
});
