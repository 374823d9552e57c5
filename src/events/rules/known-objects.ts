import { type BoundingBox, detectionType } from '../../protocol/detection.ts';
import { iou } from '../../tracking/box.ts';
import type { Track } from '../../tracking/types.ts';

/** A box that overlaps by so much with one before is in the same place. */
const SAME_PLACE = 0.6;
/** A track that begins within so long after the first frame may be what was there before. */
const CLAIM_MS = 20_000;
/** What nobody claimed by then is gone. Frames may be minutes apart, and a track is confirmed by the third. */
const FORGET_MS = 600_000;
/** After such a gap anything in the same place is the same; after more, up to the longest, what has stood still. */
const SHORT_GAP_MS = 45_000;
const LONGEST_GAP_MS = 12 * 3_600_000;
const STILL_MS = 60_000;
/** Of one camera. */
const MOST = 256;

/** An object that was in view, and what was told of it. Times are monotonic. */
export interface KnownObject {
  readonly label: string;
  readonly box: BoundingBox;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Since when it has been in that place. */
  readonly stillSinceMs: number;
  /** By zone that it is in: since when. */
  readonly zones: Readonly<Record<string, number>>;
  /** Rules that fired for its stay, with the zone; null for the whole picture. */
  readonly told: readonly (readonly [rule: string, zone: string | null])[];
}

/** Objects from before an interruption, for tracks that go on with them. Pure: time comes in. */
export class KnownObjects {
  #objects: readonly KnownObject[];
  /** Time of the first frame since the interruption. */
  #firstMs: number | null = null;
  /** Something was in view before it. */
  #isAwaiting: boolean;

  constructor(objects: readonly KnownObject[]) {
    this.#objects = objects;
    this.#isAwaiting = objects.length > 0;
  }

  /** What nobody has claimed. */
  get unclaimed(): readonly KnownObject[] {
    return this.#objects;
  }

  /** A frame came. @returns whether objects from before can still turn up */
  frame(monoMs: number): boolean {
    this.#firstMs ??= monoMs;
    if (monoMs - this.#firstMs > FORGET_MS) this.#objects = [];
    return this.#isAwaiting && monoMs - this.#firstMs <= CLAIM_MS;
  }

  /** The next frame is the first after an interruption: these were in view. */
  interrupted(objects: readonly KnownObject[]): void {
    this.#objects = [...this.#objects, ...objects].slice(-MOST);
    this.#firstMs = null;
    this.#isAwaiting = this.#objects.length > 0;
  }

  /** The object that a new track goes on with; it is nobody else's then. */
  claim(track: Track): KnownObject | null {
    if (this.#objects.length === 0 || this.#firstMs === null) return null;
    if (track.firstSeenMs - this.#firstMs > CLAIM_MS) return null;
    let best: KnownObject | null = null;
    let most = SAME_PLACE;
    for (const object of this.#objects) {
      const overlap = isSame(object, track) ? iou(object.box, track.firstBox) : 0;
      if (overlap < most) continue;
      best = object;
      most = overlap;
    }
    if (best !== null) this.#objects = this.#objects.filter((each) => each !== best);
    return best;
  }
}

function isSame({ label, lastSeenMs, stillSinceMs }: KnownObject, track: Track): boolean {
  if (detectionType(label) !== detectionType(track.label)) return false;
  const gapMs = track.firstSeenMs - lastSeenMs;
  // Frames of a clip have a time of their own, which may begin anew.
  if (gapMs < 0 || gapMs > LONGEST_GAP_MS) return false;
  return gapMs <= SHORT_GAP_MS || lastSeenMs - stillSinceMs >= STILL_MS;
}

/** Since when each track has been in one place. */
export class Stillness {
  readonly #places = new Map<number, { readonly box: BoundingBox; readonly sinceMs: number }>();

  /** @returns monotonic time since which the track has not moved from its place */
  see({ id, box, lastSeenMs }: Track): number {
    const place = this.#places.get(id);
    if (place !== undefined && iou(place.box, box) >= SAME_PLACE) return place.sinceMs;
    this.#places.set(id, { box, sinceMs: lastSeenMs });
    return lastSeenMs;
  }

  /** The track goes on with an object that has stood there before. */
  resume({ id, box }: Track, sinceMs: number): void {
    this.#places.set(id, { box, sinceMs });
  }

  forget(trackId: number): void {
    this.#places.delete(trackId);
  }
}
