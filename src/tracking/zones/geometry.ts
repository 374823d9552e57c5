import type { BoundingBox } from '../../protocol/detection.ts';

/** A place in the picture: shares of its width and height, origin top left. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where an object touches the ground: the middle of the lower edge of its box. */
export function footPoint({ x, y, width, height }: BoundingBox): Point {
  return { x: x + width / 2, y: y + height };
}

/**
 * Whether a point lies in a polygon, by the even-odd rule (a ray to the right crosses an odd number of edges). Of
 * polygons that share an edge, a point on it lies in one.
 */
export function isInside(polygon: readonly Point[], { x, y }: Point): boolean {
  let isIn = false;
  let previous = polygon.at(-1);
  for (const corner of polygon) {
    if (previous !== undefined && corner.y > y !== previous.y > y) {
      const share = (y - corner.y) / (previous.y - corner.y);
      if (x < corner.x + share * (previous.x - corner.x)) isIn = !isIn;
    }
    previous = corner;
  }
  return isIn;
}

/**
 * On which side of the line through `from` and `to` a point lies, and how far from it: above zero to the right of who
 * looks from `from` to `to` in the picture, below zero to the left. In shares of the picture.
 */
export function offsetFrom(from: Point, to: Point, point: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  return (dx * (point.y - from.y) - dy * (point.x - from.x)) / Math.hypot(dx, dy);
}

/** Whether two stretches have a point in common; the ends count. */
export function doCross(a: readonly [Point, Point], b: readonly [Point, Point]): boolean {
  const sides = ([from, to]: readonly [Point, Point], [p, q]: readonly [Point, Point]) =>
    Math.sign(offsetFrom(from, to, p)) * Math.sign(offsetFrom(from, to, q));
  return sides(a, b) <= 0 && sides(b, a) <= 0;
}
