import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, vi } from 'vitest';
import type { CameraSource } from '../../../src/capture/contract.ts';
import { clipPath, testWithAssets } from '../../support/assets.ts';
import { CaptureUnderTest, childProcesses, smallGeometry } from '../../support/capture.ts';
import { loadClip, RtspCamera } from '../../support/rtsp-camera.ts';

const CLIP = 'one-by-one-person-detection.mp4';
const test = testWithAssets({ media: CLIP });
const PASSWORD = "s'ecret pass";
const STREAM = { codec: 'h264', width: 768, height: 432, fps: 10, pixelFormat: 'yuv420p' };
/** A known stream and decoder save the probe, where the probe is not what is tested. */
const known = {
  hint: { stream: STREAM, decoder: { decoder: 'software' as const, refused: [] } },
};

let clip: Awaited<ReturnType<typeof loadClip>>;
let camera: RtspCamera;
let port: number;
const captures: CaptureUnderTest[] = [];

function capture(...args: ConstructorParameters<typeof CaptureUnderTest>): CaptureUnderTest {
  const started = new CaptureUnderTest(...args);
  captures.push(started);
  return started;
}

function source(path = 'cam', transport: 'tcp' | 'udp' = 'tcp'): CameraSource {
  const user = camera.auth === null ? '' : `admin:${encodeURIComponent(PASSWORD)}@`;
  return { kind: 'rtsp', url: `rtsp://${user}127.0.0.1:${port}/${path}`, transport };
}

function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 15_000, interval: 20 });
}

async function startCamera(onPort = 0): Promise<void> {
  camera = new RtspCamera();
  camera.addMount('cam', clip);
  port = await camera.listen(onPort);
}

beforeAll(async () => {
  clip = await loadClip(clipPath(CLIP));
});

afterEach(async () => {
  await Promise.all(captures.splice(0).map((started) => started.capture.stop()));
  await camera.close();
  expect(childProcesses().filter(({ commandLine }) => commandLine.includes('ffmpeg'))).toEqual([]);
});

/** Frames of the clip as ffmpeg alone makes them: every frame, letterboxed. */
function referenceFrames(count: number): Uint8Array[] {
  const g = smallGeometry(STREAM);
  const scale = `scale=${g.contentWidth}:${g.contentHeight}:flags=bilinear,format=rgb24,format=gbrp`;
  const pad = `pad=${g.modelWidth}:${g.modelHeight}:${g.padLeft}:${g.padTop}:color=0x727272`;
  const args = ['-v', 'error', '-i', clipPath(CLIP), '-vf', `${scale},${pad}`];
  const raw = ['-frames:v', `${count}`, '-f', 'rawvideo', 'pipe:1'];
  const bytes = execFileSync('ffmpeg', [...args, ...raw], { maxBuffer: 2 ** 30 });
  const size = g.modelWidth * g.modelHeight * 3;
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

describe('frames', () => {
  test('are the camera’s own pictures, every second of ten at fps 5, with their snapshots', async () => {
    await startCamera();
    const { sink, capture: running } = capture(source(), {
      snapshot: { maxWidth: 400, maxHeight: 400, hidden: [] },
    });
    await until(() =>
      expect(Math.min(sink.frames.length, sink.pictures.length)).toBeGreaterThan(6),
    );
    expect(running.status).toMatchObject({
      state: 'streaming',
      fault: null,
      stream: STREAM,
      decoder: { decoder: 'software', refused: [] },
    });
    expect(sink.openings).toEqual([
      { stream: STREAM, geometry: smallGeometry(STREAM), pictureSize: { width: 400, height: 224 } },
    ]);
    const all = referenceFrames(20);
    const positions = sink.frames
      .slice(0, 7)
      .map((frame) => all.findIndex((reference) => Buffer.compare(frame, reference) === 0));
    expect(positions).not.toContain(-1);
    // ffmpeg knows the time of the first packets of an RTP stream only afterwards.
    const steps = positions.slice(3).map((position, i) => position - positions[i + 2]!);
    expect(steps.slice(1)).toEqual([2, 2, 2]);
    expect(Math.abs(sink.frames.length - sink.pictures.length)).toBeLessThanOrEqual(1);
    expect(sink.pictures[0]).toHaveLength(400 * 224 * 3);
    const gaps = sink.metas.slice(1).map(({ monoMs }, i) => monoMs - (sink.metas[i]?.monoMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  });

  test('come over UDP', async () => {
    await startCamera();
    const { sink } = capture(source('cam', 'udp'), { fps: 'all' }, known);
    await until(() => expect(sink.frames.length).toBeGreaterThan(5));
  });

  test('go on when the camera’s timestamps jump', async () => {
    await startCamera();
    const { sink, states } = capture(source(), {}, known);
    await until(() => expect(sink.frames.length).toBeGreaterThan(2));
    camera.faults.timestampOffsetMs = 3_600_000;
    await until(() => expect(sink.frames.length).toBeGreaterThan(7));
    camera.faults.timestampOffsetMs = 0;
    const before = sink.frames.length;
    await until(() => expect(sink.frames.length).toBeGreaterThan(before + 5));
    expect(states).not.toContain('stalled');
  });
});

describe('secrets', () => {
  test('the password is in no command line and in no status', async () => {
    await startCamera();
    camera.auth = { user: 'admin', password: PASSWORD, digest: true };
    const { sink, statuses } = capture(source());
    const seen: string[] = [];
    await until(() => {
      seen.push(...childProcesses().map(({ commandLine }) => commandLine));
      expect(sink.frames.length).toBeGreaterThan(2);
    });
    expect(seen.some((line) => line.includes('ffmpeg'))).toBe(true);
    expect(JSON.stringify([seen, statuses])).not.toMatch(/ecret/);
  });
});

describe('causes', () => {
  const refusals = [
    { code: 'CAPTURE_AUTH_FAILED', refuse: 401, path: 'cam', waitMs: 30_000 },
    { code: 'CAPTURE_PATH_UNKNOWN', refuse: 0, path: 'nowhere', waitMs: 30_000 },
    { code: 'CAPTURE_TOO_MANY_SESSIONS', refuse: 453, path: 'cam', waitMs: 0 },
    { code: 'CAPTURE_TOO_MANY_SESSIONS', refuse: 503, path: 'cam', waitMs: 0 },
  ];
  for (const { code, refuse, path, waitMs } of refusals) {
    test(`${code} when the camera answers ${refuse || 404}`, async () => {
      await startCamera();
      camera.faults.refuse = refuse;
      const { statuses } = capture(source(path), {}, { random: () => 0.999 });
      await until(() => expect(statuses.at(-1)?.state).toBe('backing-off'));
      const { fault, retryAtMonoMs, sinceMonoMs } = statuses.at(-1)!;
      expect(fault?.code).toBe(code);
      expect(fault?.remedy).not.toBe('');
      expect(retryAtMonoMs! - sinceMonoMs).toBeGreaterThanOrEqual(waitMs);
    });
  }

  test('CAPTURE_AUTH_FAILED for a wrong password, in Basic and in Digest', async () => {
    await startCamera();
    for (const digest of [false, true]) {
      camera.auth = { user: 'admin', password: 'another', digest };
      const running = capture(source());
      await until(() => expect(running.faultCode).toBe('CAPTURE_AUTH_FAILED'));
    }
  });

  test('CAPTURE_REFUSED when nothing listens, and recovery when the camera comes back', async () => {
    await startCamera();
    await camera.close();
    const running = capture(source(), {}, { ...known, random: () => 0.3 });
    await until(() => expect(running.faultCode).toBe('CAPTURE_REFUSED'));
    await startCamera(port);
    await until(() => expect(running.sink.frames.length).toBeGreaterThan(0));
    expect(running.capture.status).toMatchObject({ state: 'streaming', fault: null });
    expect(running.capture.status.reconnects).toBeGreaterThan(0);
  });

  test('CAPTURE_TIMEOUT when the camera takes connections and keeps silent', async () => {
    await startCamera();
    const silent = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port: silentPort } = silent.address() as { port: number };
    const url = `rtsp://127.0.0.1:${silentPort}/cam`;
    const running = capture({ kind: 'rtsp', url, transport: 'tcp' }, { stallTimeoutMs: 1000 });
    await until(() => expect(running.faultCode).toBe('CAPTURE_TIMEOUT'));
    await running.capture.stop();
    silent.close();
  });

  test('a refused address is final', async () => {
    await startCamera();
    const running = capture({ kind: 'rtsp', url: 'http://127.0.0.1/cam', transport: 'tcp' });
    await until(() => expect(running.capture.status.state).toBe('failed'));
    expect(running.faultCode).toBe('CAPTURE_ADDRESS_REFUSED');
  });

  test('CAPTURE_FFMPEG_MISSING when there is no ffmpeg', async () => {
    await startCamera();
    const running = capture(source(), {}, { ffmpegPath: '/nonexistent/ffmpeg' });
    await until(() => expect(running.faultCode).toBe('CAPTURE_FFMPEG_MISSING'));
  });
});

describe('interruptions', () => {
  test('a stall is noticed, and the stream opened again', async () => {
    await startCamera();
    const running = capture(source(), { stallTimeoutMs: 1000 }, known);
    await until(() => expect(running.sink.frames.length).toBeGreaterThan(2));
    camera.faults.stall = true;
    await until(() => expect(running.faultCode).toBe('CAPTURE_STALLED'));
    camera.faults.stall = false;
    const before = running.sink.frames.length;
    await until(() => expect(running.sink.frames.length).toBeGreaterThan(before));
    expect(running.states.slice(0, 4)).toEqual([
      'connecting',
      'streaming',
      'stalled',
      'backing-off',
    ]);
    expect(running.capture.status).toMatchObject({ state: 'streaming', fault: null });
  });

  test('a camera that is restarted is streaming again, and the sink hears of it', async () => {
    await startCamera();
    const running = capture(source(), {}, { ...known, random: () => 0.3 });
    await until(() => expect(running.sink.frames.length).toBeGreaterThan(2));
    await camera.close();
    await until(() => expect(running.capture.status.state).toBe('backing-off'));
    expect(running.sink.closings).toBe(1);
    await startCamera(port);
    await until(() => expect(running.sink.openings).toHaveLength(2));
    await until(() => expect(running.capture.status.state).toBe('streaming'));
  });

  test('a camera that runs by the wall clock goes on in mid-clip', async () => {
    camera = new RtspCamera();
    camera.addMount('cam', clip, { wallclock: true, startAtMs: Date.now() - 20_000 });
    port = await camera.listen();
    const { sink } = capture(source(), { fps: 'all' }, known);
    await until(() => expect(sink.frames.length).toBeGreaterThan(0));
    const position = referenceFrames(260).findIndex(
      (reference) => Buffer.compare(reference, sink.frames[0]!) === 0,
    );
    expect(position).toBeGreaterThanOrEqual(200);
  });

  test('a frozen picture is reported, and stays reported after one new connection', async () => {
    await startCamera();
    const running = capture(source(), { fps: 'all', frozenTimeoutMs: 700 }, known);
    await until(() => expect(running.sink.frames.length).toBeGreaterThan(5));
    camera.faults.frozen = true;
    await until(() => expect(running.sink.openings).toHaveLength(2));
    const before = running.sink.frames.length;
    await until(() => expect(running.sink.frames.length).toBeGreaterThan(before + 10));
    expect(running.capture.status).toMatchObject({ state: 'streaming', reconnects: 1 });
    expect(running.faultCode).toBe('CAPTURE_PICTURE_FROZEN');
    camera.faults.frozen = false;
    await until(() => expect(running.capture.status.fault).toBeNull());
    expect(running.capture.status.reconnects).toBe(1);
  });

  test('another picture size is noticed before a frame of it is delivered', async () => {
    await startCamera();
    const stream = { ...STREAM, width: 640, height: 480 };
    const { sink, statuses } = capture(source(), {}, { hint: { stream, decoder: null } });
    await until(() => expect(sink.frames.length).toBeGreaterThan(0));
    expect(sink.openings.map((opening) => opening.stream)).toEqual([STREAM]);
    expect(statuses.map(({ fault }) => fault?.code)).toContain('CAPTURE_STREAM_CHANGED');
  });
});

describe('rtsps', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'apex-tls-'));
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const subject = ['-days', '2', '-subj', '/CN=camera'];
    execFileSync('openssl', ['req', ...kind, ...subject, ...files], { stdio: 'ignore' });
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('streams through TLS', async () => {
    const key = readFileSync(join(folder, 'key.pem'));
    const cert = readFileSync(join(folder, 'cert.pem'));
    camera = new RtspCamera({ tls: { key, cert } });
    camera.addMount('cam', clip);
    port = await camera.listen();
    const url = `rtsps://127.0.0.1:${port}/cam`;
    const { sink } = capture({ kind: 'rtsp', url, transport: 'udp' }, {}, known);
    await until(() => expect(sink.frames.length).toBeGreaterThan(2));
  });

  test('CAPTURE_TLS from a camera without TLS', async () => {
    await startCamera();
    const url = `rtsps://127.0.0.1:${port}/cam`;
    const running = capture({ kind: 'rtsp', url, transport: 'tcp' }, { stallTimeoutMs: 1000 });
    await until(() => expect(running.faultCode).toBe('CAPTURE_TLS'));
  });
});
