import type { BoundingBox } from '../protocol/detection.ts';
import { BoxFilter } from './kalman.ts';
import type { Track, TrackedDetection } from './types.ts';

/** Scores kept for the median: 10 s at 5 frames a second. */
const SCORE_WINDOW = 50;

/** A track in the making or under way: what the tracker knows of one object. */
export class Tracklet {
  readonly id: number;
  readonly group: string;
  readonly firstSeenMs: number;
  readonly #firstBox: BoundingBox;
  confirmed = false;
  /** Frames since the last detection, and since the first, that one included. */
  missed = 0;
  frames = 1;
  readonly #filter: BoxFilter;
  readonly #votes = new Map<string, { classId: number; weight: number }>();
  readonly #scores: number[] = [];
  #newest: TrackedDetection;
  #topScore = 0;
  #lastSeenMs: number;
  #highSeenMs: number;
  #filterMs: number;
  #hits = 0;
  #predicted: BoundingBox;

  constructor(id: number, group: string, detection: TrackedDetection, timeMs: number) {
    this.id = id;
    this.group = group;
    this.firstSeenMs = timeMs;
    this.#firstBox = detection.box;
    this.#lastSeenMs = timeMs;
    this.#highSeenMs = timeMs;
    this.#filterMs = timeMs;
    this.#filter = new BoxFilter(detection.box);
    this.#predicted = detection.box;
    this.#newest = detection;
    this.#record(detection);
  }

  get hits(): number {
    return this.#hits;
  }

  get lastSeenMs(): number {
    return this.#lastSeenMs;
  }

  /** Last time that a detection with a high score belonged to it. */
  get highSeenMs(): number {
    return this.#highSeenMs;
  }

  /** Where it was seen last. */
  get seenBox(): BoundingBox {
    return this.#newest.box;
  }

  /** Where it should be at the time of `predict`. */
  get predictedBox(): BoundingBox {
    return this.#predicted;
  }

  predict(timeMs: number): void {
    this.#filter.predict((timeMs - this.#filterMs) / 1000);
    this.#filterMs = timeMs;
    this.#predicted = this.#filter.box();
    this.missed++;
    this.frames++;
  }

  /** Seen at the time of the last `predict`. */
  see(detection: TrackedDetection, isHigh: boolean): void {
    this.#filter.update(detection.box);
    this.#lastSeenMs = this.#filterMs;
    if (isHigh) this.#highSeenMs = this.#filterMs;
    this.missed = 0;
    this.#newest = detection;
    this.#record(detection);
  }

  toTrack(): Track {
    let label = this.#newest.label;
    let best = { classId: this.#newest.classId, weight: 0 };
    for (const [name, vote] of this.#votes) {
      if (vote.weight > best.weight) {
        label = name;
        best = vote;
      }
    }
    return {
      id: this.id,
      label,
      classId: best.classId,
      box: { ...this.#newest.box },
      firstBox: { ...this.#firstBox },
      score: this.#newest.score,
      topScore: this.#topScore,
      medianScore: median(this.#scores),
      firstSeenMs: this.firstSeenMs,
      lastSeenMs: this.#lastSeenMs,
      hits: this.#hits,
    };
  }

  #record({ label, classId, score }: TrackedDetection): void {
    this.#hits++;
    this.#topScore = Math.max(this.#topScore, score);
    const vote = this.#votes.get(label);
    if (vote === undefined) this.#votes.set(label, { classId, weight: score });
    else vote.weight += score;
    if (this.#scores.push(score) > SCORE_WINDOW) this.#scores.shift();
  }
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
