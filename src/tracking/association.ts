import type { BoundingBox } from '../protocol/detection.ts';
import { assign } from './assignment.ts';
import { centreDistance, iou } from './box.ts';
import type { Tracklet } from './tracklet.ts';
import type { TrackedDetection } from './types.ts';

/** A detection with the group of labels in which it may belong to one object. */
export interface Candidate {
  detection: TrackedDetection;
  group: string;
}

/** 0 for surely the same object, above 1 or NaN for surely not. */
export type PairCost = (tracklet: Tracklet, box: BoundingBox) => number;

/** Fastest object followed without overlap, in box sizes each second: running people, cars in a street. */
const FASTEST = 2.5;
/** Without overlap an object is looked for no farther than this many of its own sizes. */
const FARTHEST = 1;
/** An object unseen for longer comes back only where it was expected or seen last. */
const LONGEST_UNSEEN_MS = 1000;
/** Boxes without overlap belong together only when their heights differ by less than this factor. */
const SIZE_RATIO = 1.6;

/** Overlap with the prediction, or, once it was missed, with where it was seen last: it may have stopped. */
export function overlapCost(minIou: number): PairCost {
  return (tracklet, box) => {
    const predicted = iou(tracklet.predictedBox, box);
    const overlap =
      tracklet.missed > 1 ? Math.max(predicted, iou(tracklet.seenBox, box)) : predicted;
    return overlap >= minIou ? 1 - overlap : Number.POSITIVE_INFINITY;
  };
}

/**
 * Distance of the centres, for low frame rates: a person walking past at 2 frames a second moves farther from
 * frame to frame than the box is wide. Limited by the speed that things have.
 */
export function distanceCost(timeMs: number): PairCost {
  return (tracklet, box) => {
    const unseenMs = timeMs - tracklet.lastSeenMs;
    const seen = tracklet.seenBox;
    const ratio = box.height / seen.height;
    if (tracklet.missed > 1 && unseenMs > LONGEST_UNSEEN_MS) return Number.POSITIVE_INFINITY;
    if (ratio > SIZE_RATIO || ratio < 1 / SIZE_RATIO) return Number.POSITIVE_INFINITY;
    const reach =
      Math.max(seen.width, seen.height) * Math.min((FASTEST * unseenMs) / 1000, FARTHEST);
    const distance = Math.min(
      centreDistance(tracklet.predictedBox, box),
      centreDistance(seen, box),
    );
    return distance / reach;
  };
}

/** Pairs tracklets with candidates at the least total cost; both lists lose what was paired. */
export function pairUp(
  tracklets: Set<Tracklet>,
  candidates: Set<Candidate>,
  cost: PairCost,
): readonly (readonly [Tracklet, Candidate])[] {
  if (tracklets.size === 0 || candidates.size === 0) return [];
  const rows = [...tracklets];
  const columns = [...candidates];
  const costs = new Float64Array(rows.length * columns.length);
  rows.forEach((tracklet, row) => {
    columns.forEach(({ detection, group }, column) => {
      costs[row * columns.length + column] =
        group === tracklet.group ? cost(tracklet, detection.box) : Number.POSITIVE_INFINITY;
    });
  });
  const columnOfRow = assign({ rows: rows.length, columns: columns.length, costs }, 1);
  const pairs: (readonly [Tracklet, Candidate])[] = [];
  rows.forEach((tracklet, row) => {
    const candidate = columns[columnOfRow[row] as number];
    if (candidate === undefined) return;
    tracklets.delete(tracklet);
    candidates.delete(candidate);
    pairs.push([tracklet, candidate]);
  });
  return pairs;
}
