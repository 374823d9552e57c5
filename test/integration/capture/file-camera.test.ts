import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CameraSource } from '../../../src/capture/contract.ts';
import { CaptureUnderTest, childProcesses, smallGeometry } from '../../support/capture.ts';

/** 2 s at 10 frames a second, H.264, 384x216. */
const FRAMES = 20;
let folder: string;
let clip: string;
const captures: CaptureUnderTest[] = [];

function capture(...args: ConstructorParameters<typeof CaptureUnderTest>): CaptureUnderTest {
  const started = new CaptureUnderTest(...args);
  captures.push(started);
  return started;
}

function file(
  paths: readonly string[],
  options: { pace?: 'realtime' | 'max'; loop?: boolean } = {},
): CameraSource {
  return { kind: 'file', paths, pace: 'max', loop: false, ...options };
}

function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 15_000, interval: 10 });
}

function finished({ capture: running }: CaptureUnderTest): Promise<void> {
  return until(() => expect(running.status.state).toBe('finished'));
}

function generate(path: string, ...options: string[]): void {
  const pattern = ['-f', 'lavfi', '-i', 'testsrc2=s=384x216:r=10:d=2'];
  execFileSync('ffmpeg', ['-v', 'error', ...pattern, ...options, path]);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'apex-clips-'));
  clip = join(folder, 'clip.mp4');
  generate(clip, '-c:v', 'libx264', '-pix_fmt', 'yuv420p');
});

afterEach(async () => {
  await Promise.all(captures.splice(0).map((started) => started.capture.stop()));
  expect(childProcesses().filter(({ commandLine }) => commandLine.includes('ffmpeg'))).toEqual([]);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('pace: max', () => {
  test('delivers every frame of the clip with its picture, dated by media time', async () => {
    const running = capture(file([clip]), {
      fps: 'all',
      snapshot: { maxWidth: 1280, maxHeight: 720, hidden: [] },
    });
    await finished(running);
    const { sink, states } = running;
    expect(states).toEqual(['connecting', 'streaming', 'finished']);
    expect(sink.frames).toHaveLength(FRAMES);
    expect(sink.pictures).toHaveLength(FRAMES);
    // Never enlarged.
    expect(sink.openings[0]?.pictureSize).toEqual({ width: 384, height: 216 });
    expect(sink.closings).toBe(1);
    const first = sink.metas[0]!;
    for (const [index, { monoMs, wallMs }] of sink.metas.entries()) {
      expect(monoMs - first.monoMs).toBeCloseTo(index * 100, 3);
      expect(wallMs - first.wallMs).toBeCloseTo(index * 100, 3);
    }
    const g = smallGeometry(sink.openings[0]!.stream);
    const filters = `scale=${g.contentWidth}:${g.contentHeight}:flags=bilinear,format=rgb24,format=gbrp,pad=${g.modelWidth}:${g.modelHeight}:${g.padLeft}:${g.padTop}:color=0x727272`;
    const args = ['-v', 'error', '-i', clip, '-vf', filters, '-f', 'rawvideo', 'pipe:1'];
    const reference = execFileSync('ffmpeg', args, { maxBuffer: 2 ** 28 });
    expect(Buffer.compare(Buffer.concat(sink.frames), reference)).toBe(0);
    // Padding is the grey that models were trained with.
    expect([...sink.frames[0]!.subarray(0, 320)].every((value) => value === 114)).toBe(true);
  });

  test('frame n is at n / fps of media time', async () => {
    const running = capture(file([clip]), { fps: 4 });
    await finished(running);
    expect(running.sink.metas.map(({ monoMs }) => monoMs - running.sink.metas[0]!.monoMs)).toEqual(
      running.sink.metas.map((_, index) => expect.closeTo(index * 250, 3)),
    );
    expect(running.sink.frames).toHaveLength(8);
  });

  test('waits while the sink is full, loses nothing, and does not take the wait for a stall', async () => {
    const running = capture(file([clip]), { fps: 'all', stallTimeoutMs: 300 });
    const { sink } = running;
    sink.pauseEvery = 7;
    await until(() => expect(sink.isPaused).toBe(true));
    const pausedAt = performance.now();
    await until(() => expect(performance.now() - pausedAt).toBeGreaterThan(600));
    expect(sink.frames).toHaveLength(7);
    const wake = setInterval(() => sink.isPaused && sink.resume(), 5);
    await finished(running);
    clearInterval(wake);
    expect(sink.frames).toHaveLength(FRAMES);
    expect(new Set(sink.frames.map((frame) => Buffer.from(frame).toString('base64'))).size).toBe(
      FRAMES,
    );
    expect(running.states).toEqual(['connecting', 'streaming', 'finished']);
  });

  test('stops while the sink is full', async () => {
    const { sink, capture: running } = capture(file([clip], { loop: true }), { fps: 'all' });
    sink.pauseEvery = 3;
    await until(() => expect(sink.isPaused).toBe(true));
    await running.stop();
    expect(sink.closings).toBe(1);
  });

  test('plays clips of any size, codec and rate one after the other, time running on', async () => {
    const other = join(folder, 'other.avi');
    generate(other, '-vf', 'scale=320:320', '-r', '5', '-c:v', 'mpeg4');
    const running = capture(file([clip, other]), { fps: 'all' });
    await finished(running);
    const { sink } = running;
    expect(sink.openings.map(({ stream }) => [stream.codec, stream.height])).toEqual([
      ['h264', 216],
      ['mpeg4', 320],
    ]);
    const others = sink.frames.length - FRAMES;
    expect(others).toBeGreaterThanOrEqual(10);
    const [first, last] = [sink.metas[0]!, sink.metas.at(-1)!];
    expect(last.monoMs - first.monoMs).toBeCloseTo(FRAMES * 100 + (others - 1) * 200, 3);
  });

  test('a clip that cannot be played is skipped', async () => {
    const broken = join(folder, 'broken.mp4');
    writeFileSync(broken, 'no video');
    const running = capture(file([broken, clip]), { fps: 'all' });
    await finished(running);
    expect(running.sink.frames).toHaveLength(FRAMES);
  });

  test('loops', async () => {
    const { sink } = capture(file([clip], { loop: true }), { fps: 'all' });
    await until(() => expect(sink.frames.length).toBeGreaterThan(2 * FRAMES));
    expect(Buffer.compare(sink.frames[0]!, sink.frames[FRAMES]!)).toBe(0);
  });
});

describe('pace: realtime', () => {
  test('takes as long as the clip lasts', async () => {
    const running = capture(file([clip], { pace: 'realtime' }), { fps: 'all' });
    await finished(running);
    const { metas } = running.sink;
    expect(metas).toHaveLength(FRAMES);
    expect(metas.at(-1)!.monoMs - metas[0]!.monoMs).toBeGreaterThan(1500);
  });
});

describe('paths', () => {
  test('are taken literally', async () => {
    const odd = join(folder, "it's %03d [x], y:z");
    mkdirSync(odd);
    const path = join(odd, '-i \'q\' "%d".mp4');
    copyFileSync(clip, path);
    const running = capture(file([path]), { fps: 'all' });
    await finished(running);
    expect(running.sink.frames).toHaveLength(FRAMES);
  });

  const refused = ['relative.mp4', 'http://127.0.0.1/clip.mp4', 'concat:/etc/passwd', '-version'];
  for (const path of refused) {
    test(`refuses ${path}`, async () => {
      const running = capture(file([path]));
      await until(() => expect(running.capture.status.state).toBe('failed'));
      expect(running.faultCode).toBe('CAPTURE_ADDRESS_REFUSED');
    });
  }

  test('a playlist in a file leads nowhere else', async () => {
    const playlist = join(folder, 'playlist.mp4');
    writeFileSync(
      playlist,
      '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:9/x.ts\n',
    );
    const running = capture(file([playlist]));
    await until(() => expect(running.faultCode).toBe('CAPTURE_FILE_UNREADABLE'));
  });
});

describe('causes', () => {
  test('CAPTURE_FILE_MISSING is tried again later', async () => {
    const path = join(folder, 'later.mp4');
    const running = capture(file([path]), {}, { random: () => 0 });
    await until(() => expect(running.faultCode).toBe('CAPTURE_FILE_MISSING'));
    expect(running.capture.status.state).toBe('backing-off');
  });

  test('CAPTURE_FILE_UNREADABLE is final', async () => {
    const path = join(folder, 'text.mp4');
    writeFileSync(path, 'hello');
    const running = capture(file([path]));
    await until(() => expect(running.capture.status.state).toBe('failed'));
    expect(running.faultCode).toBe('CAPTURE_FILE_UNREADABLE');
  });

  test('CAPTURE_NO_VIDEO for a file with sound only', async () => {
    const path = join(folder, 'sound.mp4');
    const tone = ['-f', 'lavfi', '-i', 'sine=d=1', '-c:a', 'aac', path];
    execFileSync('ffmpeg', ['-v', 'error', ...tone]);
    const running = capture(file([path]));
    await until(() => expect(running.faultCode).toBe('CAPTURE_NO_VIDEO'));
  });
});
