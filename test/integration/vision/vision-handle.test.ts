import sharp, { type Region } from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import type { SnapshotImage } from '../../../src/vision/contract.ts';
import { clipPath, testWithAssets } from '../../support/assets.ts';
import { childProcesses } from '../../support/capture.ts';
import { temporaryFolder, waitFor } from '../../support/program.ts';
import { clipCamera, detectorSpec, fastClock, VisionUnderTest } from '../../support/vision.ts';

const CLIP = 'people-walking.mp4';
const CLIP_FRAMES = 279;
const preparedDir = temporaryFolder('prepared');
const real = testWithAssets({ models: 'yolov8n.onnx', media: CLIP });
let running: VisionUnderTest[] = [];

function run(
  cameras: Parameters<typeof clipCamera>[],
  detector: Parameters<typeof detectorSpec>[1] = {},
  clock = systemClock,
): VisionUnderTest {
  const vision = new VisionUnderTest(
    {
      detector: detectorSpec(preparedDir, detector),
      cameras: cameras.map((each) => clipCamera(...each)),
    },
    clock,
  );
  running.push(vision);
  return vision;
}

afterEach(async () => {
  await Promise.all(running.map(({ handle }) => handle.stop()));
  running = [];
  // Nothing may outlive the handle: neither the process nor an ffmpeg of it.
  await waitFor('no process is left', () => childProcesses().length === 0, 5000);
});

async function brightest(image: SnapshotImage | null, part: Region): Promise<number> {
  const { channels } = await sharp(await sharp(image?.jpeg).extract(part).toBuffer()).stats();
  return Math.max(...channels.map(({ max }) => max));
}

describe('VisionHandle', () => {
  real('analyses every frame of a clip, in order, on the provider that works', async () => {
    const vision = run([['walk', clipPath(CLIP)]], { providers: ['tensorrt', 'cuda', 'cpu'] });
    await waitFor('the clip is over', () => vision.results.length === CLIP_FRAMES, 55_000);
    expect(vision.results.map(({ frameId }) => frameId)).toEqual(
      Array.from({ length: CLIP_FRAMES }, (_, index) => index),
    );
    const people = vision.results.filter(({ detections }) =>
      detections.some(({ label, score }) => label === 'person' && score > 0.5),
    );
    expect(people.length).toBeGreaterThan(0.95 * CLIP_FRAMES);
    await waitFor('the counters', () => vision.counters[0]?.framesAnalysed === CLIP_FRAMES);
    expect(vision.counters[0]).toMatchObject({ framesReceived: CLIP_FRAMES, framesDropped: 0 });
    const { provider, state, restarts, fault } = vision.handle.status;
    expect({ state, restarts, fault }).toEqual({ state: 'running', restarts: 0, fault: null });
    expect(provider).toMatchObject({ form: 'prepared', formReason: null });
    // On a machine without a GPU both are refused, each with the reason.
    for (const { reason } of provider?.refused ?? []) expect(reason).toMatch(/\w/);
    expect(provider?.refused.length).toBe(
      ['tensorrt', 'cuda', 'cpu'].indexOf(provider?.provider ?? ''),
    );
  });

  real('gives the picture of a frame, for a moment', async () => {
    const right = [
      { x: 0.5, y: 0 },
      { x: 1, y: 0 },
      { x: 1, y: 1 },
      { x: 0.5, y: 1 },
    ];
    const snapshot = { maxWidth: 800, maxHeight: 600, hidden: [right] };
    const vision = run([['walk', clipPath(CLIP), { pace: 'realtime' }, { snapshot }]]);
    const result = await waitFor('a result', () => vision.results.at(-1));
    const image = await vision.handle.snapshot('walk', result.frameId, 1280);
    expect(image).toMatchObject({ width: 800, height: 450 });
    expect([...(image?.jpeg.subarray(0, 3) ?? [])]).toEqual([0xff, 0xd8, 0xff]);
    // The right half is hidden, the left one is seen.
    expect(await brightest(image, { left: 400, top: 0, width: 400, height: 450 })).toBeLessThan(16);
    expect(await brightest(image, { left: 0, top: 0, width: 390, height: 450 })).toBeGreaterThan(
      99,
    );
    const next = await waitFor('another', () =>
      vision.results.find((each) => each.frameId > result.frameId),
    );
    expect(await vision.handle.snapshot('walk', next.frameId, 320)).toMatchObject({
      width: 320,
      height: 180,
    });
    expect(await vision.handle.snapshot('nobody', 1, 320)).toBeNull();
  });

  real('is detecting again soon when its process is killed, and says what happened', async () => {
    const vision = run([['walk', clipPath(CLIP), { pace: 'realtime', loop: true }]]);
    await waitFor('results', () => vision.results.length > 3);
    const { pid } = vision.handle.status;
    const before = vision.results.length;
    process.kill(pid!, 'SIGKILL');
    await waitFor('a result of the new process', () => vision.results.length > before, 30_000);
    expect(vision.handle.status.pid).not.toBe(pid);
    expect(vision.handle.status.restarts).toBe(1);
    expect(vision.results[before]!.frameId).toBeGreaterThan(vision.results[before - 1]!.frameId);
    const told = vision.statuses.find(({ fault }) => fault !== null);
    expect(told).toMatchObject({ state: 'backing-off', fault: { code: 'VISION_PROCESS_DIED' } });
    expect(vision.statuses.at(-1)).toMatchObject({ state: 'streaming', fault: null });
  });

  real('does not play a clip again that was over when its process was killed', async () => {
    const vision = run([
      ['over', clipPath(CLIP), {}, { fps: 1 }],
      ['walk', clipPath(CLIP), { pace: 'realtime', loop: true }, { fps: 2 }],
    ]);
    await waitFor('the end of the clip', () => vision.isFinished('over'));
    await waitFor(
      'all results',
      () =>
        vision.counters[0]?.framesAnalysed === vision.of('over').length &&
        vision.of('over').length > 0,
    );
    const before = { over: vision.of('over').length, walk: vision.of('walk').length };
    process.kill(vision.handle.status.pid!, 'SIGKILL');
    await waitFor('the other goes on', () => vision.of('walk').length > before.walk + 3);
    expect(vision.of('over')).toHaveLength(before.over);
  });

  real('replaces a process that hangs', async () => {
    const vision = run(
      [['walk', clipPath(CLIP), { pace: 'realtime', loop: true }]],
      {},
      fastClock(4),
    );
    await waitFor('results', () => vision.results.length > 0);
    const { pid } = vision.handle.status;
    process.kill(pid!, 'SIGSTOP');
    await waitFor('another process', () => ![null, pid].includes(vision.handle.status.pid));
    expect(vision.statuses.find(({ fault }) => fault !== null)?.fault?.message).toMatch(
      /did not answer/,
    );
  });

  real('serves two cameras alike, and a slow one as soon as it has a frame', async () => {
    const vision = run([
      ['a', clipPath(CLIP), { loop: true }],
      ['b', clipPath(CLIP), { loop: true }],
      ['slow', clipPath(CLIP), { pace: 'realtime', loop: true }, { fps: 2 }],
    ]);
    await waitFor('many results', () => vision.results.length > 150, 45_000);
    const [a, b] = [vision.of('a').length, vision.of('b').length];
    expect(Math.abs(a - b)).toBeLessThanOrEqual(0.1 * (a + b) + 4);
    const slow = vision.counters.find(({ cameraId }) => cameraId === 'slow');
    expect(slow?.framesDropped).toBe(0);
    expect(vision.of('slow').length).toBeGreaterThan(0);
  });

  real('says why a detector cannot run, and goes on trying', async () => {
    const vision = run([['walk', clipPath(CLIP)]], { labels: ['unicorn'] });
    await waitFor('a restart', () => vision.handle.status.restarts > 1);
    const { fault } = vision.statuses.at(-1)!;
    expect(fault).toMatchObject({ code: 'MODEL_LABELS_UNKNOWN' });
    expect(fault?.message).toMatch(/unicorn/);
    await vision.handle.stop();
    expect(vision.states.at(-1)).toBe('stopped');
  });

  test('stops before it has begun', async () => {
    const vision = run([['walk', 'none.mp4']], { model: 'test-detector', labels: null });
    await vision.handle.stop();
    expect(vision.handle.status).toMatchObject({ state: 'stopped', pid: null });
    expect(vision.results).toEqual([]);
  });
});
