import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placeBatch } from '../../../src/hub/store/placement.ts';

const message = (seq: number) => ({ seq, toSeq: seq });

describe('placement of a batch in its stream', () => {
  test('takes what follows the high-water mark', () => {
    const placed = placeBatch(48, [message(49), message(50)]);
    expect(placed.accepted.map(({ item }) => item.seq)).toEqual([49, 50]);
    expect(placed).toMatchObject({ ackedThrough: 50, duplicates: [], expectedSeq: null });
  });

  test('acknowledges duplicates again and takes the rest', () => {
    const placed = placeBatch(49, [message(48), message(49), message(50)]);
    expect(placed).toMatchObject({ ackedThrough: 50, expectedSeq: null });
    expect(placed.duplicates.map(({ item }) => item.seq)).toEqual([48, 49]);
    expect(placed.accepted).toEqual([{ index: 2, item: message(50) }]);
  });

  test('stops at a hole and names the number that should have come', () => {
    const placed = placeBatch(48, [message(49), message(51), message(52)]);
    expect(placed).toMatchObject({ ackedThrough: 49, expectedSeq: 50 });
    expect(placed.accepted).toHaveLength(1);
  });

  test('a gap moves the mark over its whole range', () => {
    const placed = placeBatch(49, [{ seq: 50, toSeq: 61 }, message(62)]);
    expect(placed).toMatchObject({ ackedThrough: 62, expectedSeq: null });
  });

  test('a gap that overlaps stored messages keeps to what is missing', () => {
    const placed = placeBatch(55, [{ seq: 50, toSeq: 61 }]);
    expect(placed.accepted).toEqual([{ index: 0, item: { seq: 56, toSeq: 61 } }]);
  });

  test('however batches are cut and repeated, every number is taken once and in order', () => {
    const slices = fc.array(fc.tuple(fc.nat(40), fc.nat(20)), { maxLength: 60 });
    fc.assert(
      fc.property(slices, (cuts) => {
        let through = 0;
        const taken: number[] = [];
        for (const [start, length] of cuts) {
          const items = Array.from({ length }, (_, index) => message(start + index + 1));
          const placed = placeBatch(through, items);
          taken.push(...placed.accepted.map(({ item }) => item.seq));
          through = placed.ackedThrough;
        }
        expect(taken).toEqual(Array.from({ length: through }, (_, index) => index + 1));
      }),
    );
  });
});
