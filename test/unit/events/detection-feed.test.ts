import { describe, expect, test } from 'vitest';
import { DetectionFeed, type FollowedObject } from '../../../src/events/detection-feed.ts';
import { aiDetectionResultSchema } from '../../../src/protocol/payloads.ts';
import type { FrameResult } from '../../../src/vision/contract.ts';

function frame(monoMs: number): FrameResult {
  return {
    cameraId: 'gate',
    frameId: monoMs / 200,
    monoMs,
    wallMs: 1_700_000_000_000 + monoMs,
    detections: [],
    inferenceMs: 12.345,
    model: 'yolov8n',
  };
}

function object(id: number, x: number): FollowedObject {
  const box = { x, y: 0.123456, width: 0.1, height: 0.3 };
  const scores = { score: 0.87654, topScore: 0.9, medianScore: 0.8 };
  const track = {
    id,
    label: 'truck',
    classId: 7,
    box,
    ...scores,
    firstBox: { x: 0, y: 0, width: 0.1, height: 0.1 },
    firstSeenMs: 0,
    lastSeenMs: 0,
    hits: 3,
  };
  return { track, eventId: `e${id}` };
}

/** Times of the frames that were sent, and how many detections each had. */
function play(feed: DetectionFeed, toMs: number, scene: (ms: number) => FollowedObject[]) {
  const sent: [number, number][] = [];
  for (let ms = 0; ms <= toMs; ms += 200) {
    const result = feed.frame(frame(ms), scene(ms));
    if (result !== null) sent.push([ms, result.detections.length]);
  }
  return sent;
}

describe('DetectionFeed', () => {
  test('sends moving objects once in each interval, and once that nothing is left', () => {
    const feed = new DetectionFeed({ intervalMs: 1000, refreshMs: 10_000 });
    const scene = (ms: number) => (ms >= 400 && ms <= 3000 ? [object(1, ms / 10_000)] : []);
    expect(play(feed, 9000, scene)).toEqual([
      [400, 1],
      [1400, 1],
      [2400, 1],
      [4000, 0],
    ]);
  });

  test('an interval of 0 sends every frame in which something moves', () => {
    const feed = new DetectionFeed({ intervalMs: 0, refreshMs: 10_000 });
    const scene = (ms: number) => (ms < 600 ? [object(1, ms / 10_000)] : []);
    expect(play(feed, 2000, scene)).toEqual([
      [0, 1],
      [200, 1],
      [400, 1],
      [600, 0],
    ]);
  });

  test('says nothing of objects that stand still, but for a rare reminder', () => {
    const feed = new DetectionFeed({ intervalMs: 1000, refreshMs: 10_000 });
    expect(play(feed, 21_000, () => [object(1, 0.5)])).toEqual([
      [0, 1],
      [10_000, 1],
      [20_000, 1],
    ]);
  });

  test('tells of an object that comes or is exchanged for another', () => {
    const feed = new DetectionFeed({ intervalMs: 1000, refreshMs: 10_000 });
    const scene = (ms: number) => {
      if (ms < 2000) return [object(1, 0.1)];
      return ms < 4000 ? [object(1, 0.1), object(2, 0.6)] : [object(1, 0.1), object(3, 0.6)];
    };
    expect(play(feed, 6000, scene)).toEqual([
      [0, 1],
      [2000, 2],
      [4000, 2],
    ]);
  });

  test('one frame in which an object is missed clears nothing', () => {
    const feed = new DetectionFeed({ intervalMs: 1000, refreshMs: 10_000 });
    const scene = (ms: number) => (ms % 1000 === 0 ? [] : [object(1, 0.5)]);
    expect(play(feed, 5000, scene)).toEqual([[200, 1]]);
  });

  test('has the shape of the protocol', () => {
    const feed = new DetectionFeed({ intervalMs: 1000, refreshMs: 10_000 });
    const result = feed.frame(frame(0), [object(4, 0.5)]);
    expect(aiDetectionResultSchema.parse(result)).toEqual({
      camera_id: 'gate',
      timestamp: 1_700_000_000_000,
      frame_id: 0,
      inference_ms: 12.3,
      model: 'yolov8n',
      detections: [
        {
          type: 'vehicle',
          label: 'truck',
          confidence: 0.877,
          bounding_box: { x: 0.5, y: 0.1235, width: 0.1, height: 0.3 },
          track_id: 4,
          event_id: 'e4',
        },
      ],
    });
  });
});
