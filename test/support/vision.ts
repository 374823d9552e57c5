import type { CameraSpec, CameraStatus } from '../../src/capture/contract.ts';
import { type Clock, systemClock } from '../../src/system/clock.ts';
import { silentLogger } from '../../src/system/logger.ts';
import type { CameraCounters, DetectorSpec, FrameResult } from '../../src/vision/contract.ts';
import { VisionHandle } from '../../src/vision/handle.ts';
import { modelPath } from './assets.ts';

export function detectorSpec(preparedDir: string, spec: Partial<DetectorSpec> = {}): DetectorSpec {
  return {
    model: modelPath('yolov8n.onnx'),
    preparedDir,
    labels: ['person', 'car'],
    providers: ['cpu'],
    workers: null,
    threadsPerWorker: 1,
    minScore: 0.4,
    ...spec,
  };
}

/** A clip as a camera. */
export function clipCamera(
  id: string,
  path: string,
  source: { pace?: 'realtime' | 'max'; loop?: boolean } = {},
  spec: Partial<CameraSpec> = {},
): CameraSpec {
  return {
    id,
    source: { kind: 'file', paths: [path], pace: 'max', loop: false, ...source },
    fps: 'all',
    minScore: 0.4,
    labels: null,
    decoder: 'software',
    analysed: null,
    snapshot: null,
    ring: null,
    stallTimeoutMs: 10_000,
    frozenTimeoutMs: 0,
    ...spec,
  };
}

/** A handle that keeps everything that it was told. */
export class VisionUnderTest {
  readonly results: FrameResult[] = [];
  readonly statuses: CameraStatus[] = [];
  readonly states: string[] = [];
  readonly handle: VisionHandle;
  counters: readonly CameraCounters[] = [];

  constructor(
    spec: { detector: DetectorSpec; cameras: readonly CameraSpec[] },
    clock: Clock = systemClock,
  ) {
    this.handle = new VisionHandle({ clock, random: () => 0, log: silentLogger });
    this.handle.on('result', (result) => this.results.push(result));
    this.handle.on('camera', (status) => this.statuses.push(status));
    this.handle.on('state', (state) => this.states.push(state));
    this.handle.on('counters', (counters) => {
      this.counters = counters;
    });
    this.handle.start({ faces: null, ...spec, ffmpegPath: 'ffmpeg' });
  }

  of(cameraId: string): FrameResult[] {
    return this.results.filter((result) => result.cameraId === cameraId);
  }

  isFinished(cameraId: string): boolean {
    return this.statuses.some((each) => each.cameraId === cameraId && each.state === 'finished');
  }
}

/** Time that runs `speed` times as fast as the system's. */
export function fastClock(speed: number): Clock {
  return {
    monotonicMs: () => speed * systemClock.monotonicMs(),
    wallMs: () => systemClock.wallMs(),
    setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / speed),
  };
}
