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

/**
 * Frames that ffmpeg holds back from a live stream: its parser ends a frame when the next one begins, and the
 * decoder gives it out one later. Measured against a camera whose clock is known (ffmpeg 5.1, H.264 over TCP);
 * frames that the camera itself sends out of order come on top.
 */
const LIVE_LAG_FRAMES = 2;
/** Of a stream that declares a rate of a frame every few seconds, little can be concluded. */
const LONGEST_LAG_MS = 500;

/** Files at their own pace: a frame is as old as its arrival. */
export function arrivalTime(clock: Clock): FrameClock {
  return {
    begin() {},
    timeOf: () => ({ monoMs: clock.monotonicMs(), wallMs: clock.wallMs() }),
  };
}

/** Live cameras: arrival, less what the way through ffmpeg takes. */
export function liveTime(clock: Clock): FrameClock {
  let lagMs = 0;
  return {
    begin({ fps }) {
      lagMs = fps === null ? 0 : Math.min(LONGEST_LAG_MS, (LIVE_LAG_FRAMES * 1000) / fps);
    },
    timeOf: () => ({ monoMs: clock.monotonicMs() - lagMs, wallMs: clock.wallMs() - lagMs }),
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
