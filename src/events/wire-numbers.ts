import type { BoundingBox } from '../protocol/detection.ts';

/** Scores to three decimals. */
export function wireScore(score: number): number {
  return Math.round(score * 1000) / 1000;
}

/** Boxes to four decimals: less than half a pixel of a 4K picture, and a third of the bytes. */
export function wireBox(box: BoundingBox): BoundingBox {
  const short = (value: number) => Math.round(value * 10_000) / 10_000;
  return {
    x: short(box.x),
    y: short(box.y),
    width: short(box.width),
    height: short(box.height),
  };
}
