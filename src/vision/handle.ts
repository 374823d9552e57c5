import type { CameraSpec, CameraStatus } from '../capture/contract.ts';
import type { BoundingBox } from '../protocol/detection.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { CameraRoster } from './camera-roster.ts';
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
import { ProcessFacts } from './process-facts.ts';
import { ProviderBlame } from './provider-blame.ts';
import { VisionChild } from './vision-child.ts';
import { VisionQuestions } from './vision-questions.ts';
import type { VisionState } from './vision-state.ts';
import { VisionSupervisor } from './vision-supervisor.ts';

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

export interface VisionStatus
  extends Pick<ProcessFacts, 'provider' | 'faces' | 'labels' | 'restarts' | 'rssMb' | 'fault'> {
  state: VisionState['name'];
  pid: number | null;
}

/** What the handle tells, and whom. */
export interface VisionListeners {
  /** Every analysed frame, of each camera in the order in which they were taken. */
  result: (result: FrameResult) => void;
  camera: (status: CameraStatus) => void;
  /** About every second; the numbers go on over restarts of the process. */
  counters: (cameras: readonly CameraCounters[]) => void;
  /** The detector runs, in a first or a new process. */
  ready: (provider: ProviderReport, labels: readonly string[]) => void;
  /** Faces can be read, or cannot, and why. */
  faces: (report: FacesReport) => void;
  state: (state: VisionState['name']) => void;
}

const NOBODY: VisionListeners = {
  ...{ result() {}, camera() {}, counters() {}, ready() {}, faces() {}, state() {} },
};

/**
 * The daemon's hold on the vision process: keeps one running, asks it, and passes on what it says. What was found out
 * about cameras and providers outlives the process.
 *
 * Listeners are to be given before `start`. None is called after `stop` has resolved.
 */
export class VisionHandle {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #supervisor: VisionSupervisor;
  readonly #memory = new FleetMemory();
  readonly #roster = new CameraRoster(this.#memory);
  readonly #facts = new ProcessFacts();
  readonly #blame = new ProviderBlame();
  readonly #questions: VisionQuestions;
  readonly #listeners: VisionListeners = { ...NOBODY };
  #spec: Omit<VisionSpec, 'cameras'> | null = null;

  constructor({ clock, random, log }: VisionHandleDeps) {
    this.#clock = clock;
    this.#log = log;
    this.#supervisor = new VisionSupervisor({
      clock,
      random,
      launch: (events) => new VisionChild(events),
      firstMessage: () => this.#startMessage(),
      onMessage: (message) => this.#receive(message),
      onLine: (line) => log.warn({ line }, 'vision process output'),
      onEnd: (why, nowMs) => this.#ended(why, nowMs),
      onDown: (nowMs, retryAtMs) => this.#tellCamerasDown(nowMs, retryAtMs),
      onStateChange: (state) => this.#listeners.state(state),
    });
    this.#questions = new VisionQuestions(clock, (message) => this.#supervisor.send(message));
  }

  /** Each is told to one listener, the last one given. */
  on<Kind extends keyof VisionListeners>(kind: Kind, listener: VisionListeners[Kind]): void {
    this.#listeners[kind] = listener;
  }

  get status(): VisionStatus {
    const { provider, faces, labels, restarts, rssMb, fault } = this.#facts;
    const { state, pid } = this.#supervisor;
    return { state, provider, faces, labels, restarts, pid, rssMb, fault };
  }

  start({ cameras, ...spec }: VisionSpec): void {
    if (this.#supervisor.state !== 'stopped')
      throw new ApexError('INTERNAL', 'vision runs already');
    this.#spec = spec;
    this.#roster.begin(cameras);
    this.#supervisor.start();
  }

  /** Asks the process to end and makes it end; resolves when it is gone. */
  async stop(): Promise<void> {
    await this.#supervisor.stop();
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
    this.#started();
    this.#roster.add(camera);
    this.#supervisor.send({ kind: 'camera_add', camera });
  }

  /** Resolves when its ffmpeg is gone and nothing more will be told of it. */
  async removeCamera(cameraId: string): Promise<void> {
    if (this.#spec === null) return;
    this.#roster.remove(cameraId);
    await this.#questions.removeCamera(cameraId);
    this.#memory.forget(cameraId);
  }

  /** Another rate or size for a camera; resolves when every later result is of a frame taken as asked. */
  async changeCamera(camera: CameraSpec): Promise<void> {
    this.#started();
    this.#roster.change(camera);
    await this.#questions.changeCamera(camera);
  }

  #started(): Omit<VisionSpec, 'cameras'> {
    if (this.#spec === null) throw new ApexError('INTERNAL', 'vision was not started');
    return this.#spec;
  }

  #startMessage(): ToVision {
    const { detector, faces, ffmpegPath } = this.#started();
    const { excluded } = this.#blame;
    return { kind: 'start', detector, faces, ffmpegPath, excluded, ...this.#roster.toStart };
  }

  #receive(message: FromVision): void {
    switch (message.kind) {
      case 'result':
        this.#memory.resultSeen(message.result);
        this.#listeners.result(message.result);
        return;
      case 'camera':
        this.#memory.statusSeen(message.status);
        this.#listeners.camera(message.status);
        return;
      case 'counters':
        this.#supervisor.heard();
        this.#facts.measured(message.rssMb);
        this.#listeners.counters(this.#memory.countersSeen(message.cameras));
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
        this.#log[message.level](message.fields, message.event);
        return;
      case 'trying-provider':
        this.#blame.trying(message.provider);
        return;
      case 'ready':
        this.#ready(message.provider, message.labels);
        return;
      case 'fatal':
        this.#facts.gaveUp(message.error);
        this.#log.error({ fault: message.error }, 'vision process gives up');
    }
  }

  #ready(provider: ProviderReport, labels: readonly string[]): void {
    this.#facts.detectorRuns(provider, labels);
    this.#blame.settled(provider.provider, this.#clock.monotonicMs());
    this.#log.info({ ...provider }, 'detector runs');
    this.#supervisor.ready();
    this.#listeners.ready(provider, labels);
  }

  #facesReady(report: FacesReport): void {
    this.#facts.facesReady(report);
    this.#listeners.faces(report);
    if (report.fault === null) this.#log.info({ ...report }, 'faces are read');
    else this.#log.error({ ...report }, 'faces cannot be read');
  }

  #ended(why: string | null, nowMs: number): void {
    this.#questions.giveUp();
    this.#facts.ended(why);
    if (why === null) return;
    const excluded = this.#blame.died(why, nowMs);
    this.#log.error({ fault: this.#facts.fault, why, excluded }, 'vision process died');
  }

  #tellCamerasDown(sinceMonoMs: number, retryAtMonoMs: number): void {
    const { fault } = this.#facts;
    for (const status of this.#roster.down({ sinceMonoMs, retryAtMonoMs, fault }))
      this.#listeners.camera(status);
  }
}
