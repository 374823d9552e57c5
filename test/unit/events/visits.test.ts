import { describe, expect, test } from 'vitest';
import { CameraEvents } from '../../../src/events/camera-events.ts';
import type { ObjectEvent } from '../../../src/protocol/payloads.ts';
import { oneByOneFrames, VISITS } from '../../support/one-by-one.ts';

const WALL_MS = 1_700_000_000_000;

function eventsOfClip(fps: number, minScore: number): ObjectEvent[] {
  const events = new CameraEvents({
    cameraId: 'hall',
    minScore,
    frameIntervalMs: 1000 / fps,
    random: Math.random,
    snapshots: false,
  });
  const told = oneByOneFrames(fps).flatMap(({ timeMs, detections }, frameId) => {
    const frame = {
      cameraId: 'hall',
      frameId,
      monoMs: timeMs,
      wallMs: WALL_MS + timeMs,
      detections,
    };
    return events.frame({ ...frame, inferenceMs: 10, model: 'yolov8n' }).events;
  });
  return [...told, ...events.shutdown().events];
}

describe('the six visits of one-by-one-person-detection.mp4', () => {
  test.each([1, 1.5, 2, 3, 4, 5, 6, 7.5, 10])('are six events at %d frames a second', (fps) => {
    const told = eventsOfClip(fps, 0.4);
    const ended = told.filter(({ phase }) => phase === 'end');
    expect(told.filter(({ phase }) => phase === 'new')).toHaveLength(6);
    expect(ended).toHaveLength(6);
    // A sighting can be late by the time between two frames.
    const tolerance = Math.max(1, 1 / fps + 0.6);
    ended.forEach((event, index) => {
      const [enter, leave] = VISITS[index] ?? [0, 0];
      expect(event.label).toBe('person');
      expect(Math.abs((event.start_time - WALL_MS) / 1000 - enter)).toBeLessThanOrEqual(tolerance);
      expect(Math.abs((event.last_seen_time - WALL_MS) / 1000 - leave)).toBeLessThanOrEqual(
        tolerance,
      );
    });
  });

  test.each([0.3, 0.5, 0.6, 0.7])('are six events from a score of %d on', (minScore) => {
    const ended = eventsOfClip(5, minScore).filter(({ phase }) => phase === 'end');
    expect(ended).toHaveLength(6);
  });
});
