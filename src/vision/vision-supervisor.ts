import type { Clock, TimerHandle } from '../system/clock.ts';
import type { FromVision, ToVision } from './contract.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { VisionChild, VisionChildEvents } from './vision-child.ts';
import { transition, type VisionEvent, type VisionState } from './vision-state.ts';

/** The process tells its counters every second; without them it hangs. */
const SILENCE_LIMIT_MS = 10_000;
/** Between the request to end and the kill. */
const STOP_LIMIT_MS = 3000;

/** A process of which this keeps one running. */
export type SupervisedProcess = Pick<VisionChild, 'pid' | 'start' | 'send' | 'stop' | 'kill'>;

export interface VisionSupervisorDeps {
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  launch: (events: VisionChildEvents) => SupervisedProcess;
  /** Makes the first message that a process gets, at the moment of sending. */
  firstMessage: () => ToVision;
  onMessage: (message: FromVision) => void;
  /** A line that the process wrote. */
  onLine: (line: string) => void;
  /** A process has ended. @param why in words where it ended by itself; null where it was asked to */
  onEnd: (why: string | null, nowMs: number) => void;
  /** It has ended by itself, and the next one comes at `retryAtMs`, monotonic. */
  onDown: (nowMs: number, retryAtMs: number) => void;
  onStateChange: (state: VisionState['name']) => void;
}

/** Keeps a vision process running: starts it, starts it again when it ends or hangs, and makes it end. */
export class VisionSupervisor {
  readonly #deps: VisionSupervisorDeps;
  readonly #silence: SilenceWatch;
  #state: VisionState = { name: 'stopped' };
  #process: SupervisedProcess | null = null;
  #hangs = false;
  #retry: TimerHandle | null = null;
  #kill: TimerHandle | null = null;
  #onStopped: (() => void)[] = [];

  constructor(deps: VisionSupervisorDeps) {
    this.#deps = deps;
    this.#silence = new SilenceWatch(deps.clock, {
      limitMs: SILENCE_LIMIT_MS,
      onSilent: () => {
        this.#hangs = true;
        this.#process?.kill();
      },
    });
  }

  get state(): VisionState['name'] {
    return this.#state.name;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Nothing where one runs already. */
  start(): void {
    this.#apply({ kind: 'start' });
  }

  /** Asks the process to end and makes it end; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#retry?.cancel();
    this.#apply({ kind: 'stop' });
    if (this.#state.name === 'stopped') return;
    await new Promise<void>((resolve) => this.#onStopped.push(resolve));
  }

  /** @returns whether there is a process to get it */
  send(message: ToVision): boolean {
    return this.#process?.send(message) ?? false;
  }

  /** The process has given a sign of life. */
  heard(): void {
    this.#silence.heard();
  }

  /** The process has said that its model runs. */
  ready(): void {
    this.#apply({ kind: 'ready', nowMs: this.#deps.clock.monotonicMs() });
  }

  #apply(event: VisionEvent): void {
    const { next, action } = transition(this.#state, event);
    const isChange = next.name !== this.#state.name;
    this.#state = next;
    if (action === 'start') this.#launch();
    if (action === 'stop') this.#askToStop();
    if (next.name === 'backing-off' && isChange) this.#scheduleRetry(next.retryAtMs);
    if (isChange) this.#deps.onStateChange(next.name);
    if (next.name === 'stopped') for (const resolve of this.#onStopped.splice(0)) resolve();
  }

  #scheduleRetry(retryAtMs: number): void {
    const delayMs = Math.max(0, retryAtMs - this.#deps.clock.monotonicMs());
    this.#retry = this.#deps.clock.setTimeout(() => this.#apply({ kind: 'due' }), delayMs);
  }

  #launch(): void {
    const { launch, onMessage, onLine, firstMessage } = this.#deps;
    const started = launch({ onMessage, onLine, onEnd: (how) => this.#ended(how) });
    this.#process = started;
    this.#hangs = false;
    this.#silence.begin();
    // Out of memory or of processes: an end like any other, to be tried again later.
    started
      .start(firstMessage)
      .catch((error: unknown) => this.#ended(`could not be started: ${error}`));
  }

  #askToStop(): void {
    const asked = this.#process;
    asked?.stop();
    this.#silence.end();
    this.#kill = this.#deps.clock.setTimeout(() => asked?.kill(), STOP_LIMIT_MS);
  }

  #ended(how: string): void {
    this.#silence.end();
    this.#kill?.cancel();
    this.#process = null;
    const { clock, random, onEnd, onDown } = this.#deps;
    const nowMs = clock.monotonicMs();
    const why = this.#hangs ? 'it did not answer any more' : how;
    onEnd(this.#state.name === 'stopping' ? null : why, nowMs);
    this.#apply({ kind: 'ended', nowMs, random: random() });
    if (this.#state.name === 'stopped') return;
    onDown(nowMs, this.#state.name === 'backing-off' ? this.#state.retryAtMs : nowMs);
  }
}
