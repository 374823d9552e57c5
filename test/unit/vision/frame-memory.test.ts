import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { CameraFeed } from '../../../src/vision/camera-feed.ts';
import { FrameMemory } from '../../../src/vision/frame-memory.ts';
import { letterbox } from '../../../src/vision/letterbox.ts';

const STREAM = { codec: 'h264', width: 64, height: 32, fps: 5, pixelFormat: null };
const GEOMETRY = letterbox(STREAM, { width: 64, height: 32 });

describe('FrameMemory', () => {
  test('gives what was given back to whoever needs that size', () => {
    const memory = new FrameMemory();
    const [small, large] = [memory.take(10), memory.take(20)];
    memory.giveBack([small, large]);
    expect(memory.take(20)).toBe(large);
    expect(memory.take(20)).not.toBe(large);
    expect(memory.take(10)).toBe(small);
  });

  test('keeps no more than two cameras need', () => {
    const memory = new FrameMemory();
    const buffers = Array.from({ length: 13 }, () => memory.take(10));
    memory.giveBack(buffers);
    const again = Array.from({ length: 13 }, () => memory.take(10));
    expect(again.filter((buffer) => buffers.includes(buffer))).toHaveLength(12);
    expect(again).not.toContain(buffers[0]);
  });

  test('a camera that ended leaves its memory to the next, also that of frames that waited', () => {
    const memory = new FrameMemory();
    const feedOf = (cameraId: string): CameraFeed =>
      new CameraFeed({
        cameraId,
        mode: 'newest',
        readers: 1,
        firstFrameId: 0,
        clock: systemClock,
        memory,
        onFrame: () => {},
      });
    const first = feedOf('first');
    first.open(STREAM, GEOMETRY, null);
    first.target();
    first.complete({ monoMs: 0, wallMs: 0 });
    first.close();
    first.forgetWaiting();
    expect(first.waiting).toBeNull();
    expect(first.counters).toMatchObject({ framesReceived: 1, framesDropped: 1 });
    first.vacate();
    const second = feedOf('second');
    second.open(STREAM, GEOMETRY, null);
    second.target().fill(7);
    // The first camera may be opened again, and gets memory of its own.
    first.open(STREAM, GEOMETRY, null);
    first.target().fill(9);
    second.complete({ monoMs: 1, wallMs: 1 });
    expect(new Uint8Array(second.take()!.memory)[0]).toBe(7);
  });
});
