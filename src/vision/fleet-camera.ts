import { CameraCapture } from '../capture/camera-capture.ts';
import type { CameraSpec, CameraStatus, ModelGeometry, StreamInfo } from '../capture/contract.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import { CameraFeed, type TakenFrame } from './camera-feed.ts';
import type { CameraCounters, CameraHint, FrameResult, FromVision } from './contract.ts';
import type { FrameMemory } from './frame-memory.ts';
import type { Size } from './letterbox.ts';
import type { Picture } from './picture-ring.ts';
import { ResultOrder } from './result-order.ts';

export interface FleetCameraDeps {
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Logger;
  ffmpegPath: string;
  memory: FrameMemory;
  /** Most frames of one camera that are analysed at once. */
  readers: number;
  geometryFor: (spec: CameraSpec, stream: StreamInfo) => ModelGeometry;
  send: (message: FromVision) => void;
  /** A frame waits to be analysed. */
  onFrame: () => void;
}

/** A frame of a camera in the hands of a worker. */
export interface FrameInWork {
  camera: FleetCamera;
  frame: TakenFrame;
  ticket: symbol;
}

/** After these a camera sends nothing more. */
const FINAL_STATES: ReadonlySet<CameraStatus['state']> = new Set(['finished', 'failed']);

/** One camera of the vision process: its capture, its frames, and its results in their order. */
export class FleetCamera {
  readonly #deps: FleetCameraDeps;
  readonly #feed: CameraFeed;
  readonly #order = new ResultOrder<FrameResult>();
  #spec: CameraSpec;
  #capture: CameraCapture;
  /** Frames in the hands of workers. */
  #inWork = 0;
  #onQuiet: (() => void) | null = null;
  /** That nothing more comes, to be told once what has come is analysed. */
  #lastWord: CameraStatus | null = null;

  constructor(spec: CameraSpec, hint: CameraHint | undefined, deps: FleetCameraDeps) {
    const { source } = spec;
    this.#spec = spec;
    this.#deps = deps;
    this.#feed = new CameraFeed({
      cameraId: spec.id,
      mode: source.kind === 'file' && source.pace === 'max' ? 'every' : 'newest',
      readers: deps.readers,
      firstFrameId: hint?.nextFrameId ?? 0,
      clock: deps.clock,
      memory: deps.memory,
      onFrame: deps.onFrame,
    });
    this.#capture = this.#newCapture(hint);
  }

  start(): void {
    this.#capture.start();
  }

  /** Its own ffmpeg starts anew with the other rate or size; the waiting frames of the former are forgotten. */
  async change(spec: CameraSpec): Promise<void> {
    const { stream, decoder, fault, failures, reconnects, retryAtMonoMs, clip } =
      this.#capture.status;
    await this.stop();
    this.#spec = spec;
    const history = { fault, failures, reconnects, retryAtMonoMs, clip };
    this.#capture = this.#newCapture({ stream, decoder, history });
    this.#capture.start();
  }

  /** Ends the capture, and resolves when no frame of it waits or is in work any more. */
  async stop(): Promise<void> {
    await this.endCapture();
    this.#feed.forgetWaiting();
    if (this.#inWork > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    this.#feed.vacate();
  }

  /** Its ffmpeg is gone when this resolves, and its state is told no more. */
  async endCapture(): Promise<void> {
    await this.#capture.stop();
    this.#lastWord = null;
  }

  get id(): string {
    return this.#spec.id;
  }

  /** Size of the next frame to analyse; null when none waits. */
  get waiting(): Size | null {
    return this.#feed.waiting;
  }

  /** Parts of its pictures that nobody may see. */
  get hidden(): NonNullable<CameraSpec['snapshot']>['hidden'] {
    return this.#spec.snapshot?.hidden ?? [];
  }

  get counters(): CameraCounters {
    return this.#feed.counters;
  }

  picture(frameId: number): Promise<Picture | null> {
    return this.#feed.picture(frameId);
  }

  /** The next frame to analyse; `analysed` gives it back. */
  take(): FrameInWork | null {
    const frame = this.#feed.take();
    if (frame === null) return null;
    this.#inWork++;
    return { camera: this, frame, ticket: this.#order.begin() };
  }

  /** What a worker found in a frame; its memory has been released. */
  analysed(ticket: symbol, found: FrameResult): void {
    for (const result of this.#order.finish(ticket, found)) {
      this.#feed.analysed(result.frameId, result.detections.length === 0);
      this.#deps.send({ kind: 'result', result });
    }
    this.#inWork--;
    this.#tellLastWord();
    if (this.#inWork > 0) return;
    this.#onQuiet?.();
    this.#onQuiet = null;
  }

  #newCapture(hint: Pick<CameraHint, 'stream' | 'decoder' | 'history'> | undefined): CameraCapture {
    const { clock, random, log, ffmpegPath, geometryFor } = this.#deps;
    const spec = this.#spec;
    const { stream = null, decoder = null, history } = hint ?? {};
    return new CameraCapture(spec, {
      clock,
      random,
      log,
      ffmpegPath,
      sink: this.#feed,
      geometryFor: (picture) => geometryFor(spec, picture),
      onStatus: (status) => this.#tell(status),
      hint: stream === null ? undefined : { stream, decoder, clip: history?.clip ?? 0 },
      history,
    });
  }

  /** Frames of a clip that has ended still wait or are being analysed: its end is told after their results. */
  #tell(status: CameraStatus): void {
    this.#lastWord = FINAL_STATES.has(status.state) ? status : null;
    if (this.#lastWord === null) this.#deps.send({ kind: 'camera', status });
    else this.#tellLastWord();
  }

  #tellLastWord(): void {
    const status = this.#lastWord;
    if (status === null || this.#inWork > 0 || this.waiting !== null) return;
    this.#lastWord = null;
    this.#deps.send({ kind: 'camera', status });
  }
}
