import { CameraCapture } from '../capture/camera-capture.ts';
import type { CameraSpec, CameraStatus } from '../capture/contract.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import { type ApexError, asApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { CameraFeed, type TakenFrame } from './camera-feed.ts';
import type { FrameResult, FromVision, SnapshotImage, ToVision } from './contract.ts';
import { GeometryPlanner } from './geometry-planner.ts';
import { BATCH_LIMIT } from './model-loader.ts';
import { detectionsOf } from './objects.ts';
import { ResultOrder } from './result-order.ts';
import { RunWatch } from './run-watch.ts';
import { Scheduler } from './scheduler.ts';
import { snapshotImage } from './snapshot-image.ts';
import { defaultWorkers, WorkerPool } from './worker-pool.ts';
import type { ModelFacts, RunResult } from './worker-protocol.ts';

export type StartMessage = ToVision & { kind: 'start' };

const COUNTERS_INTERVAL_MS = 1000;
const BYTES_PER_MB = 1e6;
/** The shape that most cameras have. */
const USUAL_PICTURE = { width: 1920, height: 1080 };

export interface VisionRuntimeDeps {
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  cores: number;
  log: Logger;
  send: (message: FromVision) => void;
  /** Resolves when the message is out of this process. */
  sendFlushed: (message: FromVision) => Promise<void>;
  /** Nothing can go on; the process should end. */
  onFatal: (error: ApexError) => void;
}

interface Camera {
  feed: CameraFeed;
  capture: CameraCapture;
  order: ResultOrder<FrameResult>;
  /** Frames in the hands of workers. */
  inFlight: number;
  /** That nothing more comes, to be told once what has come is analysed. */
  lastWord: CameraStatus | null;
}

/** After these a camera sends nothing more. */
const FINAL_STATES: ReadonlySet<CameraStatus['state']> = new Set(['finished', 'failed']);

interface Opened {
  facts: ModelFacts;
  batch: number;
}

/** The vision process without its process: cameras in, results out. Nothing here blocks. */
export class VisionRuntime {
  readonly #start: StartMessage;
  readonly #deps: VisionRuntimeDeps;
  readonly #pool: WorkerPool;
  readonly #cameras = new Map<string, Camera>();
  readonly #scheduler = new Scheduler();
  #facts: ModelFacts | null = null;
  #opened: Opened | null = null;
  #timer: TimerHandle | null = null;
  readonly #runs = new RunWatch();
  #isStopping = false;

  constructor(start: StartMessage, deps: VisionRuntimeDeps) {
    const { detector, excluded, hints } = start;
    this.#start = start;
    this.#deps = deps;
    this.#pool = new WorkerPool({
      start: {
        model: detector.model,
        preparedDir: detector.preparedDir,
        labels: detector.labels,
        minScore: detector.minScore,
        threads: detector.threadsPerWorker,
        providers: detector.providers,
        excluded,
        picture: hints[0]?.stream ?? USUAL_PICTURE,
      },
      workersFor: (provider) => detector.workers ?? defaultWorkers(provider, deps.cores),
      onModel: (facts) => this.#startCameras(facts),
      onTrying: (provider) => deps.sendFlushed({ kind: 'trying-provider', provider }),
      onIdle: () => this.#dispatch(),
      onFailure: (error) => this.#fail(error),
    });
  }

  start(): void {
    this.#tellCounters();
    this.#open().catch((error: unknown) => this.#fail(asApexError(error, 'INTERNAL')));
  }

  /** The picture of a frame as JPEG; null when it is gone, or the camera keeps none. */
  async snapshot(
    cameraId: string,
    frameId: number,
    maxWidth: number,
  ): Promise<SnapshotImage | null> {
    const picture = await this.#cameras.get(cameraId)?.feed.picture(frameId);
    return picture == null ? null : snapshotImage(picture, maxWidth);
  }

  /** Ends captures and workers, and lets runs in flight finish. Everything that was sent is out when it resolves. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.cancel();
    const captures = [...this.#cameras.values()].map(({ capture }) => capture.stop());
    await Promise.all([...captures, this.#pool.close()]);
    await this.#deps.sendFlushed(this.#counters());
  }

  async #open(): Promise<void> {
    const { provider, inferenceMs, refused } = await this.#pool.open();
    const facts = this.#facts;
    if (facts === null || this.#isStopping) return;
    const { form, formReason, labels } = facts;
    const modelLimit = facts.batch === 'any' ? Number.POSITIVE_INFINITY : facts.batch;
    this.#opened = { facts, batch: Math.min(BATCH_LIMIT[provider], modelLimit) };
    this.#deps.send({
      kind: 'ready',
      provider: { provider, inferenceMs, refused, form, formReason },
      labels,
    });
    this.#dispatch();
  }

  /** Connecting takes about as long as loading the model, so both go on at once. */
  #startCameras(facts: ModelFacts): void {
    if (this.#isStopping) return;
    this.#facts = facts;
    const planner = new GeometryPlanner(facts.plan);
    for (const spec of this.#start.cameras) {
      const camera = this.#camera(spec, planner);
      this.#cameras.set(spec.id, camera);
      camera.capture.start();
    }
  }

  #camera(spec: CameraSpec, planner: GeometryPlanner): Camera {
    const { clock, random, log, cores } = this.#deps;
    const { source } = spec;
    const hint = this.#start.hints.find(({ cameraId }) => cameraId === spec.id);
    const feed = new CameraFeed({
      cameraId: spec.id,
      mode: source.kind === 'file' && source.pace === 'max' ? 'every' : 'newest',
      readers: this.#start.detector.workers ?? defaultWorkers('cpu', cores),
      firstFrameId: hint?.nextFrameId ?? 0,
      clock,
      onFrame: () => this.#dispatch(),
    });
    const capture = new CameraCapture(spec, {
      clock,
      random,
      log,
      sink: feed,
      ffmpegPath: this.#start.ffmpegPath,
      geometryFor: (stream) => planner.geometryFor(stream),
      onStatus: (status) => this.#tellStatus(camera, status),
      hint,
    });
    const camera: Camera = { feed, capture, order: new ResultOrder(), inFlight: 0, lastWord: null };
    return camera;
  }

  /** Frames of a clip that has ended still wait or are being analysed: its end is told after their results. */
  #tellStatus(camera: Camera, status: CameraStatus): void {
    camera.lastWord = FINAL_STATES.has(status.state) ? status : null;
    if (camera.lastWord === null) this.#deps.send({ kind: 'camera', status });
    else this.#tellLastWord(camera);
  }

  #tellLastWord(camera: Camera): void {
    const { lastWord, inFlight, feed } = camera;
    if (lastWord === null || inFlight > 0 || feed.waiting !== null) return;
    camera.lastWord = null;
    this.#deps.send({ kind: 'camera', status: lastWord });
  }

  /** Gives waiting frames to free workers. */
  #dispatch(): void {
    const opened = this.#opened;
    if (opened === null || this.#isStopping) return;
    while (this.#pool.hasIdle) {
      const waiting = [...this.#cameras.values()].flatMap((camera) => {
        const sizeKey = camera.feed.waiting;
        return sizeKey === null ? [] : [{ cameraId: camera.feed.cameraId, sizeKey, camera }];
      });
      const batch = this.#scheduler.next(waiting, opened.batch);
      if (batch.length === 0) return;
      this.#analyse(
        batch.map(({ camera }) => camera),
        opened.facts,
      );
    }
  }

  #analyse(cameras: readonly Camera[], facts: ModelFacts): void {
    const taken = cameras.flatMap((camera) => {
      const frame = camera.feed.take();
      if (frame === null) return [];
      camera.inFlight++;
      return [{ camera, frame, ticket: camera.order.begin() }];
    });
    const geometry = taken[0]?.frame.geometry;
    if (geometry === undefined) return;
    const size = { width: geometry.modelWidth, height: geometry.modelHeight };
    const frames = taken.map(({ frame }) => frame.memory);
    const run = this.#runs.begin(`${size.width}x${size.height}`, this.#deps.clock.monotonicMs());
    this.#pool.run({ size, frames }).then(
      (result) => {
        this.#runs.end(run);
        for (const { frame } of taken) frame.release();
        // The worker gets its next frame before anything is done with what it found.
        this.#dispatch();
        taken.forEach(({ camera, frame, ticket }, index) => {
          const done = frameResult(camera, frame, { result, index, facts, model: this.#modelName });
          this.#deliver(camera, camera.order.finish(ticket, done));
          camera.inFlight--;
          this.#tellLastWord(camera);
        });
      },
      (error: unknown) => this.#fail(asApexError(error, 'VISION_INFERENCE_FAILED')),
    );
  }

  #deliver({ feed }: Camera, results: readonly FrameResult[]): void {
    for (const result of results) {
      feed.analysed(result.frameId, result.detections.length === 0);
      this.#deps.send({ kind: 'result', result });
    }
  }

  get #modelName(): string {
    return this.#start.detector.model.replace(/^.*\//, '').replace(/\.onnx$/, '');
  }

  #counters(): FromVision {
    const cameras = [...this.#cameras.values()].map(({ feed }) => feed.counters);
    return { kind: 'counters', cameras, rssMb: process.memoryUsage.rss() / BYTES_PER_MB };
  }

  #tellCounters(): void {
    // Silence is what the daemon takes for a process that hangs, and replaces it.
    const isHung = this.#runs.isHung(this.#deps.clock.monotonicMs());
    if (isHung) this.#deps.log.error({}, 'an inference does not come back');
    else this.#deps.send(this.#counters());
    this.#timer = this.#deps.clock.setTimeout(() => this.#tellCounters(), COUNTERS_INTERVAL_MS);
  }

  #fail(error: ApexError): void {
    if (this.#isStopping) return;
    this.#deps.onFatal(error);
  }
}

function frameResult(
  { feed: { cameraId } }: Camera,
  { frameId, meta, geometry }: TakenFrame,
  run: { result: RunResult; index: number; facts: ModelFacts; model: string },
): FrameResult {
  const { objects, inferenceMs } = run.result;
  const own = objects[run.index] ?? new Float32Array();
  const detections = detectionsOf(own, geometry, run.facts.labels);
  return { cameraId, frameId, ...meta, detections, inferenceMs, model: run.model };
}
