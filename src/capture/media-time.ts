import type { Clock } from '../system/clock.ts';
import type { FrameMeta, StreamInfo } from './contract.ts';

/** For files that do not declare a rate. */
const USUAL_FPS = 25;

/** Dates the frames of a camera. */
export interface FrameClock {
  /** A clip or connection begins, whose frames count from 0 again. */
  begin(stream: StreamInfo): void;
  timeOf(index: number): FrameMeta;
}

/** Frames are as old as their arrival: live cameras, and files at their own pace. */
export function arrivalTime(clock: Clock): FrameClock {
  return {
    begin() {},
    timeOf: () => ({ monoMs: clock.monotonicMs(), wallMs: clock.wallMs() }),
  };
}

/**
 * Files played as fast as possible: the start of play + media time, which runs on from clip to clip.
 * @param fps rate of the frames; `all` takes the rate that each clip declares
 */
export function mediaTime(clock: Clock, fps: number | 'all'): FrameClock {
  let start: FrameMeta | null = null;
  let intervalMs = 0;
  let clipStartMs = 0;
  let nextMs = 0;
  return {
    begin(stream) {
      start ??= { monoMs: clock.monotonicMs(), wallMs: clock.wallMs() };
      clipStartMs = nextMs;
      intervalMs = 1000 / (fps === 'all' ? (stream.fps ?? USUAL_FPS) : fps);
    },
    timeOf(index) {
      const mediaMs = clipStartMs + index * intervalMs;
      nextMs = mediaMs + intervalMs;
      const { monoMs, wallMs } = start ?? { monoMs: clock.monotonicMs(), wallMs: clock.wallMs() };
      return { monoMs: monoMs + mediaMs, wallMs: wallMs + mediaMs };
    },
  };
}
