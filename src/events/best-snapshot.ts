import type { BoundingBox } from '../protocol/detection.ts';

/** A picture is asked for again only when it is better by this factor, and not more often than this. */
const BETTER = 1.1;
const INTERVAL_MS = 1000;
/** A box that ends at the edge of the picture shows part of the object. */
const EDGE = 0.005;
const CLIPPED = 0.5;

/** How well a frame shows an object: certain, large and whole is best. */
export function snapshotQuality(box: BoundingBox, score: number): number {
  const isClipped =
    box.x <= EDGE ||
    box.y <= EDGE ||
    box.x + box.width >= 1 - EDGE ||
    box.y + box.height >= 1 - EDGE;
  return score * box.width * box.height * (isClipped ? CLIPPED : 1);
}

/** Decides for one event which frames are worth a picture. */
export class BestSnapshot {
  /** Quality of the best frame asked for, and of the best picture there is. */
  #asked = 0;
  #kept = 0;
  #askedMs = Number.NEGATIVE_INFINITY;

  /** Whether this frame's picture is to be fetched; counts as asked for when it is. */
  isWorthIt(quality: number, monoMs: number): boolean {
    if (monoMs - this.#askedMs < INTERVAL_MS || quality <= this.#asked * BETTER) return false;
    this.#asked = quality;
    this.#askedMs = monoMs;
    return true;
  }

  saved(): void {
    this.#kept = this.#asked;
  }

  /** The picture could not be had: the next frame need only be better than what there is. */
  missed(): void {
    this.#asked = this.#kept;
  }
}
