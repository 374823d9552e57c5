import type { CameraFault, CameraSpec, CameraStatus } from '../capture/contract.ts';
import type { BoundingBox } from '../protocol/detection.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import type {
  CameraCounters,
  DetectorSpec,
  FacesReport,
  FacesSpec,
  FrameResult,
  FromVision,
  PersonFace,
  ProviderReport,
  SnapshotImage,
  ToVision,
} from './contract.ts';
import { FleetMemory } from './fleet-memory.ts';
import { ProviderBlame } from './provider-blame.ts';
import { VisionChild } from './vision-child.ts';
import { VisionQuestions } from './vision-questions.ts';
import { transition, type VisionEvent, type VisionState } from './vision-state.ts';

/** The process tells its counters every second; without them it hangs. */
const SILENCE_LIMIT_MS = 10_000;
/** Between the request to end and the kill. */
const STOP_LIMIT_MS = 3000;

export interface VisionHandleDeps {
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Logger;
}

export interface VisionSpec {
  detector: DetectorSpec;
  /** Null where no camera asks for faces. */
  faces: FacesSpec | null;
  cameras: readonly CameraSpec[];
  ffmpegPath: string;
}

export interface VisionStatus {
  state: VisionState['name'];
  /** What runs the detector; null until it is known. */
  provider: ProviderReport | null;
  /** What reads faces; null until it is known, or where nobody asks for them. */
  faces: FacesReport | null;
  /** Classes that the detector reports; empty until it is known. */
  labels: readonly string[];
  /** Times that the process was started again after it ended by itself. */
  restarts: number;
  pid: number | null;
  rssMb: number | null;
  /** Why the process ended last; null while it runs. */
  fault: CameraFault | null;
}

/**
 * The daemon's hold on the vision process: starts it, starts it again when it ends or hangs, and passes on what it
 * says. What was found out about cameras and providers outlives the process.
 *
 * Listeners are to be given before `start`. None is called after `stop` has resolved.
 */
export class VisionHandle {
  readonly #deps: VisionHandleDeps;
  readonly #fleet = new FleetMemory();
  readonly #blame = new ProviderBlame();
  readonly #questions: VisionQuestions;
  #state: VisionState = { name: 'stopped' };
  #spec: VisionSpec | null = null;
  #child: VisionChild | null = null;
  #retry: TimerHandle | null = null;
  #watch: TimerHandle | null = null;
  #heardMs = 0;
  #provider: ProviderReport | null = null;
  #faces: FacesReport | null = null;
  #labels: readonly string[] = [];
  #restarts = 0;
  #rssMb: number | null = null;
  #fault: CameraFault | null = null;
  #hangs = false;
  #onStopped: (() => void)[] = [];
  #resultListener: (result: FrameResult) => void = () => {};
  #statusListener: (status: CameraStatus) => void = () => {};
  #countersListener: (cameras: readonly CameraCounters[]) => void = () => {};
  #readyListener: (provider: ProviderReport, labels: readonly string[]) => void = () => {};
  #facesListener: (report: FacesReport) => void = () => {};
  #stateListener: (state: VisionState['name']) => void = () => {};

  constructor(deps: VisionHandleDeps) {
    this.#deps = deps;
    this.#questions = new VisionQuestions(
      deps.clock,
      (message) => this.#child?.send(message) ?? false,
    );
  }

  /** Every analysed frame, of each camera in the order in which they were taken. */
  onResult(listener: (result: FrameResult) => void): void {
    this.#resultListener = listener;
  }

  onCameraStatus(listener: (status: CameraStatus) => void): void {
    this.#statusListener = listener;
  }

  /** About every second; the numbers go on over restarts of the process. */
  onCounters(listener: (cameras: readonly CameraCounters[]) => void): void {
    this.#countersListener = listener;
  }

  /** The detector runs, in a first or a new process. */
  onReady(listener: (provider: ProviderReport, labels: readonly string[]) => void): void {
    this.#readyListener = listener;
  }

  /** Faces can be read, or cannot, and why. */
  onFacesReady(listener: (report: FacesReport) => void): void {
    this.#facesListener = listener;
  }

  onStateChange(listener: (state: VisionState['name']) => void): void {
    this.#stateListener = listener;
  }

  get status(): VisionStatus {
    return {
      state: this.#state.name,
      provider: this.#provider,
      faces: this.#faces,
      labels: this.#labels,
      restarts: this.#restarts,
      pid: this.#child?.pid ?? null,
      rssMb: this.#rssMb,
      fault: this.#fault,
    };
  }

  start(spec: VisionSpec): void {
    if (this.#state.name !== 'stopped') throw new ApexError('INTERNAL', 'vision runs already');
    this.#spec = spec;
    this.#apply({ kind: 'start' });
  }

  /** Asks the process to end and makes it end; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#retry?.cancel();
    this.#apply({ kind: 'stop' });
    if (this.#state.name === 'stopped') return;
    await new Promise<void>((resolve) => this.#onStopped.push(resolve));
  }

  /**
   * The picture that a frame was made from. It is kept for a moment only, so ask at once.
   * @param maxWidth pixels; wider pictures are made smaller
   * @returns null when the picture is gone or the process cannot answer
   */
  snapshot(cameraId: string, frameId: number, maxWidth: number): Promise<SnapshotImage | null> {
    return this.#questions.snapshot(cameraId, frameId, maxWidth);
  }

  /**
   * The faces of people in a frame, of which the picture is kept for a moment only.
   * @param persons relative to the picture
   * @returns for each person the face, null where none is seen; null where they cannot be read
   */
  faces(
    cameraId: string,
    frameId: number,
    persons: readonly BoundingBox[],
  ): Promise<readonly (PersonFace | null)[] | null> {
    return this.#questions.faces(cameraId, frameId, persons);
  }

  /** Watches one more camera, from now on and over restarts of the process. Its id must be free. */
  addCamera(camera: CameraSpec): void {
    this.#setCameras((cameras) => [...cameras, camera]);
    this.#child?.send({ kind: 'camera_add', camera });
  }

  /** Resolves when its ffmpeg is gone and nothing more will be told of it. */
  async removeCamera(cameraId: string): Promise<void> {
    if (this.#spec === null) return;
    this.#setCameras((cameras) => cameras.filter(({ id }) => id !== cameraId));
    await this.#questions.removeCamera(cameraId);
    this.#fleet.forget(cameraId);
  }

  /** Another rate or size for a camera; resolves when every later result is of a frame taken as asked. */
  async changeCamera(camera: CameraSpec): Promise<void> {
    this.#setCameras((cameras) => cameras.map((each) => (each.id === camera.id ? camera : each)));
    await this.#questions.changeCamera(camera);
  }

  #setCameras(change: (cameras: readonly CameraSpec[]) => readonly CameraSpec[]): void {
    if (this.#spec === null) throw new ApexError('INTERNAL', 'vision was not started');
    this.#spec = { ...this.#spec, cameras: change(this.#spec.cameras) };
  }

  #apply(event: VisionEvent): void {
    const { next, action } = transition(this.#state, event);
    const isChange = next.name !== this.#state.name;
    this.#state = next;
    if (action === 'start') this.#spawn();
    if (action === 'stop') this.#askToStop();
    if (next.name === 'backing-off' && isChange) this.#scheduleRetry(next.retryAtMs);
    if (isChange) this.#stateListener(next.name);
    if (next.name === 'stopped') for (const resolve of this.#onStopped.splice(0)) resolve();
  }

  #scheduleRetry(retryAtMs: number): void {
    const delayMs = Math.max(0, retryAtMs - this.#deps.clock.monotonicMs());
    this.#retry = this.#deps.clock.setTimeout(() => this.#apply({ kind: 'due' }), delayMs);
  }

  #spawn(): void {
    const child = new VisionChild({
      onMessage: (message) => this.#receive(message),
      onLine: (line) => this.#deps.log.warn({ line }, 'vision process output'),
      onEnd: (how) => this.#ended(how),
    });
    this.#child = child;
    this.#hangs = false;
    this.#heardMs = this.#deps.clock.monotonicMs();
    this.#armWatch();
    const started = child.start(() => this.#startMessage());
    // Out of memory or of processes: an end like any other, to be tried again later.
    started.catch((error: unknown) => this.#ended(`could not be started: ${error}`));
  }

  #startMessage(): ToVision {
    if (this.#spec === null) throw new ApexError('INTERNAL', 'vision was not started');
    const { detector, faces, cameras, ffmpegPath } = this.#spec;
    return {
      kind: 'start',
      detector,
      faces,
      // What has been played to its end, or given up, is not begun again.
      cameras: cameras.filter(({ id }) => !this.#fleet.isOver(id)),
      ffmpegPath,
      hints: this.#fleet.hints(),
      excluded: this.#blame.excluded,
    };
  }

  #askToStop(): void {
    const child = this.#child;
    child?.stop();
    this.#watch?.cancel();
    this.#watch = this.#deps.clock.setTimeout(() => child?.kill(), STOP_LIMIT_MS);
  }

  #armWatch(): void {
    const silentMs = this.#deps.clock.monotonicMs() - this.#heardMs;
    this.#watch = this.#deps.clock.setTimeout(() => {
      if (this.#deps.clock.monotonicMs() - this.#heardMs < SILENCE_LIMIT_MS) {
        this.#armWatch();
        return;
      }
      this.#hangs = true;
      this.#child?.kill();
    }, SILENCE_LIMIT_MS - silentMs);
  }

  #receive(message: FromVision): void {
    switch (message.kind) {
      case 'result':
        this.#fleet.resultSeen(message.result);
        this.#resultListener(message.result);
        return;
      case 'camera':
        this.#fleet.statusSeen(message.status);
        this.#statusListener(message.status);
        return;
      case 'counters':
        this.#heardMs = this.#deps.clock.monotonicMs();
        this.#rssMb = message.rssMb;
        this.#countersListener(this.#fleet.countersSeen(message.cameras));
        return;
      case 'snapshot':
      case 'faces':
      case 'settled':
        this.#questions.answered(message);
        return;
      case 'faces_ready':
        this.#facesReady(message.report);
        return;
      case 'log':
        this.#deps.log[message.level](message.fields, message.event);
        return;
      case 'trying-provider':
        this.#blame.trying(message.provider);
        return;
      case 'ready':
        this.#ready(message.provider, message.labels);
        return;
      case 'fatal':
        this.#fault = message.error;
        this.#deps.log.error({ fault: message.error }, 'vision process gives up');
    }
  }

  #ready(provider: ProviderReport, labels: readonly string[]): void {
    this.#provider = provider;
    this.#labels = labels;
    this.#fault = null;
    this.#blame.settled(provider.provider, this.#deps.clock.monotonicMs());
    this.#deps.log.info({ ...provider }, 'detector runs');
    this.#apply({ kind: 'ready', nowMs: this.#deps.clock.monotonicMs() });
    this.#readyListener(provider, labels);
  }

  #facesReady(report: FacesReport): void {
    this.#faces = report;
    this.#facesListener(report);
    if (report.fault === null) this.#deps.log.info({ ...report }, 'faces are read');
    else this.#deps.log.error({ ...report }, 'faces cannot be read');
  }

  #ended(how: string): void {
    this.#watch?.cancel();
    this.#child = null;
    this.#rssMb = null;
    this.#questions.giveUp();
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#state.name !== 'stopping') this.#died(how, nowMs);
    this.#apply({ kind: 'ended', nowMs, random: this.#deps.random() });
    if (this.#state.name !== 'stopped') this.#tellCamerasDown(nowMs);
  }

  #died(how: string, nowMs: number): void {
    const why = this.#hangs ? 'it did not answer any more' : how;
    const message = `the vision process ended: ${why}`;
    this.#fault ??= new ApexError('VISION_PROCESS_DIED', message).toJSON();
    this.#restarts++;
    const excluded = this.#blame.died(why, nowMs);
    this.#deps.log.error({ fault: this.#fault, why, excluded }, 'vision process died');
  }

  #tellCamerasDown(nowMs: number): void {
    const fault = this.#fault;
    const retryAtMonoMs = this.#state.name === 'backing-off' ? this.#state.retryAtMs : nowMs;
    for (const { id } of this.#spec?.cameras ?? []) {
      if (this.#fleet.isOver(id)) continue;
      this.#statusListener(this.#fleet.down(id, { sinceMonoMs: nowMs, retryAtMonoMs, fault }));
    }
  }
}
