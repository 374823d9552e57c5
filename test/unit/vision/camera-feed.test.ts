import { beforeEach, describe, expect, test } from 'vitest';
import type { StreamInfo } from '../../../src/capture/contract.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { CameraFeed } from '../../../src/vision/camera-feed.ts';
import { FrameMemory } from '../../../src/vision/frame-memory.ts';
import type { SlotMode } from '../../../src/vision/frame-slots.ts';
import { letterbox } from '../../../src/vision/letterbox.ts';

const STREAM: StreamInfo = { codec: 'h264', width: 64, height: 32, fps: 5, pixelFormat: null };
const WIDE = letterbox(STREAM, { width: 64, height: 32 });
const SQUARE = letterbox(STREAM, { width: 64, height: 64 });
const PICTURE = { width: 4, height: 2 };

let frames: number;
let resumed: number;

function feedOf(mode: SlotMode, readers = 1, firstFrameId = 0): CameraFeed {
  const feed = new CameraFeed({
    cameraId: 'front',
    mode,
    readers,
    firstFrameId,
    clock: systemClock,
    memory: new FrameMemory(),
    onFrame: () => frames++,
  });
  feed.onResume(() => resumed++);
  return feed;
}

function deliver(feed: CameraFeed, value: number): 'next' | 'pause' {
  feed.target().fill(value);
  return feed.complete({ monoMs: value, wallMs: 1000 + value });
}

function deliverPicture(feed: CameraFeed, value: number): void {
  feed.pictureTarget().fill(value);
  feed.pictureComplete();
}

beforeEach(() => {
  frames = 0;
  resumed = 0;
});

describe('CameraFeed', () => {
  test('hands on the newest frame with its time and number, and counts the others as dropped', () => {
    const feed = feedOf('newest', 1, 40);
    feed.open(STREAM, WIDE, null);
    for (const value of [1, 2, 3]) expect(deliver(feed, value)).toBe('next');
    expect(frames).toBe(3);
    const frame = feed.take();
    expect(frame).toMatchObject({ frameId: 42, meta: { monoMs: 3, wallMs: 1003 }, geometry: WIDE });
    expect(new Uint8Array(frame!.memory)[0]).toBe(3);
    feed.analysed(42, true);
    expect(feed.counters).toMatchObject({
      framesReceived: 43,
      framesAnalysed: 1,
      framesDropped: 2,
      fps: 1,
    });
  });

  test('a frame in work is not written over', () => {
    const feed = feedOf('newest');
    feed.open(STREAM, WIDE, null);
    deliver(feed, 1);
    const frame = feed.take()!;
    for (const value of [2, 3, 4, 5]) deliver(feed, value);
    expect(new Uint8Array(frame.memory)[0]).toBe(1);
  });

  test('mode every: pauses when it is full, and resumes when a frame is released', () => {
    const feed = feedOf('every');
    feed.open(STREAM, WIDE, null);
    expect([1, 2, 3].map((value) => deliver(feed, value))).toEqual(['next', 'next', 'pause']);
    const frame = feed.take()!;
    expect(resumed).toBe(0);
    frame.release();
    expect(resumed).toBe(1);
    expect([feed.take()?.frameId, feed.take()?.frameId, feed.take()]).toEqual([1, 2, null]);
    expect(feed.counters.framesDropped).toBe(0);
  });

  test('mode every: frames of an earlier geometry are finished first', () => {
    const feed = feedOf('every');
    feed.open(STREAM, WIDE, null);
    deliver(feed, 1);
    feed.close();
    feed.open(STREAM, SQUARE, null);
    deliver(feed, 2);
    expect(feed.waiting).toEqual({ width: 64, height: 32 });
    expect(feed.take()).toMatchObject({ frameId: 0, geometry: WIDE });
    expect(feed.waiting).toEqual({ width: 64, height: 64 });
    expect(feed.take()).toMatchObject({ frameId: 1, geometry: SQUARE });
    expect(feed.waiting).toBeNull();
  });

  test('mode newest: frames of an earlier geometry are dropped', () => {
    const feed = feedOf('newest');
    feed.open(STREAM, WIDE, null);
    deliver(feed, 1);
    feed.open(STREAM, SQUARE, null);
    expect(feed.waiting).toBeNull();
    expect(feed.counters.framesDropped).toBe(1);
  });

  test('numbers go on over connections, and half a frame is forgotten', () => {
    const feed = feedOf('newest');
    feed.open(STREAM, WIDE, null);
    deliver(feed, 1);
    feed.target().fill(99);
    feed.close();
    feed.open(STREAM, WIDE, null);
    deliver(feed, 2);
    expect(feed.take()?.frameId).toBe(1);
  });

  test('a connection can begin while all frames of the last one still wait', () => {
    const feed = feedOf('every');
    feed.open(STREAM, WIDE, null);
    for (const value of [1, 2, 3]) deliver(feed, value);
    feed.close();
    feed.open(STREAM, WIDE, null);
    expect(deliver(feed, 4)).toBe('next');
    const order = [0, 1, 2, 3].map(() => feed.take()?.frameId);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  describe('pictures', () => {
    test('belong to the frame of the same place in the connection', async () => {
      const feed = feedOf('newest', 1, 10);
      feed.open(STREAM, WIDE, PICTURE);
      for (const value of [1, 2]) {
        deliverPicture(feed, value);
        deliver(feed, value);
      }
      const picture = await feed.picture(11);
      expect(picture).toMatchObject({ frameId: 11, width: 4, height: 2 });
      expect(picture?.pixels[0]).toBe(2);
    });

    test('are waited for when they come after their frame', async () => {
      const feed = feedOf('newest');
      feed.open(STREAM, WIDE, PICTURE);
      deliver(feed, 1);
      const asked = feed.picture(0);
      deliverPicture(feed, 7);
      expect((await asked)?.pixels[0]).toBe(7);
    });

    test('that never come are answered when the connection ends', async () => {
      const feed = feedOf('newest');
      feed.open(STREAM, WIDE, PICTURE);
      deliver(feed, 1);
      const asked = feed.picture(0);
      feed.close();
      expect(await asked).toBeNull();
    });

    test('of dropped and of empty frames go first', async () => {
      const feed = feedOf('newest');
      feed.open(STREAM, WIDE, PICTURE);
      deliverPicture(feed, 1);
      deliver(feed, 1);
      feed.analysed(feed.take()!.frameId, false);
      for (let value = 2; value < 60; value++) {
        deliverPicture(feed, value);
        deliver(feed, value);
      }
      expect((await feed.picture(0))?.pixels[0]).toBe(1);
      expect(await feed.picture(30)).toBeNull();
    });

    test('are kept for a while only', async () => {
      const feed = feedOf('newest');
      feed.open(STREAM, WIDE, PICTURE);
      for (let value = 0; value < 30; value++) deliverPicture(feed, value);
      expect(await feed.picture(0)).toBeNull();
      expect((await feed.picture(29))?.pixels[0]).toBe(29);
    });

    test('are not kept for cameras without any', async () => {
      const feed = feedOf('newest');
      feed.open(STREAM, WIDE, null);
      expect(await feed.picture(0)).toBeNull();
    });
  });
});
