import type { BoundingBox } from '../../protocol/detection.ts';
import { footPoint, isInside, type Point } from './geometry.ts';

/** A part of the picture in which nothing is an object: a poster, a mirror, a road behind the fence. */
export interface ObjectMask {
  readonly polygon: readonly Point[];
  /** Labels that it holds for; null for all. */
  readonly labels: ReadonlySet<string> | null;
}

/** Whether a detection has its foot in a mask that holds for its label. */
export function isMasked(
  masks: readonly ObjectMask[],
  { label, box }: { readonly label: string; readonly box: BoundingBox },
): boolean {
  if (masks.length === 0) return false;
  const foot = footPoint(box);
  return masks.some(
    ({ labels, polygon }) => (labels?.has(label) ?? true) && isInside(polygon, foot),
  );
}
