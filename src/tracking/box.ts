import type { BoundingBox } from '../protocol/detection.ts';

/** Less than a pixel of any camera's picture. */
export const SMALLEST_SIDE = 1e-4;

/** Boxes may stick out of the picture a little, never by more than its own size. */
const FARTHEST = 2;

/** Whether a box can be tracked: finite numbers, sides above zero, near the picture. */
export function isUsable(box: BoundingBox): boolean {
  const { x, y, width, height } = box;
  return (
    x >= -1 &&
    y >= -1 &&
    width >= SMALLEST_SIDE &&
    height >= SMALLEST_SIDE &&
    x + width <= FARTHEST &&
    y + height <= FARTHEST
  );
}

/** Intersection over union, 0..1. */
export function iou(a: BoundingBox, b: BoundingBox): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** Distance of the centres, in widths or heights of the picture. */
export function centreDistance(a: BoundingBox, b: BoundingBox): number {
  return Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
}
