import { detectionType } from '../protocol/detection.ts';
import type { EventIdentity, ObjectEvent } from '../protocol/payloads.ts';
import { iou } from '../tracking/box.ts';
import type { Track } from '../tracking/types.ts';
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
  #hasSnapshot = false;
  #identity: EventIdentity | null = null;
  #isUnknown = false;
  #told: ObjectEvent;
  #toldMs: number;

  constructor(start: {
    id: string;
    cameraId: string;
    model: string;
    /** Wall clock when the track was first seen, in milliseconds. */
    startTime: number;
    track: Track;
    monoMs: number;
  }) {
    this.id = start.id;
    this.#cameraId = start.cameraId;
    this.#model = start.model;
    this.#startTime = start.startTime;
    this.#track = start.track;
    this.#told = this.#payload('new', start.monoMs);
    this.#toldMs = start.monoMs;
  }

  /** What was told of it last; at first the `new` event. */
  get told(): ObjectEvent {
    return this.#told;
  }

  snapshotSaved(): void {
    this.#hasSnapshot = true;
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

  /** The object was seen; returns an update when there is something to tell. */
  see(track: Track, monoMs: number, intervals: UpdateIntervals): ObjectEvent | null {
    this.#track = track;
    const sinceToldMs = monoMs - this.#toldMs;
    // Who it is, people want to know at once.
    const isDue = sinceToldMs >= intervals.updateIntervalMs || this.#isIdentityNew();
    if (!isDue) return null;
    if (sinceToldMs < intervals.aliveIntervalMs && !this.#isChanged()) return null;
    this.#told = this.#payload('update', monoMs);
    this.#toldMs = monoMs;
    return this.#told;
  }

  end(reason: EndReason, monoMs: number): ObjectEvent {
    const event = this.#payload('end', Math.max(monoMs, this.#track.lastSeenMs));
    return { ...event, end_time: event.last_seen_time, end_reason: reason };
  }

  #isChanged(): boolean {
    return (
      iou(this.#told.bounding_box, this.#track.box) < MOVED_IOU ||
      this.#track.topScore >= this.#told.top_score + SCORE_STEP ||
      this.#track.label !== this.#told.label ||
      this.#hasSnapshot !== this.#told.has_snapshot ||
      this.#isIdentityNew()
    );
  }

  #isIdentityNew(): boolean {
    return this.#identity?.person_id !== this.#told.identity?.person_id;
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
      has_snapshot: this.#hasSnapshot,
      ...(this.#identity !== null && { identity: this.#identity }),
      model: this.#model,
      timestamp: this.#wallTime(monoMs),
    };
  }

  #wallTime(monoMs: number): number {
    return Math.round(this.#startTime + monoMs - this.#track.firstSeenMs);
  }
}
