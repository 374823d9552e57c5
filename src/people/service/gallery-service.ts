import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import { entryPoint } from '../../system/entry-point.ts';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import { parentDeathGuard } from '../../system/parent-death.ts';
import type {
  FromGalleryProcess,
  GalleryAnswers,
  GalleryCall,
  GalleryServiceSettings,
  ToGalleryProcess,
} from './calls.ts';

export interface GalleryServiceOptions {
  /** As they are now: a model may have been installed meanwhile. @throws ApexError */
  readonly settings: () => GalleryServiceSettings;
  readonly clock: Pick<Clock, 'setTimeout'>;
  readonly log: Logger;
}

interface OpenCall {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: ApexError) => void;
  readonly late: TimerHandle;
}

/** Calls that wait; more are refused. */
const MOST_CALLS = 32;
/** Loading the models is part of it. */
const ANSWER_MS = 60_000;
/** The models take 100 MB, and people are enrolled now and then. */
const IDLE_MS = 60_000;

/** The gallery for the API, kept by a process that runs while somebody asks. A crash of it costs the calls in hand. */
export class GalleryService {
  readonly #options: GalleryServiceOptions;
  readonly #open = new Map<number, OpenCall>();
  #child: Promise<ChildProcess> | null = null;
  #idle: TimerHandle | null = null;
  #lastId = 0;

  constructor(options: GalleryServiceOptions) {
    this.#options = options;
  }

  /** @throws ApexError as `GalleryDesk.answer` does, PEOPLE_BUSY, PEOPLE_SERVICE_FAILED */
  async call<Op extends GalleryCall['op']>(
    call: Extract<GalleryCall, { op: Op }>,
  ): Promise<GalleryAnswers[Op]> {
    if (this.#open.size >= MOST_CALLS)
      throw new ApexError('PEOPLE_BUSY', `${MOST_CALLS} calls wait already`);
    this.#idle?.cancel();
    const child = await this.#running();
    const id = ++this.#lastId;
    return new Promise<GalleryAnswers[Op]>((resolve, reject) => {
      const late = this.#options.clock.setTimeout(() => child.kill('SIGKILL'), ANSWER_MS);
      this.#open.set(id, { resolve, reject, late });
      tell(child, { kind: 'call', id, call });
    });
  }

  async stop(): Promise<void> {
    this.#idle?.cancel();
    const child = await this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.kill('SIGKILL');
    });
  }

  #running(): Promise<ChildProcess> {
    this.#child ??= this.#start().catch((error: unknown) => {
      this.#child = null;
      throw error;
    });
    return this.#child;
  }

  async #start(): Promise<ChildProcess> {
    const settings = this.#options.settings();
    const entry = entryPoint(import.meta.url, './gallery-process.js');
    const [command = '', ...args] = [...(await parentDeathGuard()), process.execPath, entry];
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    child.on('message', (message) => this.#answered(message as FromGalleryProcess));
    child.on('error', (error) => this.#ended(error.message));
    child.on('close', (code, signal) => this.#ended(signal ?? `exit code ${code}`));
    tell(child, { kind: 'start', settings });
    return child;
  }

  #answered({ id, answer, error }: FromGalleryProcess): void {
    const call = this.#open.get(id);
    if (call === undefined) return;
    this.#open.delete(id);
    call.late.cancel();
    if (error === null) call.resolve(answer as never);
    else call.reject(new ApexError(error.code, error.message, { remedy: error.remedy }));
    if (this.#open.size === 0) this.#restLater();
  }

  #restLater(): void {
    this.#idle?.cancel();
    this.#idle = this.#options.clock.setTimeout(() => void this.stop(), IDLE_MS);
  }

  #ended(how: string): void {
    this.#child = null;
    if (this.#open.size === 0) return;
    this.#options.log.error({ how, calls: this.#open.size }, 'process of the gallery ended');
    for (const { reject, late } of this.#open.values()) {
      late.cancel();
      reject(new ApexError('PEOPLE_SERVICE_FAILED', `the process of the gallery ended: ${how}`));
    }
    this.#open.clear();
  }
}

/** What cannot be sent any more is answered by its end. */
function tell(child: ChildProcess, message: ToGalleryProcess): void {
  if (child.connected) child.send(message, () => {});
}
