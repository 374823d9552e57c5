import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { FrameAssembly } from '../../../src/capture/frame-assembly.ts';
import { arrivalTime, liveTime, mediaTime } from '../../../src/capture/media-time.ts';
import { PictureChange } from '../../../src/capture/picture-change.ts';
import { Playlist } from '../../../src/capture/playlist.ts';
import type { Clock } from '../../../src/system/clock.ts';

class Collector {
  readonly frames: number[][] = [];
  readonly bytes: number;
  #target = new Uint8Array();

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  target(): Uint8Array {
    this.#target = new Uint8Array(this.bytes);
    return this.#target;
  }

  complete(): 'next' | 'pause' {
    this.frames.push([...this.#target]);
    return 'next';
  }
}

describe('FrameAssembly', () => {
  test('cuts any chunks into the same frames', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 13 }), async (parts, bytes) => {
        const source = new PassThrough();
        const collector = new Collector(bytes);
        new FrameAssembly(source, bytes, collector);
        for (const part of parts) source.write(part);
        source.end();
        await new Promise((resolve) => source.on('end', resolve));
        const all = parts.flatMap((part) => [...part]);
        const whole = all.slice(0, Math.floor(all.length / bytes) * bytes);
        expect(collector.frames.flat()).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  test('keeps what was read beyond the frame that asked for a pause', async () => {
    const source = new PassThrough();
    const collector = new Collector(2);
    const complete = vi.spyOn(collector, 'complete');
    complete.mockImplementation(() => {
      collector.frames.push([collector.frames.length]);
      return 'pause';
    });
    const assembly = new FrameAssembly(source, 2, collector);
    source.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
    await vi.waitFor(() => expect(collector.frames).toHaveLength(1));
    source.write(Uint8Array.of(8));
    for (const expected of [2, 3, 4]) {
      assembly.resume();
      await vi.waitFor(() => expect(collector.frames).toHaveLength(expected));
    }
  });
});

describe('PictureChange', () => {
  test('tells another picture from the same', () => {
    const picture = new PictureChange();
    const frame = new Uint8Array(640 * 384 * 3).fill(90);
    expect(picture.differs(frame)).toBe(true);
    expect(picture.differs(frame)).toBe(false);
    const moved = frame.slice();
    // A square of 64 x 64 pixels.
    for (let y = 100; y < 164; y++) moved.fill(200, y * 640 + 100, y * 640 + 164);
    expect(picture.differs(moved)).toBe(true);
    expect(picture.differs(moved)).toBe(false);
  });
});

describe('frame clocks', () => {
  let monoMs = 1000;
  const clock: Clock = {
    monotonicMs: () => monoMs,
    wallMs: () => monoMs + 5000,
    setTimeout: () => ({ cancel() {} }),
  };
  const stream = { codec: 'h264', width: 2, height: 2, fps: 10, pixelFormat: null };

  test('arrivalTime is now', () => {
    monoMs = 1234;
    expect(arrivalTime(clock).timeOf(7)).toEqual({ monoMs: 1234, wallMs: 6234 });
  });

  test('liveTime takes away what ffmpeg holds back, and never much', () => {
    monoMs = 1000;
    const frames = liveTime(clock);
    frames.begin(stream);
    expect(frames.timeOf(0)).toEqual({ monoMs: 800, wallMs: 5800 });
    frames.begin({ ...stream, fps: null });
    expect(frames.timeOf(0)).toEqual({ monoMs: 1000, wallMs: 6000 });
    frames.begin({ ...stream, fps: 0.2 });
    expect(frames.timeOf(0)).toEqual({ monoMs: 500, wallMs: 5500 });
  });

  test('mediaTime runs on from clip to clip, whatever time it takes', () => {
    monoMs = 1000;
    const frames = mediaTime(clock, 'all');
    frames.begin(stream);
    expect(frames.timeOf(0)).toEqual({ monoMs: 1000, wallMs: 6000 });
    monoMs = 9999;
    expect(frames.timeOf(1)).toEqual({ monoMs: 1100, wallMs: 6100 });
    frames.begin({ ...stream, fps: 4 });
    expect(frames.timeOf(0).monoMs).toBe(1200);
    expect(frames.timeOf(1).monoMs).toBe(1450);
  });

  test('mediaTime at a chosen rate', () => {
    monoMs = 0;
    const frames = mediaTime(clock, 5);
    frames.begin(stream);
    expect(frames.timeOf(3).monoMs).toBe(600);
  });
});

describe('Playlist', () => {
  test('plays in order, once', () => {
    const playlist = new Playlist(['a', 'b'], false);
    expect(playlist.current).toBe('a');
    expect(playlist.played()).toBe('next');
    expect(playlist.current).toBe('b');
    expect(playlist.played()).toBe('end');
  });

  test('loops', () => {
    const playlist = new Playlist(['a'], true);
    expect([playlist.played(), playlist.current]).toEqual(['next', 'a']);
  });

  test('skips what fails, until nothing is left', () => {
    const playlist = new Playlist(['a', 'b'], true);
    expect([playlist.failed(), playlist.played(), playlist.failed(), playlist.failed()]).toEqual([
      'next',
      'next',
      'next',
      'none-left',
    ]);
  });
});
