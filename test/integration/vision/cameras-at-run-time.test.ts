import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { CameraSpec } from '../../../src/capture/contract.ts';
import { clipPath, testWithAssets } from '../../support/assets.ts';
import { childProcesses } from '../../support/capture.ts';
import { temporaryFolder, waitFor } from '../../support/program.ts';
import { loadClip, RtspCamera } from '../../support/rtsp-camera.ts';
import { clipCamera, detectorSpec, VisionUnderTest } from '../../support/vision.ts';

const CLIP = 'people-walking.mp4';
const real = testWithAssets({ models: 'yolov8n.onnx', media: CLIP });
const preparedDir = temporaryFolder('prepared');
/** A second is the aim; a machine that is busy with other work must not decide. */
const GAP_LIMIT_MS = 5000;
/** How often cameras come and go to see whether something of them stays; `npm run test:cameras` has 50. */
const VISITS = Number(process.env.APEX_CAMERA_VISITS ?? 6);
/** Memory that the first visits took is used again by the others. */
const EARLY = Math.ceil(VISITS / 5);
let cameras: RtspCamera;
let port = 0;
let vision: VisionUnderTest | null = null;

function live(id: string, spec: Partial<CameraSpec> = {}): CameraSpec {
  const source = { kind: 'rtsp', url: `rtsp://127.0.0.1:${port}/walk`, transport: 'tcp' } as const;
  return { ...clipCamera(id, ''), source, fps: 5, ...spec };
}

function begin(...specs: CameraSpec[]): VisionUnderTest {
  vision = new VisionUnderTest({ detector: detectorSpec(preparedDir), cameras: specs });
  return vision;
}

function ffmpegs(): number {
  return childProcesses().filter(({ commandLine }) => commandLine.includes('pipe:1')).length;
}

/** Longest time between the frames of a camera that were analysed one after the other. */
function longestGapMs(tested: VisionUnderTest, cameraId: string): number {
  const times = tested.of(cameraId).map(({ monoMs }) => monoMs);
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)));
}

function expectUndisturbed(tested: VisionUnderTest, cameraId: string): void {
  const gapMs = longestGapMs(tested, cameraId);
  console.log(`longest gap between frames of ${cameraId}: ${gapMs.toFixed(0)} ms`);
  expect(gapMs).toBeLessThan(GAP_LIMIT_MS);
  const told = tested.statuses.filter((status) => status.cameraId === cameraId);
  expect(told.map(({ state }) => state)).not.toContain('backing-off');
  expect(Math.max(...told.map(({ reconnects }) => reconnects))).toBe(0);
  expect(tested.handle.status.restarts).toBe(0);
}

beforeAll(async () => {
  cameras = new RtspCamera({ auth: null });
  cameras.addMount('walk', await loadClip(clipPath(CLIP)), { loop: true, wallclock: true });
  port = await cameras.listen(0);
});

afterEach(async () => {
  await vision?.handle.stop();
  vision = null;
  await waitFor('no process is left', () => childProcesses().length === 0, 5000);
});

afterAll(() => cameras.close());

describe('cameras of the running vision process', () => {
  real('come and go beside each other', async () => {
    const tested = begin(live('first'));
    await waitFor('frames', () => tested.of('first').length > 5);
    tested.handle.addCamera(live('second', { fps: 2 }));
    await waitFor('frames of the second', () => tested.of('second').length > 5);
    expect(ffmpegs()).toBe(2);
    await tested.handle.removeCamera('second');
    expect(ffmpegs()).toBe(1);
    const told = tested.of('second').length;
    const before = tested.of('first').length;
    await waitFor('more of the first', () => tested.of('first').length > before + 10);
    expect(tested.of('second')).toHaveLength(told);
    expect(tested.counters.map(({ cameraId }) => cameraId)).toEqual(['first']);
    expectUndisturbed(tested, 'first');
  });

  real('are analysed more often when asked', async () => {
    const tested = begin(live('other'), live('walk', { fps: 2 }));
    const rate = () => tested.counters.find(({ cameraId }) => cameraId === 'walk')?.fps ?? 0;
    await waitFor('two a second', () => tested.of('walk').length > 10 && rate() < 2.6);
    const { pid } = tested.handle.status;
    await tested.handle.changeCamera(live('walk', { fps: 8 }));
    await waitFor('more than two a second', () => rate() > 4);
    expect(tested.handle.status.pid).toBe(pid);
    expect(tested.statuses.at(-1)?.reconnects).toBe(0);
    expectUndisturbed(tested, 'other');
  });

  real('are analysed in another size when asked', async () => {
    const tested = begin(live('other'), live('walk'));
    const analysed = () =>
      tested.statuses.findLast(({ cameraId }) => cameraId === 'walk')?.analysed ?? null;
    await waitFor('frames', () => tested.of('walk').length > 3);
    expect(analysed()).toEqual({ width: 640, height: 360 });
    const small = { maxWidth: 320, maxHeight: 320 };
    await tested.handle.changeCamera(live('walk', { analysed: small }));
    const before = tested.of('walk').length;
    await waitFor('frames in the small size', () => tested.of('walk').length > before + 3);
    expect(analysed()).toEqual({ width: 320, height: 180 });
    // What is found has the same place in the picture.
    const people = tested
      .of('walk')
      .slice(before)
      .flatMap(({ detections }) => detections);
    for (const { box } of people) expect(box.x + box.width).toBeLessThanOrEqual(1);
    expectUndisturbed(tested, 'other');
  });

  real('are still as they were asked for after a restart of the process', async () => {
    const tested = begin(live('first'));
    await waitFor('frames', () => tested.of('first').length > 3);
    tested.handle.addCamera(live('added', { analysed: { maxWidth: 320, maxHeight: 320 } }));
    await waitFor('frames of the added', () => tested.of('added').length > 3);
    const { pid } = tested.handle.status;
    process.kill(pid!, 'SIGKILL');
    await waitFor('a new process', () => ![null, pid].includes(tested.handle.status.pid));
    const before = tested.of('added').length;
    await waitFor('frames of the new process', () => tested.of('added').length > before + 3);
    const now = tested.statuses.findLast(({ cameraId }) => cameraId === 'added');
    expect(now).toMatchObject({ state: 'streaming', analysed: { width: 320, height: 180 } });
  });

  real('may be the first of a process that has none', async () => {
    const tested = begin();
    await waitFor('the detector runs', () => tested.handle.status.state === 'running');
    tested.handle.addCamera(live('walk'));
    await waitFor('frames', () => tested.of('walk').length > 3);
    await tested.handle.removeCamera('walk');
    expect(ffmpegs()).toBe(0);
  });

  real(
    `leave nothing behind when they come and go ${VISITS} times`,
    async () => {
      const tested = begin(live('stays'));
      await waitFor('frames', () => tested.of('stays').length > 3);
      const { pid } = tested.handle.status;
      const descriptors = () => readdirSync(`/proc/${pid}/fd`).length;
      const rssMb = () =>
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
      const use: { descriptors: number; rssMb: number }[] = [];
      for (let round = 0; round < VISITS; round++) {
        const id = `guest-${round}`;
        tested.handle.addCamera(live(id));
        await waitFor('a frame', () => tested.of(id).length > 0);
        await tested.handle.removeCamera(id);
        use.push({ descriptors: descriptors(), rssMb: rssMb() });
      }
      expect(ffmpegs()).toBe(1);
      const [early, late] = [use[EARLY - 1]!, use[VISITS - 1]!];
      console.log(`after ${EARLY} and ${VISITS} visits`, early, late);
      expect(late.descriptors).toBeLessThanOrEqual(early.descriptors + 2);
      expect(late.rssMb).toBeLessThan(early.rssMb + 40);
      expect(tested.handle.status.pid).toBe(pid);
      expectUndisturbed(tested, 'stays');
    },
    900_000,
  );
});
