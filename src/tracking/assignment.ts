/** Costs of pairing each row with each column, row by row. Infinity and NaN forbid a pair. */
export interface CostMatrix {
  rows: number;
  columns: number;
  costs: Float64Array;
}

/**
 * Optimal assignment: pairs rows with columns so that the costs of the pairs plus `unmatchedCost` for every row
 * without one are the least possible. So no pair costs more than `unmatchedCost`.
 *
 * Shortest augmenting paths after Jonker and Volgenant (1987), in the rectangular form of Crouse: On implementing
 * 2D rectangular assignment algorithms (2016), without their initial reduction, which does not pay at these sizes.
 * Every row has one more column to itself, which stands for no partner. O(rows^2 * (rows + columns)).
 *
 * @returns the column of each row, -1 for none
 */
export function assign(matrix: CostMatrix, unmatchedCost: number): Int32Array {
  const search = new PathSearch(matrix, unmatchedCost);
  for (let row = 0; row < matrix.rows; row++) search.augment(row);
  return search.columnOfRow.map((column) => (column < matrix.columns ? column : -1));
}

class PathSearch {
  readonly columnOfRow: Int32Array;
  readonly #matrix: CostMatrix;
  readonly #unmatchedCost: number;
  readonly #width: number;
  readonly #rowOfColumn: Int32Array;
  readonly #rowPotential: Float64Array;
  readonly #columnPotential: Float64Array;
  // Of the search under way: the shortest path to each column, the row it comes through, columns settled.
  readonly #distance: Float64Array;
  readonly #from: Int32Array;
  readonly #settled: Uint8Array;

  constructor(matrix: CostMatrix, unmatchedCost: number) {
    const width = matrix.columns + matrix.rows;
    this.#matrix = matrix;
    this.#unmatchedCost = unmatchedCost;
    this.#width = width;
    this.columnOfRow = new Int32Array(matrix.rows).fill(-1);
    this.#rowOfColumn = new Int32Array(width).fill(-1);
    this.#rowPotential = new Float64Array(matrix.rows);
    this.#columnPotential = new Float64Array(width);
    this.#distance = new Float64Array(width);
    this.#from = new Int32Array(width);
    this.#settled = new Uint8Array(width);
  }

  /** Gives the row a column, moving earlier rows to others where that is cheaper. */
  augment(start: number): void {
    this.#distance.fill(Number.POSITIVE_INFINITY);
    this.#settled.fill(0);
    let row = start;
    let length = 0;
    let free = -1;
    while (free < 0) {
      this.#relax(row, length);
      const column = this.#nearest();
      length = this.#distance[column] as number;
      this.#settled[column] = 1;
      const holder = this.#rowOfColumn[column] as number;
      if (holder < 0) free = column;
      else row = holder;
    }
    this.#adjustPotentials(start, length);
    this.#flip(start, free);
  }

  #cost(row: number, column: number): number {
    const { columns, costs } = this.#matrix;
    if (column < columns) return costs[row * columns + column] as number;
    return column === columns + row ? this.#unmatchedCost : Number.POSITIVE_INFINITY;
  }

  #relax(row: number, length: number): void {
    const base = length - (this.#rowPotential[row] as number);
    for (let column = 0; column < this.#width; column++) {
      if (this.#settled[column] === 1) continue;
      const distance = base + this.#cost(row, column) - (this.#columnPotential[column] as number);
      // A forbidden pair (Infinity, NaN) never compares as less.
      if (distance < (this.#distance[column] as number)) {
        this.#distance[column] = distance;
        this.#from[column] = row;
      }
    }
  }

  #nearest(): number {
    let nearest = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let column = 0; column < this.#width; column++) {
      if (this.#settled[column] === 1) continue;
      const distance = this.#distance[column] as number;
      const isFree = (this.#rowOfColumn[column] as number) < 0;
      // At a tie a free column ends the search.
      if (distance < least || (distance === least && nearest >= 0 && isFree)) {
        least = distance;
        nearest = column;
      }
    }
    return nearest;
  }

  #adjustPotentials(start: number, length: number): void {
    this.#rowPotential[start] = (this.#rowPotential[start] as number) + length;
    for (let column = 0; column < this.#width; column++) {
      if (this.#settled[column] === 0) continue;
      const slack = length - (this.#distance[column] as number);
      this.#columnPotential[column] = (this.#columnPotential[column] as number) - slack;
      const row = this.#rowOfColumn[column] as number;
      if (row >= 0) this.#rowPotential[row] = (this.#rowPotential[row] as number) + slack;
    }
  }

  #flip(start: number, free: number): void {
    let column = free;
    for (;;) {
      const row = this.#from[column] as number;
      const before = this.columnOfRow[row] as number;
      this.#rowOfColumn[column] = row;
      this.columnOfRow[row] = column;
      if (row === start) return;
      column = before;
    }
  }
}
