import type { RgbPicture } from '../faces/contract.ts';
import type { BoundingBox } from '../protocol/detection.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import { type ApexError, asApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { CameraFleet } from './camera-fleet.ts';
import type { FrameResult, FromVision, PersonFace, SnapshotImage, ToVision } from './contract.ts';
import { FaceDesk } from './faces/face-desk.ts';
import type { FrameInWork } from './fleet-camera.ts';
import { BATCH_LIMIT } from './model-loader.ts';
import { detectionsOf } from './objects.ts';
import { RunWatch } from './run-watch.ts';
import { defaultWorkers, WorkerPool } from './worker-pool.ts';
import type { CropFace, ModelFacts, RunResult } from './worker-protocol.ts';

export type StartMessage = ToVision & { kind: 'start' };

/** What changes the cameras while they run. */
type CameraMessage = ToVision & { kind: 'camera_add' | 'camera_remove' | 'camera_change' };

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

interface Opened {
  facts: ModelFacts;
  batch: number;
  /** A new size costs TensorRT an engine, which takes minutes. */
  mayAddSizes: boolean;
}

/** The vision process without its process: cameras in, results out. Nothing here blocks. */
export class VisionRuntime {
  readonly #start: StartMessage;
  readonly #deps: VisionRuntimeDeps;
  readonly #pool: WorkerPool;
  readonly #fleet: CameraFleet;
  #facts: ModelFacts | null = null;
  #opened: Opened | null = null;
  #timer: TimerHandle | null = null;
  readonly #runs = new RunWatch();
  readonly #faces = new FaceDesk(() => this.#dispatch());
  #isStopping = false;

  constructor(start: StartMessage, deps: VisionRuntimeDeps) {
    const { detector, excluded, hints, cameras, ffmpegPath } = start;
    const { clock, random, log, send, cores } = deps;
    this.#start = start;
    this.#deps = deps;
    this.#fleet = new CameraFleet(cameras, hints, {
      clock,
      random,
      log,
      ffmpegPath,
      readers: detector.workers ?? defaultWorkers('cpu', cores),
      mayAddSizes: () => this.#opened?.mayAddSizes ?? true,
      send,
      onFrame: () => this.#dispatch(),
    });
    this.#pool = new WorkerPool({
      start: {
        model: detector.model,
        preparedDir: detector.preparedDir,
        labels: detector.labels,
        minScore: detector.minScore,
        threads: detector.threadsPerWorker,
        providers: detector.providers,
        excluded,
        faces: start.faces,
        picture: hints.find(({ stream }) => stream !== null)?.stream ?? USUAL_PICTURE,
      },
      workersFor: (provider) => detector.workers ?? defaultWorkers(provider, cores),
      onModel: (facts) => this.#startCameras(facts),
      onTrying: (provider) => deps.sendFlushed({ kind: 'trying-provider', provider }),
      onFaces: (report) => deps.send({ kind: 'faces_ready', report }),
      onIdle: () => this.#dispatch(),
      onFailure: (error) => this.#fail(error),
    });
  }

  start(): void {
    this.#tellCounters();
    this.#open().catch((error: unknown) => this.#fail(asApexError(error, 'INTERNAL')));
  }

  /** Carries out a change of the cameras; the others do not notice. */
  async changeCameras(message: CameraMessage): Promise<void> {
    if (this.#isStopping) return;
    if (message.kind === 'camera_add') {
      this.#fleet.add(message.camera);
      return;
    }
    if (message.kind === 'camera_remove') await this.#fleet.remove(message.cameraId);
    else await this.#fleet.change(message.camera);
    this.#deps.send({ kind: 'settled', requestId: message.requestId });
  }

  /** The picture of a frame as JPEG; null when it is gone, or the camera keeps none. */
  snapshot(cameraId: string, frameId: number, maxWidth: number): Promise<SnapshotImage | null> {
    return this.#fleet.snapshot(cameraId, frameId, maxWidth);
  }

  /**
   * For each person the face; null where the picture is gone or there is too much to do.
   * @param persons relative to the picture
   */
  async faces(
    cameraId: string,
    frameId: number,
    persons: readonly BoundingBox[],
  ): Promise<(PersonFace | null)[] | null> {
    const seen = await this.#fleet.picture(cameraId, frameId);
    if (seen === null || this.#opened === null || this.#isStopping) return null;
    return await this.#faces.read(seen.picture, persons, seen.hidden);
  }

  /** Ends captures and workers, and lets runs in flight finish. Everything that was sent is out when it resolves. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#faces.giveUp();
    this.#timer?.cancel();
    await Promise.all([this.#fleet.stop(), this.#pool.close()]);
    await this.#deps.sendFlushed(this.#counters());
  }

  async #open(): Promise<void> {
    const { provider, inferenceMs, refused } = await this.#pool.open();
    const facts = this.#facts;
    if (facts === null || this.#isStopping) return;
    const { form, formReason, labels } = facts;
    const modelLimit = facts.batch === 'any' ? Number.POSITIVE_INFINITY : facts.batch;
    const batch = Math.min(BATCH_LIMIT[provider], modelLimit);
    this.#opened = { facts, batch, mayAddSizes: provider !== 'tensorrt' };
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
    this.#fleet.start(facts.plan);
  }

  /** Gives waiting frames to free workers. */
  #dispatch(): void {
    const opened = this.#opened;
    if (opened === null || this.#isStopping) return;
    while (this.#pool.hasIdle) {
      // Before frames, of which there is always one more; the daemon asks for few.
      if (this.#faces.hasWork) {
        void this.#faces.work((crops) => this.#readFaces(crops));
        continue;
      }
      const frames = this.#fleet.nextFrames(opened.batch, (size) => this.#pool.canRun(size));
      if (frames.length === 0) return;
      this.#analyse(frames, opened.facts);
    }
  }

  async #readFaces(crops: readonly RgbPicture[]): Promise<(CropFace | null)[] | null> {
    const run = this.#runs.begin('faces', this.#deps.clock.monotonicMs());
    try {
      const faces = await this.#pool.readFaces(crops);
      this.#runs.end(run);
      this.#dispatch();
      return faces;
    } catch (error) {
      this.#fail(asApexError(error, 'VISION_INFERENCE_FAILED'));
      return null;
    }
  }

  #analyse(taken: readonly FrameInWork[], facts: ModelFacts): void {
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
        taken.forEach((work, index) => {
          const found = frameResult(work, { result, index, facts, model: this.#modelName });
          work.camera.analysed(work.ticket, found);
        });
      },
      (error: unknown) => this.#fail(asApexError(error, 'VISION_INFERENCE_FAILED')),
    );
  }

  get #modelName(): string {
    return this.#start.detector.model.replace(/^.*\//, '').replace(/\.onnx$/, '');
  }

  #counters(): FromVision {
    const cameras = this.#fleet.counters;
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
  { camera, frame: { frameId, meta, geometry } }: FrameInWork,
  run: { result: RunResult; index: number; facts: ModelFacts; model: string },
): FrameResult {
  const { objects, inferenceMs } = run.result;
  const own = objects[run.index] ?? new Float32Array();
  const detections = detectionsOf(own, geometry, run.facts.labels);
  const { model } = run;
  return { cameraId: camera.id, frameId, ...meta, detections, inferenceMs, model };
}
