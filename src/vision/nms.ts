import type { Candidates } from './candidates.ts';

/** Boxes of one class that overlap more than this are one object. */
const SAME_OBJECT_IOU = 0.45;
/** More objects than anyone can use; bounds the work on a picture of noise. */
const MOST_OBJECTS = 300;

/**
 * Greedy non-maximum suppression, class by class: of boxes that overlap, the one with the highest score stays.
 *
 * @returns indices of the candidates that stay, highest score first
 */
export function suppressOverlaps(candidates: Candidates): number[] {
  const { scores, classes, boxes } = candidates;
  const order = Array.from({ length: candidates.count }, (_, index) => index);
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const kept: number[] = [];
  for (const index of order) {
    const isSeen = kept.some(
      (other) =>
        classes[other] === classes[index] && overlap(boxes, other, index) > SAME_OBJECT_IOU,
    );
    if (!isSeen) kept.push(index);
    if (kept.length === MOST_OBJECTS) break;
  }
  return kept;
}

/** Intersection over union of two boxes, 0..1. */
function overlap(boxes: Float32Array, a: number, b: number): number {
  const ax1 = boxes[4 * a] as number;
  const ay1 = boxes[4 * a + 1] as number;
  const ax2 = boxes[4 * a + 2] as number;
  const ay2 = boxes[4 * a + 3] as number;
  const bx1 = boxes[4 * b] as number;
  const by1 = boxes[4 * b + 1] as number;
  const bx2 = boxes[4 * b + 2] as number;
  const by2 = boxes[4 * b + 3] as number;
  const width = Math.min(ax2, bx2) - Math.max(ax1, bx1);
  const height = Math.min(ay2, by2) - Math.max(ay1, by1);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - both);
}
