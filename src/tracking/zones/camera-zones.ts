import type { Point } from './geometry.ts';
import { ZonePresence, type ZoneSpec } from './zone-presence.ts';

/** Names of zones, in the order of their entry. */
export interface TrackZones {
  /** It is in them; where it was seen last. */
  readonly current: readonly string[];
  /** It is or was in them since its track began. */
  readonly entered: readonly string[];
}

/** All zones of one camera, and which track is in which. */
export class CameraZones {
  readonly #zones: ReadonlyMap<string, ZonePresence>;

  constructor(specs: readonly ZoneSpec[]) {
    this.#zones = new Map(specs.map((spec) => [spec.name, new ZonePresence(spec)]));
  }

  get names(): readonly string[] {
    return [...this.#zones.keys()];
  }

  /** Tracks in each zone. */
  get occupancies(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#zones].map(([name, zone]) => [name, zone.occupancy]));
  }

  /** A track was seen with its foot there. Returns the zones that it has left. */
  see(trackId: number, foot: Point, monoMs: number): string[] {
    return [...this.#zones]
      .filter(([, zone]) => zone.see(trackId, foot, monoMs) === 'left')
      .map(([name]) => name);
  }

  /** A track goes on with stays from before, in the zones that its foot is in. @param stays since when, by zone */
  resume(trackId: number, foot: Point, stays: Readonly<Record<string, number>>): void {
    for (const [name, sinceMs] of Object.entries(stays))
      this.#zones.get(name)?.resume(trackId, foot, sinceMs);
  }

  /** By zone that a track is in: monotonic time of its first sighting there. */
  stays(trackId: number): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#times((zone) => zone.sinceMs(trackId)));
  }

  /** Monotonic time since which a track is in a zone; null where it is not. */
  sinceMs(trackId: number, name: string): number | null {
    return this.#zones.get(name)?.sinceMs(trackId) ?? null;
  }

  /** How fast a track is in a zone, kilometres per hour; null where that is not known. */
  kmh(trackId: number, name: string): number | null {
    return this.#zones.get(name)?.kmh(trackId) ?? null;
  }

  /** Null where the camera has no zones. */
  of(trackId: number): TrackZones | null {
    if (this.#zones.size === 0) return null;
    const inOrder = (times: readonly (readonly [string, number])[]): string[] =>
      [...times].sort(([, a], [, b]) => a - b).map(([name]) => name);
    return {
      current: inOrder(this.#times((zone) => zone.sinceMs(trackId))),
      entered: inOrder(this.#times((zone) => zone.firstInMs(trackId))),
    };
  }

  /** The track is no more. */
  forget(trackId: number): void {
    for (const zone of this.#zones.values()) zone.forget(trackId);
  }

  /** By zone, where there is one. */
  #times(timeOf: (zone: ZonePresence) => number | null): (readonly [string, number])[] {
    return [...this.#zones].flatMap(([name, zone]) => {
      const time = timeOf(zone);
      return time === null ? [] : [[name, time] as const];
    });
  }
}
