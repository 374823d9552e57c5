import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign } from '../../../src/tracking/assignment.ts';

function matrix(rows: number[][], columns = rows[0]?.length ?? 0) {
  return { rows: rows.length, columns, costs: Float64Array.from(rows.flat()) };
}

function total(rows: number[][], columns: readonly number[], unmatchedCost: number): number {
  return columns.reduce(
    (sum, column, row) => sum + (column < 0 ? unmatchedCost : (rows[row]?.[column] ?? Number.NaN)),
    0,
  );
}

/** The least total by trying everything. */
function leastTotal(rows: number[][], unmatchedCost: number, taken = new Set<number>()): number {
  const [first, ...rest] = rows;
  if (first === undefined) return 0;
  let least = unmatchedCost + leastTotal(rest, unmatchedCost, taken);
  first.forEach((cost, column) => {
    if (taken.has(column) || !(cost < Number.POSITIVE_INFINITY)) return;
    least = Math.min(least, cost + leastTotal(rest, unmatchedCost, new Set([...taken, column])));
  });
  return least;
}

const cost = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -5, max: 30 }).map((n) => n / 10) },
  { weight: 3, arbitrary: fc.double({ min: -1, max: 3, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.POSITIVE_INFINITY, Number.NaN) },
);
const anyMatrix = fc
  .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 6 }))
  .chain(([rows, columns]) =>
    fc.array(fc.array(cost, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );

describe('assign', () => {
  test('gives up the nearest pair where that makes the whole cheaper', () => {
    expect([
      ...assign(
        matrix([
          [0.1, 0.2],
          [0.15, 0.9],
        ]),
        1,
      ),
    ]).toEqual([1, 0]);
  });

  test('leaves a row without partner rather than pair it above the limit', () => {
    expect([
      ...assign(
        matrix([
          [0.4, 2],
          [0.5, 3],
        ]),
        1,
      ),
    ]).toEqual([0, -1]);
  });

  test('never pairs what is forbidden', () => {
    expect([...assign(matrix([[Number.NaN, Number.POSITIVE_INFINITY]]), 1)]).toEqual([-1]);
  });

  test('has nothing to pair without rows or columns', () => {
    expect([...assign(matrix([], 3), 1)]).toEqual([]);
    expect([...assign(matrix([[], []]), 1)]).toEqual([-1, -1]);
  });

  test('finds the least total that trying everything finds', () => {
    fc.assert(
      fc.property(anyMatrix, fc.double({ min: 0, max: 2, noNaN: true }), (rows, limit) => {
        const columns = [...assign(matrix(rows), limit)];
        const used = columns.filter((column) => column >= 0);
        expect(new Set(used).size).toBe(used.length);
        expect(total(rows, columns, limit)).toBeCloseTo(leastTotal(rows, limit), 9);
      }),
      { numRuns: 500 },
    );
  });
});
