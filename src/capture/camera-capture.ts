import type { Clock, TimerHandle } from '../system/clock.ts';
import { asApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { registerUrlSecrets } from '../system/redact.ts';
import { CameraConnection, type ConnectionEnd, type ConnectionPlan } from './camera-connection.ts';
import { ConnectionPlanner, type PlannerDeps } from './connection-planner.ts';
import type {
  CameraSpec,
  CameraStatus,
  CaptureHistory,
  FrameSink,
  PictureSize,
  StreamInfo,
} from './contract.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { arrivalTime, type FrameClock, liveTime, mediaTime } from './media-time.ts';
import { PictureChange } from './picture-change.ts';
import { Playlist } from './playlist.ts';
import {
  beginSupervision,
  deadlineOf,
  isSustained,
  type Step,
  type Supervision,
  type SupervisionEvent,
  type SupervisionPolicy,
  transition,
} from './supervision.ts';

export interface CameraCaptureDeps extends PlannerDeps {
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Logger;
  sink: FrameSink;
  /** Told at once of every change. */
  onStatus: (status: CameraStatus) => void;
  /** Of the capture that this one takes over from. */
  history?: CaptureHistory | undefined;
}

/** Time on top of the stall timeout for connecting, finding the parameter sets and the first key frame. */
const CONNECT_ALLOWANCE_MS = 10_000;

/**
 * Captures one camera: keeps an ffmpeg running that plays it into the sink, and tells how it fares.
 *
 * Belongs on the main thread of a process (see FfmpegProcess). After `stop` has resolved, neither sink nor
 * `onStatus` is called any more, and no process of this camera is left.
 */
export class CameraCapture {
  readonly #spec: CameraSpec;
  readonly #deps: CameraCaptureDeps;
  readonly #log: Logger;
  readonly #policy: SupervisionPolicy;
  readonly #planner: ConnectionPlanner;
  readonly #playlist: Playlist | null;
  readonly #frameClock: FrameClock;
  /** Only a file played as fast as possible ever waits for its receiver. */
  readonly #canPause: boolean;
  readonly #pictureChange = new PictureChange();
  readonly #stopping = new AbortController();
  #supervision: Supervision;
  #stream: StreamInfo | null;
  #analysed: PictureSize | null = null;
  #connection: CameraConnection | null = null;
  #attempt: Promise<void> = Promise.resolve();
  #timer: { handle: TimerHandle; dueMs: number } | null = null;
  #published: CameraStatus | null = null;

  constructor(spec: CameraSpec, deps: CameraCaptureDeps) {
    const { source } = spec;
    this.#spec = spec;
    this.#deps = deps;
    this.#log = deps.log.child({ cameraId: spec.id });
    this.#policy = {
      connectTimeoutMs: spec.stallTimeoutMs + CONNECT_ALLOWANCE_MS,
      stallTimeoutMs: spec.stallTimeoutMs,
      // A still picture in a file is what its maker wanted.
      frozenTimeoutMs: source.kind === 'rtsp' ? spec.frozenTimeoutMs : 0,
    };
    this.#planner = new ConnectionPlanner(spec, deps);
    this.#playlist =
      source.kind === 'file' ? new Playlist(source.paths, source.loop, deps.history?.clip) : null;
    this.#canPause = source.kind === 'file' && source.pace === 'max';
    this.#frameClock = frameClockOf(spec, deps.clock);
    this.#stream = deps.hint?.stream ?? null;
    if (source.kind === 'rtsp') registerUrlSecrets(source.url);
    this.#supervision = beginSupervision(deps.clock.monotonicMs(), deps.history).next;
    deps.sink.onResume(() => this.#resume());
  }

  get status(): CameraStatus {
    const now = this.#supervision;
    return {
      cameraId: this.#spec.id,
      state: now.state,
      sinceMonoMs: now.sinceMs,
      fault: now.fault,
      reconnects: now.reconnects,
      retryAtMonoMs: now.state === 'backing-off' ? now.retryAtMs : null,
      stream: this.#stream,
      decoder: this.#planner.decoder.choice,
      analysed: this.#analysed,
      failures: isSustained(now) ? 0 : now.failures,
      clip: this.#playlist?.index ?? 0,
    };
  }

  start(): void {
    this.#carryOut(beginSupervision(this.#now(), this.#deps.history));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.handle.cancel();
    this.#timer = null;
    await this.#connection?.stop();
    await this.#attempt;
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #now(): number {
    return this.#deps.clock.monotonicMs();
  }

  #send(event: SupervisionEvent): void {
    if (this.#isStopped) return;
    this.#carryOut(transition(this.#supervision, event, this.#policy));
  }

  #carryOut({ next, action }: Step): void {
    this.#supervision = next;
    this.#publish();
    if (action === 'connect') this.#attempt = this.#connect();
    if (action === 'disconnect') void this.#connection?.stop();
    this.#armTimer();
  }

  /** A timer that comes too early only asks again, so a deadline that each frame puts off costs nothing. */
  #armTimer(): void {
    const deadline = deadlineOf(this.#supervision, this.#policy);
    if (deadline === null || (this.#timer !== null && this.#timer.dueMs <= deadline)) return;
    this.#timer?.handle.cancel();
    const onDue = (): void => {
      this.#timer = null;
      this.#send({ kind: 'clock', nowMs: this.#now() });
    };
    const delayMs = Math.max(1, Math.ceil(deadline - this.#now()));
    this.#timer = { handle: this.#deps.clock.setTimeout(onDue, delayMs), dueMs: deadline };
  }

  #publish(): void {
    const status = this.status;
    const before = this.#published;
    const keys = Object.keys(status) as (keyof CameraStatus)[];
    if (before !== null && keys.every((key) => before[key] === status[key])) return;
    this.#published = status;
    this.#deps.onStatus(status);
    if (before?.state !== status.state || before.fault !== status.fault) this.#logState(status);
  }

  #logState({ state, fault, reconnects, stream, decoder }: CameraStatus): void {
    if (fault !== null) this.#log.warn({ state, fault, reconnects }, 'camera state');
    else this.#log.info({ state, reconnects, stream, decoder: decoder?.decoder }, 'camera state');
  }

  #resume(): void {
    this.#send({ kind: 'resumed', nowMs: this.#now() });
    this.#connection?.resume();
  }

  /** Plays the camera, or clip after clip, until there is something for supervision to decide. */
  async #connect(): Promise<void> {
    let event: SupervisionEvent | null = null;
    while (event === null && !this.#isStopped) {
      const end = await this.#playOnce().catch((error) => this.#endedByError(error));
      if (!this.#isStopped) event = await this.#conclude(end);
    }
    if (event !== null) this.#send(event);
  }

  async #playOnce(): Promise<ConnectionEnd> {
    const plan = await this.#planner.plan(this.#playlist?.current, this.#stopping.signal);
    if ('fault' in plan) return endedBefore(plan);
    if (this.#isStopped) return endedBefore(diagnosis('CAPTURE_STREAM_ENDED', 'soon'));
    this.#stream = plan.stream;
    const { contentWidth: width, contentHeight: height } = plan.geometry;
    this.#analysed = { width, height };
    return this.#play(plan);
  }

  async #play(plan: ConnectionPlan): Promise<ConnectionEnd> {
    this.#frameClock.begin(plan.stream);
    const connection = new CameraConnection(plan, {
      sink: this.#deps.sink,
      pictureChange: this.#pictureChange,
      canPause: this.#canPause,
      events: {
        timeOf: (index) => this.#frameClock.timeOf(index),
        onFrame: (changed) => this.#send({ kind: 'frame', nowMs: this.#now(), changed }),
        onPause: () => this.#send({ kind: 'paused', nowMs: this.#now() }),
      },
    });
    this.#connection = connection;
    this.#send({ kind: 'opened', nowMs: this.#now() });
    try {
      return await connection.run(this.#deps.clock);
    } finally {
      this.#connection = null;
    }
  }

  #endedByError(error: unknown): ConnectionEnd {
    const known = asApexError(error, 'INTERNAL');
    if (known.code === 'INTERNAL') this.#log.error({ err: error }, 'capture failed');
    const retry = known.code === 'CAPTURE_ADDRESS_REFUSED' ? 'never' : 'later';
    return endedBefore({ fault: known.toJSON(), retry, blamesDecoder: false, certain: true });
  }

  /** What the end of a run means; null when the next clip simply follows. */
  async #conclude(end: ConnectionEnd): Promise<SupervisionEvent | null> {
    const clip = this.#playlist?.current;
    if (end.kind === 'changed') {
      this.#planner.learn(clip, end.stream);
      return this.#ended(diagnosis('CAPTURE_STREAM_CHANGED', 'soon'));
    }
    const cause = await this.#planner.explained(end.cause);
    this.#judgeDecoder(cause);
    if (this.#playlist === null || this.#supervision.state === 'stalled') return this.#ended(cause);
    const isPlayed = end.exitedWell && end.frames > 0;
    const onward = isPlayed ? this.#playlist.played() : this.#playlist.failed();
    if (onward === 'none-left') return this.#ended(cause);
    if (!isPlayed) this.#log.warn({ clip, fault: cause.fault }, 'clip skipped');
    return onward === 'next' ? null : { kind: 'finished', nowMs: this.#now() };
  }

  #ended(cause: Diagnosis): SupervisionEvent {
    const { state } = this.#supervision;
    // Of a stream that was ended for its silence, ffmpeg's last words are mostly those of being ended.
    const isKnown = cause.certain || state !== 'stalled';
    return {
      kind: 'ended',
      cause: isKnown ? cause : null,
      nowMs: this.#now(),
      random: this.#deps.random(),
    };
  }

  #judgeDecoder(cause: Diagnosis): void {
    const { decoder } = this.#planner;
    if (isSustained(this.#supervision)) decoder.succeeded();
    if (!cause.blamesDecoder || !decoder.failed(cause.fault.message)) return;
    this.#log.warn({ decoder: decoder.choice, fault: cause.fault }, 'decoder replaced by software');
  }
}

function frameClockOf({ source, fps }: CameraSpec, clock: Clock): FrameClock {
  if (source.kind === 'rtsp') return liveTime(clock);
  return source.pace === 'max' ? mediaTime(clock, fps) : arrivalTime(clock);
}

function endedBefore(cause: Diagnosis): ConnectionEnd {
  return { kind: 'ended', cause, frames: 0, exitedWell: false };
}
