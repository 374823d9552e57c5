import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, vi } from 'vitest';
import { makeEventId } from '../../../src/events/event-id.ts';
import { CameraClips } from '../../../src/evidence/clips/camera-clips.ts';
import { PacketRing } from '../../../src/evidence/clips/packet-ring.ts';
import { EvidenceFiles } from '../../../src/evidence/evidence-files.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { clipPath, testWithAssets } from '../../support/assets.ts';
import { CaptureUnderTest } from '../../support/capture.ts';
import { loadClip, RtspCamera } from '../../support/rtsp-camera.ts';
import { probeVideo } from '../../support/video.ts';

const CLIP = 'people-walking.mp4';
const real = testWithAssets({ media: CLIP });
const WAIT = { timeout: 40_000, interval: 100 };

let loaded: Awaited<ReturnType<typeof loadClip>>;
let dir: string;
let camera: RtspCamera;
let capture: CaptureUnderTest;
let clips: CameraClips;
let files: EvidenceFiles;
let ticking: NodeJS.Timeout;

beforeAll(async () => {
  loaded = await loadClip(clipPath(CLIP));
});

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'apex-clips-'));
  camera = new RtspCamera();
  camera.addMount('cam', loaded);
  const port = await camera.listen(0);
  const ring = { dir: join(dir, "ring [of a 'camera']"), segmentS: 1 };
  files = new EvidenceFiles({
    ...{ evidence: 'clip', dir: join(dir, 'clips'), budgetBytes: 1e9, log: silentLogger },
    onEvicted: () => {},
  });
  clips = new CameraClips({
    ...{ cameraId: 'gate', files, ffmpegPath: 'ffmpeg', log: silentLogger },
    lengths: { preMs: 2000, postMs: 2000, maxMs: 60_000 },
    ring: new PacketRing({
      ...{ dir: ring.dir, keepMs: 6000, budgetBytes: 1e9 },
      ...{ clock: systemClock, log: silentLogger },
    }),
    workDir: join(dir, 'work'),
  });
  clips.open();
  const url = `rtsp://127.0.0.1:${port}/cam`;
  capture = new CaptureUnderTest({ kind: 'rtsp', url, transport: 'tcp' }, { ring });
  ticking = setInterval(() => clips.tick(systemClock.monotonicMs()), 100);
});

afterEach(async () => {
  clearInterval(ticking);
  await capture.capture.stop();
  await clips.finish();
  await camera.close();
  rmSync(dir, { recursive: true, force: true });
});

/** An alert now; gives where its clip will be. */
function alert(number = 1): string {
  const eventId = makeEventId(Date.now(), number, Math.random);
  clips.alert(eventId, systemClock.monotonicMs());
  return files.pathOf('gate', eventId) ?? '';
}

function frames(count: number): Promise<void> {
  return vi.waitFor(() => expect(capture.sink.frames.length).toBeGreaterThan(count), WAIT);
}

function made(path: string): Promise<void> {
  return vi.waitFor(() => expect(existsSync(path)).toBe(true), WAIT);
}

/** Checksums of the compressed pictures of a file, in their order. */
function packets(path: string): string[] {
  const copy = [
    '-map',
    '0:v:0',
    '-c',
    'copy',
    '-bsf:v',
    'h264_mp4toannexb,filter_units=pass_types=1-5',
  ];
  const text = execFileSync('ffmpeg', ['-v', 'error', '-i', path, ...copy, '-f', 'framemd5', '-'], {
    encoding: 'utf8',
  });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(',').at(-1)?.trim() ?? '');
}

describe('clips', () => {
  real(
    'show the seconds before and after an alert, packet by packet as the camera sent them',
    async () => {
      await frames(20);
      const path = alert();
      await made(path);
      const { codec, seconds } = probeVideo(path);
      expect(codec).toBe('h264');
      expect(seconds).toBeGreaterThan(3.5);
      // Whole segments of about a second, to either side.
      expect(seconds).toBeLessThan(8);
      const sent = new Set(packets(clipPath(CLIP)));
      const kept = packets(path);
      expect(kept.length).toBeGreaterThan(30);
      expect(kept.filter((sum) => !sent.has(sum))).toEqual([]);
      // Every picture of it can be decoded.
      execFileSync('ffmpeg', ['-v', 'error', '-xerror', '-i', path, '-f', 'null', '-']);
    },
  );

  real('of alerts that follow each other are one, under the name of each', async () => {
    await frames(15);
    const first = alert(1);
    await frames(capture.sink.frames.length + 8);
    const second = alert(2);
    await made(second);
    expect(probeVideo(first)).toEqual(probeVideo(second));
    expect(probeVideo(first).seconds).toBeGreaterThan(5);
    expect(clips.counts).toEqual({ made: 1, missed: 0 });
  });

  real('go on over a connection that was cut', async () => {
    await frames(15);
    const path = alert();
    camera.kickAll();
    await made(path);
    expect(probeVideo(path).seconds).toBeGreaterThan(2);
    execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'null', '-']);
  });

  real('keep no more packets than they need', async () => {
    const ring = join(dir, "ring [of a 'camera']");
    // Twelve seconds.
    await frames(60);
    expect(readdirSync(ring).length).toBeGreaterThan(2);
    expect(readdirSync(ring).length).toBeLessThan(11);
  });
});
