import { type BoundingBox, detectionType } from '../protocol/detection.ts';
import type { EventIdentity, ObjectEvent } from '../protocol/payloads.ts';
import { iou } from '../tracking/box.ts';
import type { Track } from '../tracking/types.ts';
import type { TrackZones } from '../tracking/zones/camera-zones.ts';
import { wireBox, wireScore } from './wire-numbers.ts';

export type EndReason = NonNullable<ObjectEvent['end_reason']>;

/** Overlap with the box told last, below which the object has moved. */
const MOVED_IOU = 0.8;
const SCORE_STEP = 0.05;

export interface UpdateIntervals {
  /** Changes are told no more often than this. */
  updateIntervalMs: number;
  /** Without a change an event is told again after this, so that its last-seen time is never far off. */
  aliveIntervalMs: number;
}

/** A frame in which the object was seen. */
export interface Sighting {
  readonly track: Track;
  /** Null where the camera has no zones. */
  readonly zones: TrackZones | null;
  /** Of the frame. */
  readonly monoMs: number;
}

/**
 * One object's stay in view, from its confirmation to its end.
 *
 * Only the start is taken from the wall clock; all later times are the start plus monotonic time passed, so a
 * clock set in between bends no duration.
 */
export class LiveEvent {
  readonly id: string;
  readonly #cameraId: string;
  readonly #model: string;
  readonly #startTime: number;
  #track: Track;
  #zones: TrackZones | null = null;
  /** In the picture that is kept; null where none is. */
  #snapshotBox: BoundingBox | null = null;
  #identity: EventIdentity | null = null;
  #isUnknown = false;
  /** What was told of it last; null before its first sighting. */
  #told: ObjectEvent | null = null;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(start: {
    id: string;
    cameraId: string;
    model: string;
    /** Wall clock when the track was first seen, in milliseconds. */
    startTime: number;
    track: Track;
  }) {
    this.id = start.id;
    this.#cameraId = start.cameraId;
    this.#model = start.model;
    this.#startTime = start.startTime;
    this.#track = start.track;
  }

  /** @param box where the object is in the picture */
  snapshotSaved(box: BoundingBox): void {
    this.#snapshotBox = box;
  }

  /** Its face was compared; who it is, is told with the next sighting. @param identity of a known person */
  identified(identity: EventIdentity | null, isUnknown: boolean): void {
    this.#identity = identity;
    this.#isUnknown = isUnknown;
  }

  /** Whether the face was compared and is nobody's that is known. */
  get isUnknown(): boolean {
    return this.#isUnknown;
  }

  get identity(): EventIdentity | null {
    return this.#identity;
  }

  /** The object was seen; returns its beginning at first, then an update when there is something to tell. */
  see({ track, zones, monoMs }: Sighting, intervals: UpdateIntervals): ObjectEvent | null {
    this.#track = track;
    this.#zones = zones;
    const told = this.#told;
    if (told !== null && !this.#isWorthTelling(told, monoMs - this.#toldMs, intervals)) return null;
    this.#told = this.#payload(told === null ? 'new' : 'update', monoMs);
    this.#toldMs = monoMs;
    return this.#told;
  }

  end(reason: EndReason, monoMs: number): ObjectEvent {
    const event = this.#payload('end', Math.max(monoMs, this.#track.lastSeenMs));
    return { ...event, end_time: event.last_seen_time, end_reason: reason };
  }

  #isWorthTelling(
    told: ObjectEvent,
    sinceToldMs: number,
    { updateIntervalMs, aliveIntervalMs }: UpdateIntervals,
  ): boolean {
    if (this.#isNews(told)) return true;
    if (sinceToldMs < updateIntervalMs) return false;
    return sinceToldMs >= aliveIntervalMs || this.#isChanged(told);
  }

  /** Who it is and where it has got to, people want to know at once. Of both there is little in one life. */
  #isNews(told: ObjectEvent): boolean {
    return (
      this.#identity?.person_id !== told.identity?.person_id ||
      !isSameList(this.#zones?.entered, told.entered_zones)
    );
  }

  #isChanged(told: ObjectEvent): boolean {
    return (
      iou(told.bounding_box, this.#track.box) < MOVED_IOU ||
      this.#track.topScore >= told.top_score + SCORE_STEP ||
      this.#track.label !== told.label ||
      (this.#snapshotBox !== null) !== told.has_snapshot ||
      !isSameList(this.#zones?.current, told.current_zones)
    );
  }

  #payload(phase: ObjectEvent['phase'], monoMs: number): ObjectEvent {
    const track = this.#track;
    return {
      phase,
      event_id: this.id,
      camera_id: this.#cameraId,
      type: detectionType(track.label),
      label: track.label,
      track_id: track.id,
      start_time: Math.round(this.#startTime),
      last_seen_time: this.#wallTime(track.lastSeenMs),
      end_time: null,
      score: wireScore(track.medianScore),
      top_score: wireScore(track.topScore),
      bounding_box: wireBox(track.box),
      has_snapshot: this.#snapshotBox !== null,
      ...(this.#snapshotBox !== null && { snapshot_box: wireBox(this.#snapshotBox) }),
      ...(this.#zones !== null && {
        current_zones: [...this.#zones.current],
        entered_zones: [...this.#zones.entered],
      }),
      ...(this.#identity !== null && { identity: this.#identity }),
      model: this.#model,
      timestamp: this.#wallTime(monoMs),
    };
  }

  #wallTime(monoMs: number): number {
    return Math.round(this.#startTime + monoMs - this.#track.firstSeenMs);
  }
}

function isSameList(
  some: readonly string[] | undefined,
  others: readonly string[] | undefined,
): boolean {
  return some?.length === others?.length && (some ?? []).every((each, i) => each === others?.[i]);
}
