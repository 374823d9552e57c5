const STRIDES = [8, 16, 32];
const BINS = 16;

function meanBin(logits: Float32Array, first: number, step: number): number {
  let sum = 0;
  let moment = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const share = Math.exp(logits[first + bin * step]!);
    sum += share;
    moment += share * bin;
  }
  return moment / sum;
}

/**
 * Boxes [4,cells] as centre and size in input pixels, from box logits [64,cells] of one frame: written out
 * slowly and plainly, to compare with what an export computes itself.
 */
export function decodeBoxes(
  logits: Float32Array,
  size: { width: number; height: number },
): Float32Array {
  const cells = logits.length / (4 * BINS);
  const out = new Float32Array(4 * cells);
  let cell = 0;
  for (const stride of STRIDES) {
    for (let row = 0; row < size.height / stride; row++) {
      for (let column = 0; column < size.width / stride; column++) {
        const [left, top, right, bottom] = [0, 1, 2, 3].map((side) =>
          meanBin(logits, side * BINS * cells + cell, cells),
        ) as [number, number, number, number];
        out[cell] = (column + 0.5 + (right - left) / 2) * stride;
        out[cells + cell] = (row + 0.5 + (bottom - top) / 2) * stride;
        out[2 * cells + cell] = (left + right) * stride;
        out[3 * cells + cell] = (top + bottom) * stride;
        cell++;
      }
    }
  }
  return out;
}

export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length} differ`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
