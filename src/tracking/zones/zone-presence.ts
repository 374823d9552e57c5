import { isInside, type Point } from './geometry.ts';
import type { GroundPlane } from './ground-plane.ts';
import { SpeedGauge } from './speed-gauge.ts';

export interface ZoneSpec {
  readonly name: string;
  /** At least three corners. */
  readonly polygon: readonly Point[];
  /** For so long the foot point has to be within, or out again, before that counts. Milliseconds. */
  readonly inertiaMs: number;
  /** The ground within it, where that was measured; else null. */
  readonly ground: GroundPlane | null;
}

interface Presence {
  isIn: boolean;
  /** Since when it has been so; of what counts. */
  sinceMs: number;
  /** First sighting of the contrary, since the last one that agrees. */
  contraryMs: number | null;
  /** Since when it was in for the first time; null for a track that never was. */
  firstInMs: number | null;
}

/** Who is in a zone. A box that trembles at the edge does not go in and out with every frame. */
export class ZonePresence {
  readonly spec: ZoneSpec;
  readonly #presences = new Map<number, Presence>();
  readonly #speeds: SpeedGauge | null;

  constructor(spec: ZoneSpec) {
    this.spec = spec;
    this.#speeds = spec.ground && new SpeedGauge(spec.ground);
  }

  /** Tracks that are in it. */
  get occupancy(): number {
    return [...this.#presences.values()].filter(({ isIn }) => isIn).length;
  }

  /** A track was seen with its foot there. Returns what that changes. */
  see(trackId: number, foot: Point, monoMs: number): 'entered' | 'left' | null {
    const presence = this.#presences.get(trackId) ?? {
      ...{ isIn: false, sinceMs: monoMs, contraryMs: null, firstInMs: null },
    };
    this.#presences.set(trackId, presence);
    const isThere = isInside(this.spec.polygon, foot);
    if (isThere) this.#speeds?.see(trackId, foot, monoMs);
    else this.#speeds?.forget(trackId);
    if (isThere === presence.isIn) {
      presence.contraryMs = null;
      return null;
    }
    presence.contraryMs ??= monoMs;
    if (monoMs - presence.contraryMs < this.spec.inertiaMs) return null;
    presence.isIn = !presence.isIn;
    presence.sinceMs = presence.contraryMs;
    presence.contraryMs = null;
    if (presence.isIn) presence.firstInMs ??= presence.sinceMs;
    return presence.isIn ? 'entered' : 'left';
  }

  /** A track whose foot is in the zone goes on with a stay from before. @param sinceMs of that stay */
  resume(trackId: number, foot: Point, sinceMs: number): void {
    if (!isInside(this.spec.polygon, foot)) return;
    const resumed = { isIn: true, sinceMs, contraryMs: null, firstInMs: sinceMs };
    this.#presences.set(trackId, resumed);
  }

  /** Monotonic time of its first sighting in the zone; null for a track that is not in it. */
  sinceMs(trackId: number): number | null {
    const presence = this.#presences.get(trackId);
    return presence?.isIn ? presence.sinceMs : null;
  }

  /** Monotonic time of the first sighting of its first stay; null for a track that was never in. */
  firstInMs(trackId: number): number | null {
    return this.#presences.get(trackId)?.firstInMs ?? null;
  }

  /** How fast a track is in the zone, kilometres per hour; null where that is not known. */
  kmh(trackId: number): number | null {
    return this.#speeds?.kmh(trackId) ?? null;
  }

  /** The track is no more. */
  forget(trackId: number): void {
    this.#speeds?.forget(trackId);
    this.#presences.delete(trackId);
  }
}
