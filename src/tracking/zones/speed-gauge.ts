import type { Point } from './geometry.ts';
import type { GroundPlane } from './ground-plane.ts';

/** Sightings that count: the newest of so long. */
const WINDOW_MS = 1500;
/** A speed is told from so long on: a trembling box is fast for a moment. */
const LEAST_MS = 600;
const LEAST_SIGHTINGS = 3;
const KMH_OF_MS = 3.6;

interface Sighting {
  readonly monoMs: number;
  readonly place: Point;
}

/** How fast objects are on the ground: the slope of the line through their newest places, by least squares. */
export class SpeedGauge {
  readonly #plane: GroundPlane;
  readonly #tracks = new Map<number, Sighting[]>();

  constructor(plane: GroundPlane) {
    this.#plane = plane;
  }

  /** A track was seen with its foot there. */
  see(trackId: number, foot: Point, monoMs: number): void {
    const place = this.#plane.place(foot);
    if (place === null) return;
    const newest = (this.#tracks.get(trackId) ?? []).filter(
      (sighting) => monoMs - sighting.monoMs <= WINDOW_MS,
    );
    this.#tracks.set(trackId, [...newest, { monoMs, place }]);
  }

  /** Kilometres per hour; null where it was not seen for long enough. */
  kmh(trackId: number): number | null {
    const sightings = this.#tracks.get(trackId) ?? [];
    const [first, last] = [sightings[0], sightings.at(-1)];
    if (first === undefined || last === undefined || sightings.length < LEAST_SIGHTINGS)
      return null;
    if (last.monoMs - first.monoMs < LEAST_MS) return null;
    const slope = (of: (sighting: Sighting) => number): number => slopeOf(sightings, of);
    // Metres per millisecond.
    const speed = Math.hypot(
      slope(({ place }) => place.x),
      slope(({ place }) => place.y),
    );
    return speed * 1000 * KMH_OF_MS;
  }

  /** The track is no more, or has left. */
  forget(trackId: number): void {
    this.#tracks.delete(trackId);
  }
}

function slopeOf(sightings: readonly Sighting[], of: (sighting: Sighting) => number): number {
  const count = sightings.length;
  const meanMs = sightings.reduce((sum, { monoMs }) => sum + monoMs, 0) / count;
  const mean = sightings.reduce((sum, sighting) => sum + of(sighting), 0) / count;
  let [covariance, variance] = [0, 0];
  for (const sighting of sightings) {
    const sinceMs = sighting.monoMs - meanMs;
    covariance += sinceMs * (of(sighting) - mean);
    variance += sinceMs * sinceMs;
  }
  return variance > 0 ? covariance / variance : 0;
}
