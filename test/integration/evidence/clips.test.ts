import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
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
let packetRing: PacketRing;
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
  const ring = { dir: ringDir(), segmentS: 1 };
  files = new EvidenceFiles({
    ...{ evidence: 'clip', dir: join(dir, 'clips'), budgetBytes: 1e9, log: silentLogger },
    onEvicted: () => {},
  });
  packetRing = new PacketRing({
    ...{ dir: ring.dir, keepMs: 6000, budgetBytes: 1e9 },
    ...{ clock: systemClock, log: silentLogger },
  });
  clips = new CameraClips({
    ...{ cameraId: 'gate', files, ffmpegPath: 'ffmpeg', log: silentLogger },
    lengths: { preMs: 2000, postMs: 2000, maxMs: 60_000 },
    ring: packetRing,
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

/** A generated video of some seconds, played in its own time. */
async function play(name: string, codec: readonly string[]): Promise<void> {
  await capture.capture.stop();
  const path = join(dir, name);
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=10:duration=25'];
  const sound = ['-f', 'lavfi', '-i', 'sine=duration=25', '-c:a', 'aac', '-shortest'];
  execFileSync('ffmpeg', ['-v', 'error', ...picture, ...sound, ...codec, path]);
  const source = { kind: 'file', paths: [path], pace: 'realtime', loop: false } as const;
  capture = new CaptureUnderTest(source, { ring: { dir: ringDir(), segmentS: 1 } });
}

const ringDir = () => join(dir, "ring [of a 'camera']");

/** Fourcc of the pictures, and the times at which they are shown, seconds. */
function pictures(path: string): { tag: string; streams: number; times: number[] } {
  const entries = ['-show_entries', 'stream=codec_tag_string:packet=pts_time,dts_time'];
  const text = execFileSync('ffprobe', ['-v', 'error', ...entries, '-of', 'json', path], {
    encoding: 'utf8',
  });
  const { streams, packets: all } = JSON.parse(text) as {
    streams: { codec_tag_string: string }[];
    packets: { pts_time: string; dts_time: string }[];
  };
  const orders = all.map(({ dts_time: time }) => Number(time));
  expect(orders).toEqual([...new Set(orders)].sort((a, b) => a - b));
  const times = all.map(({ pts_time: time }) => Number(time)).sort((a, b) => a - b);
  return { tag: streams[0]?.codec_tag_string ?? '', streams: streams.length, times };
}

describe('clips of a camera', () => {
  const plays = (path: string) =>
    execFileSync('ffmpeg', ['-v', 'error', '-xerror', '-i', path, '-f', 'null', '-']);

  test('with HEVC, sound and a key frame a second play wherever HEVC does', async () => {
    await play('hevc.mkv', ['-c:v', 'libx265', '-x265-params', 'log-level=none:keyint=10']);
    await frames(20);
    const path = alert();
    await made(path);
    expect(pictures(path)).toMatchObject({ tag: 'hvc1', streams: 1 });
    expect(probeVideo(path).codec).toBe('hevc');
    expect(probeVideo(path).seconds).toBeGreaterThan(3.5);
    plays(path);
  });

  test('with B-frames and five seconds between key frames begin at the one before', async () => {
    await play('gop.mkv', ['-c:v', 'libx264', '-bf', '2', '-g', '50', '-sc_threshold', '0']);
    await frames(38);
    const path = alert();
    await made(path);
    const { times } = pictures(path);
    // Two seconds before and two after the alert, and what the key frames add.
    expect(probeVideo(path).seconds).toBeGreaterThan(4);
    expect(probeVideo(path).seconds).toBeLessThan(15.5);
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...steps)).toBeLessThan(0.15);
    plays(path);
  });
});

test('pictures of another size after the camera came back are in no clip of those before', async () => {
  await capture.capture.stop();
  const segment = async (name: string, size: string) => {
    const picture = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=10:duration=2`];
    const coded = ['-c:v', 'libx264', '-f', 'mpegts', join(ringDir(), name)];
    execFileSync('ffmpeg', ['-v', 'error', ...picture, ...coded]);
    const isSeen = () => packetRing.covering(0, 1e15).some(({ path }) => path.endsWith(name));
    await vi.waitFor(() => expect(isSeen()).toBe(true), WAIT);
  };
  await segment('1_h264_320x240-000000.ts', '320x240');
  const path = alert();
  await segment('2_h264_640x480-000000.ts', '640x480');
  await clips.finish();
  const size = ['-show_entries', 'stream=width', '-of', 'csv=p=0'];
  const widths = execFileSync('ffprobe', ['-v', 'error', ...size, path], { encoding: 'utf8' });
  expect(widths.trim()).toBe('320');
  expect(probeVideo(path).seconds).toBeLessThan(2.5);
});

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
    // Twelve seconds.
    await frames(60);
    expect(readdirSync(ringDir()).length).toBeGreaterThan(2);
    expect(readdirSync(ringDir()).length).toBeLessThan(11);
  });
});
