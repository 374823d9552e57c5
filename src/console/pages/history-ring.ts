import type { Status } from '../../protocol/local-api/status.ts';

/** One look at the box, as the charts show it. */
export interface Sample {
  /** Unix seconds. */
  readonly at: number;
  readonly queued: number;
  readonly fps: number;
  readonly inferenceMs: number | null;
  readonly latencyMs: number | null;
}

/** Half an hour of looks every two seconds. */
const MOST = 900;

export function sampleOf(status: Status, latencyMs: number | null, nowMs: number): Sample {
  return {
    at: nowMs / 1000,
    queued: status.queue.depth,
    fps: status.cameras.reduce((sum, { fps }) => sum + fps, 0),
    inferenceMs: status.detector.provider?.inferenceMs ?? null,
    latencyMs,
  };
}

/** With a new look at its end, and without those that are too old. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  return [...samples, sample].slice(-MOST);
}
