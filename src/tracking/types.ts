import type { BoundingBox } from '../protocol/detection.ts';

/** What a tracker is fed with: one object found in one frame. */
export interface TrackedDetection {
  label: string;
  classId: number;
  score: number;
  box: BoundingBox;
}

export interface Track {
  /** Unique in its tracker for the life of the process, from 1. */
  id: number;
  label: string;
  classId: number;
  /** Where the object was last seen (the detection itself, not the prediction). */
  box: BoundingBox;
  /** Where it was seen first. */
  firstBox: BoundingBox;
  /** Score of the last detection. */
  score: number;
  /** Highest score so far. */
  topScore: number;
  /** Median over the detections so far (a bounded window of the newest). */
  medianScore: number;
  /** Monotonic time of the first and last detection. */
  firstSeenMs: number;
  lastSeenMs: number;
  /** Detections that belong to this track. */
  hits: number;
}

export interface TrackerUpdate {
  /** Confirmed tracks that were seen in this frame. */
  seen: readonly Track[];
  /** Tracks seen in this frame, not for the first time, that are not confirmed yet. */
  tentative: readonly Track[];
  /** Tracks confirmed by this frame; also among `seen`. */
  started: readonly Track[];
  /** Confirmed tracks that have been out of sight for too long. */
  ended: readonly Track[];
}
