import { type Candidate, distanceCost, overlapCost, type PairCost, pairUp } from './association.ts';
import { iou, isUsable } from './box.ts';
import { Tracklet } from './tracklet.ts';
import type { Track, TrackedDetection, TrackerUpdate } from './types.ts';

export interface TrackerOptions {
  /** Detections from this score on are paired first, and only they start a track. */
  highScore: number;
  /** Detections between this and `highScore` continue a confirmed track; lower ones are not looked at. */
  lowScore: number;
  /** Least overlap of a high and of a low detection with the track that it continues. */
  matchIou: number;
  lowMatchIou: number;
  /** Low detections alone keep a track for no longer: a coat on a hook is not the person who hung it there. */
  lowForMs: number;
  /** A track is confirmed when it has been seen over this time, in so many frames and in half of all since. */
  confirmAfterMs: number;
  confirmHits: number;
  /** An unconfirmed track out of sight for longer was nothing. */
  forgetAfterMs: number;
  /** A confirmed track out of sight for longer has ended. */
  lostAfterMs: number;
  /** Labels of one group may belong to the same object, as a van is found as car and as truck. */
  groupOf: (label: string) => string;
}

const DEFAULTS: TrackerOptions = {
  highScore: 0.5,
  lowScore: 0.1,
  matchIou: 0.2,
  lowMatchIou: 0.4,
  lowForMs: 5000,
  confirmAfterMs: 400,
  confirmHits: 3,
  forgetAfterMs: 1000,
  lostAfterMs: 2800,
  groupOf: (label) => label,
};

/** Boxes of one group that overlap by more than this show one object under two labels. */
const DUPLICATE_IOU = 0.7;

/**
 * Follows the objects of one camera from frame to frame. Pure: the same calls give the same tracks, whatever the
 * order of the detections in a frame.
 *
 * After Zhang et al.: ByteTrack: Multi-Object Tracking by Associating Every Detection Box (2022): detections with
 * a high score are paired with the tracks first, then those with a low score continue what is left, because a low
 * score where a track is expected is more often a half-hidden object than a mistake. Departures: all waiting is
 * counted in time and not in frames; a last stage pairs by distance, for low frame rates.
 */
export class Tracker {
  #options: TrackerOptions;
  #tracklets: Tracklet[] = [];
  #nextId = 1;
  #nowMs = Number.NEGATIVE_INFINITY;
  #refused = 0;

  constructor(options: Partial<TrackerOptions> = {}) {
    const all = { ...DEFAULTS, ...options };
    this.#options = { ...all, lowScore: Math.min(all.lowScore, all.highScore) };
  }

  /** Frames come at another rate from now on; what is followed goes on. */
  pace(options: Pick<TrackerOptions, 'confirmHits' | 'lostAfterMs'>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** Detections that were not looked at because their numbers make no sense. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Takes in one frame's detections.
   * @param timeMs monotonic time of the frame; a time before the last frame's, or none, counts as that one's
   */
  update(detections: readonly TrackedDetection[], timeMs: number): TrackerUpdate {
    if (Number.isFinite(timeMs)) this.#nowMs = Math.max(timeMs, this.#nowMs);
    else if (!Number.isFinite(this.#nowMs)) this.#nowMs = 0;
    const ended = this.#dropLost();
    for (const tracklet of this.#tracklets) tracklet.predict(this.#nowMs);
    this.#associate(this.#candidates(detections));
    const started = this.#confirm();
    this.#forgetUnconfirmed();
    const now = this.#tracklets.filter(({ missed }) => missed === 0);
    return {
      seen: now.filter(({ confirmed }) => confirmed).map(toTrack),
      tentative: now.filter(({ confirmed, hits }) => !confirmed && hits > 1).map(toTrack),
      started: started.map(toTrack),
      ended,
    };
  }

  /** Ends everything, as when the camera is gone; the next frame may have any time. Ids go on. */
  flush(): readonly Track[] {
    const ended = this.#tracklets.filter((tracklet) => tracklet.confirmed).map(toTrack);
    this.#tracklets = [];
    this.#nowMs = Number.NEGATIVE_INFINITY;
    return ended;
  }

  /** Before pairing: what was out of sight for too long is not continued by a late frame. */
  #dropLost(): Track[] {
    const isLost = ({ lastSeenMs }: Tracklet) =>
      this.#nowMs - lastSeenMs > this.#options.lostAfterMs;
    const lost = this.#tracklets.filter((tracklet) => tracklet.confirmed && isLost(tracklet));
    this.#tracklets = this.#tracklets.filter((tracklet) => !isLost(tracklet));
    return lost.map(toTrack);
  }

  #candidates(detections: readonly TrackedDetection[]): Candidate[] {
    const usable = detections.filter(({ box, score }) => isUsable(box) && score >= 0 && score <= 1);
    this.#refused += detections.length - usable.length;
    const candidates: Candidate[] = [];
    for (const detection of usable.sort(byScoreThenPlace)) {
      if (detection.score < this.#options.lowScore) break;
      const group = this.#options.groupOf(detection.label);
      const isDuplicate = candidates.some(
        (other) => other.group === group && iou(other.detection.box, detection.box) > DUPLICATE_IOU,
      );
      if (!isDuplicate) candidates.push({ detection, group });
    }
    return candidates;
  }

  #associate(candidates: readonly Candidate[]): void {
    const { highScore, matchIou, lowMatchIou, lowForMs } = this.#options;
    const isHigh = ({ detection }: Candidate) => detection.score >= highScore;
    const high = new Set(candidates.filter(isHigh));
    const low = new Set(candidates.filter((candidate) => !isHigh(candidate)));
    const confirmed = new Set(this.#tracklets.filter((tracklet) => tracklet.confirmed));
    const unconfirmed = new Set(this.#tracklets.filter((tracklet) => !tracklet.confirmed));
    const pair = (tracklets: Set<Tracklet>, pool: Set<Candidate>, cost: PairCost) => {
      for (const [tracklet, { detection }] of pairUp(tracklets, pool, cost)) {
        tracklet.see(detection, detection.score >= highScore);
      }
    };
    const overlap = overlapCost(matchIou);
    const lowOverlap = overlapCost(lowMatchIou);
    const lowCost: PairCost = (tracklet, box) =>
      this.#nowMs - tracklet.highSeenMs <= lowForMs
        ? lowOverlap(tracklet, box)
        : Number.POSITIVE_INFINITY;
    const distance = distanceCost(this.#nowMs);
    pair(confirmed, high, overlap);
    pair(confirmed, low, lowCost);
    pair(unconfirmed, high, overlap);
    pair(confirmed, high, distance);
    pair(unconfirmed, high, distance);
    for (const { detection, group } of high) {
      this.#tracklets.push(new Tracklet(this.#nextId++, group, detection, this.#nowMs));
    }
  }

  #confirm(): Tracklet[] {
    const { confirmAfterMs, confirmHits } = this.#options;
    const started = this.#tracklets.filter(
      ({ confirmed, hits, frames, firstSeenMs, lastSeenMs }) =>
        !confirmed &&
        hits >= Math.max(confirmHits, frames / 2) &&
        lastSeenMs - firstSeenMs >= confirmAfterMs,
    );
    for (const tracklet of started) tracklet.confirmed = true;
    return started;
  }

  #forgetUnconfirmed(): void {
    this.#tracklets = this.#tracklets.filter(
      ({ confirmed, missed, lastSeenMs }) =>
        confirmed || missed === 0 || this.#nowMs - lastSeenMs <= this.#options.forgetAfterMs,
    );
  }
}

function toTrack(tracklet: Tracklet): Track {
  return tracklet.toTrack();
}

/** A total order, so that nothing depends on the order in which a detector lists its finds. */
function byScoreThenPlace(a: TrackedDetection, b: TrackedDetection): number {
  return (
    b.score - a.score ||
    a.box.x - b.box.x ||
    a.box.y - b.box.y ||
    a.box.width - b.box.width ||
    a.box.height - b.box.height ||
    (a.label < b.label ? -1 : a.label > b.label ? 1 : 0)
  );
}
