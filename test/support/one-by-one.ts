import { readFileSync } from 'node:fs';
import type { TrackedDetection } from '../../src/tracking/types.ts';

interface Recording {
  label: string;
  fps: number;
  frames: number;
  detections: [number, number, number, number, number, number][];
}

export interface RecordedFrame {
  timeMs: number;
  detections: TrackedDetection[];
}

/** Six visits by one person each, in clip seconds, as a person who watches the clip notes them, +/- 0.5 s. */
export const VISITS = [
  [6, 19],
  [23, 45],
  [50, 70],
  [74.5, 87],
  [92, 120],
  [123.5, 136],
] as const;

/** What the detector found in `one-by-one-person-detection.mp4`, at a lower frame rate than the clip's 10. */
export function oneByOneFrames(fps: number): RecordedFrame[] {
  const url = new URL('../fixtures/one-by-one-detections.json', import.meta.url);
  const recording = JSON.parse(readFileSync(url, 'utf8')) as Recording;
  const byFrame = new Map<number, TrackedDetection[]>();
  for (const [frame, score, x, y, width, height] of recording.detections) {
    const detection = { label: recording.label, classId: 0, score, box: { x, y, width, height } };
    byFrame.set(frame, [...(byFrame.get(frame) ?? []), detection]);
  }
  const kept: RecordedFrame[] = [];
  for (let frame = 0; frame < recording.frames; frame++) {
    // The first frame of each step of 1 / fps, as a capture with a frame rate limit delivers them.
    const isFirst =
      Math.floor((frame * fps) / recording.fps) !== Math.floor(((frame - 1) * fps) / recording.fps);
    if (!isFirst) continue;
    kept.push({
      timeMs: (frame * 1000) / recording.fps,
      detections: byFrame.get(frame) ?? [],
    });
  }
  return kept;
}
