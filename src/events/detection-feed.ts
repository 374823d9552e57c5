import { type BoundingBox, detectionType } from '../protocol/detection.ts';
import type { AiDetectionResult } from '../protocol/payloads.ts';
import { iou } from '../tracking/box.ts';
import type { Track } from '../tracking/types.ts';
import type { FrameResult } from '../vision/contract.ts';
import { wireBox, wireScore } from './wire-numbers.ts';

/** Overlap with the box sent last, below which a viewer would see that it moved. */
const MOVED_IOU = 0.9;

export interface FollowedObject {
  track: Track;
  eventId: string;
}

export interface DetectionFeedOptions {
  /** Least time between two results; 0 for every frame with a change. */
  intervalMs: number;
  /** Objects that stand still are sent again after this. */
  refreshMs: number;
}

/**
 * The per-frame detections of one camera that are worth sending: those of confirmed tracks, while something
 * changes, and one empty result when nothing is left.
 */
export class DetectionFeed {
  readonly #options: DetectionFeedOptions;
  /** What the receivers show now, by track. */
  #shown = new Map<number, BoundingBox>();
  #sentMs = Number.NEGATIVE_INFINITY;
  #seenMs = Number.NEGATIVE_INFINITY;

  constructor(options: DetectionFeedOptions) {
    this.#options = options;
  }

  /** @returns what to send of this frame, or null */
  frame(result: FrameResult, objects: readonly FollowedObject[]): AiDetectionResult | null {
    const { monoMs } = result;
    if (objects.length === 0) {
      const isGone = monoMs - this.#seenMs >= this.#options.intervalMs;
      return isGone ? this.clear(result) : null;
    }
    this.#seenMs = monoMs;
    const sinceSentMs = monoMs - this.#sentMs;
    if (sinceSentMs < this.#options.intervalMs) return null;
    if (sinceSentMs < this.#options.refreshMs && !this.#isChanged(objects)) return null;
    return this.#send(result, objects);
  }

  /** Nothing is in view any more: the empty result, unless that is known. The next frame may have any time. */
  clear(result: FrameResult): AiDetectionResult | null {
    const empty = this.#shown.size === 0 ? null : this.#send(result, []);
    this.#sentMs = Number.NEGATIVE_INFINITY;
    this.#seenMs = Number.NEGATIVE_INFINITY;
    return empty;
  }

  #isChanged(objects: readonly FollowedObject[]): boolean {
    if (objects.length !== this.#shown.size) return true;
    return objects.some(({ track }) => {
      const shown = this.#shown.get(track.id);
      return shown === undefined || iou(shown, track.box) < MOVED_IOU;
    });
  }

  #send(result: FrameResult, objects: readonly FollowedObject[]): AiDetectionResult {
    this.#sentMs = result.monoMs;
    this.#shown = new Map(objects.map(({ track }) => [track.id, track.box]));
    return {
      camera_id: result.cameraId,
      timestamp: Math.round(result.wallMs),
      detections: objects.map(({ track, eventId }) => ({
        type: detectionType(track.label),
        label: track.label,
        confidence: wireScore(track.score),
        bounding_box: wireBox(track.box),
        track_id: track.id,
        event_id: eventId,
      })),
      frame_id: result.frameId,
      inference_ms: Math.round(result.inferenceMs * 10) / 10,
      model: result.model,
    };
  }
}
