import { Worker } from 'node:worker_threads';
import type { RgbPicture } from '../faces/contract.ts';
import { entryPoint } from '../system/entry-point.ts';
import { ApexError, type ErrorCode } from '../system/errors.ts';
import type { ExecutionProvider, FacesReport, ProviderReport } from './contract.ts';
import type {
  CropFace,
  FromWorker,
  ModelFacts,
  RunRequest,
  RunResult,
  Size,
  ToWorker,
  WorkerStart,
} from './worker-protocol.ts';

/** Beyond this, decoders and the rest of the program need the cores more. */
const MOST_CPU_WORKERS = 4;

/**
 * Inference threads that suit a provider: on the CPU one for each core, since two sessions of one thread do more
 * than one session of two; a GPU works for one session at a time, and every other only takes memory.
 */
export function defaultWorkers(provider: ExecutionProvider, cores: number): number {
  return provider === 'cpu' ? Math.max(1, Math.min(MOST_CPU_WORKERS, cores)) : 1;
}

export interface WorkerPoolOptions {
  start: WorkerStart;
  /** Number of workers, once it is known what runs. */
  workersFor: (provider: ExecutionProvider) => number;
  onModel: (facts: ModelFacts) => void;
  /** Resolves when it is written down where a crash of this process cannot erase it. */
  onTrying: (provider: ExecutionProvider) => Promise<void>;
  onFaces: (report: FacesReport) => void;
  /** A worker has become free. */
  onIdle: () => void;
  /** A worker ended or failed; the pool is of no use any more. */
  onFailure: (error: ApexError) => void;
}

export type OpenedPool = Pick<ProviderReport, 'provider' | 'inferenceMs' | 'refused'>;

/** What a worker is doing, and who waits for it. */
interface Member {
  thread: Worker;
  task: { resolve: (answer: FromWorker) => void; reject: (error: unknown) => void } | null;
  isOpen: boolean;
  /** Sizes of frames that it has a session for. */
  sizes: Set<string>;
  /** Loads a session for the run in hand, which takes longer than the run. */
  isLoading: boolean;
}

/** The inference workers. Each does one thing at a time. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members: Member[] = [];
  #isClosing = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /**
   * Finds the provider with one worker; the others follow on the same provider while the first works already.
   * @throws ApexError VISION_NO_PROVIDER, or what kept the model from being read
   */
  async open(): Promise<OpenedPool> {
    const { start, workersFor, onFailure } = this.#options;
    const first = await this.#add(start);
    const others = workersFor(first.provider) - 1;
    const same = { ...start, providers: [first.provider], excluded: [] };
    for (let other = 0; other < others && !this.#isClosing; other++) {
      this.#add(same).catch((error: ApexError) => onFailure(error));
    }
    return first;
  }

  get hasIdle(): boolean {
    return this.#idle() !== undefined;
  }

  /**
   * Whether frames of a size can be run now. Of several workers only one loads a session at a time, so that the
   * others go on with the sizes that they have.
   */
  canRun(size: Size): boolean {
    if (this.#idle(sizeName(size)) !== undefined) return true;
    return this.hasIdle && !this.#members.some(({ isLoading }) => isLoading);
  }

  /** Runs the model on a free worker. @throws ApexError VISION_INFERENCE_FAILED, and never twice */
  async run(request: RunRequest): Promise<RunResult> {
    const size = sizeName(request.size);
    const member = this.#idle(size) ?? this.#idle();
    if (member === undefined) throw new RangeError('no inference worker is free');
    member.isLoading = !member.sizes.has(size);
    const answer = await this.#ask(member, { kind: 'run', request });
    member.isLoading = false;
    member.sizes.add(size);
    if (answer.kind === 'done') return answer.result;
    throw failureOf(answer);
  }

  /**
   * The faces in crops, read by a free worker; null where none can be read.
   * @throws ApexError VISION_INFERENCE_FAILED, and never twice
   */
  async readFaces(crops: readonly RgbPicture[]): Promise<(CropFace | null)[] | null> {
    const member = this.#idle();
    if (member === undefined) throw new RangeError('no inference worker is free');
    const answer = await this.#ask(member, { kind: 'faces', crops });
    if (answer.kind === 'faces') return answer.faces;
    throw failureOf(answer);
  }

  /**
   * Lets the work in hand finish and ends the threads. Nothing else may end them: the native runtime aborts the
   * process when its thread is taken away during a run.
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(
      this.#members.map(
        ({ thread }) =>
          new Promise<void>((resolve) => {
            thread.once('exit', () => resolve());
            post(thread, { kind: 'end' });
          }),
      ),
    );
  }

  /** @param size that it must have a session for already */
  #idle(size?: string): Member | undefined {
    if (this.#isClosing) return undefined;
    return this.#members.find(
      ({ isOpen, task, sizes }) =>
        isOpen && task === null && (size === undefined || sizes.has(size)),
    );
  }

  async #add(start: WorkerStart): Promise<OpenedPool> {
    const thread = new Worker(entryPoint(import.meta.url, './inference-worker.js'), {
      workerData: start,
    });
    const member: Member = {
      thread,
      task: null,
      isOpen: false,
      sizes: new Set(),
      isLoading: false,
    };
    this.#members.push(member);
    thread.on('message', (message: FromWorker) => this.#receive(member, message));
    thread.on('error', (error) => this.#lost(member, `an inference worker ended: ${error}`));
    thread.on('exit', () => {
      this.#members.splice(this.#members.indexOf(member), 1);
      this.#lost(member, 'an inference worker ended');
    });
    const answer = await this.#ask(member, null);
    if (answer.kind !== 'opened') throw failureOf(answer);
    member.isOpen = true;
    this.#options.onIdle();
    const { provider, inferenceMs, refused } = answer;
    return { provider, inferenceMs, refused };
  }

  #ask(member: Member, message: ToWorker | null): Promise<FromWorker> {
    return new Promise((resolve, reject) => {
      member.task = { resolve, reject };
      if (message !== null) post(member.thread, message);
    });
  }

  #receive(member: Member, message: FromWorker): void {
    if (message.kind === 'model') {
      // All workers find the same.
      if (member === this.#members[0]) this.#options.onModel(message.facts);
    } else if (message.kind === 'faces_ready') {
      if (member === this.#members[0]) this.#options.onFaces(message.report);
    } else if (message.kind === 'trying') {
      const go = (): void => post(member.thread, { kind: 'go' });
      if (member === this.#members[0]) void this.#options.onTrying(message.provider).then(go);
      else go();
    } else {
      const { task } = member;
      member.task = null;
      task?.resolve(message);
    }
  }

  #lost(member: Member, message: string): void {
    if (this.#isClosing) return;
    const error = new ApexError('VISION_INFERENCE_FAILED', message);
    const { task } = member;
    member.task = null;
    if (task === null) this.#options.onFailure(error);
    else task.reject(error);
  }
}

function sizeName({ width, height }: Size): string {
  return `${width}x${height}`;
}

function post(thread: Worker, message: ToWorker): void {
  thread.postMessage(message);
}

function failureOf(answer: FromWorker): ApexError {
  if (answer.kind !== 'failed') return new ApexError('INTERNAL', `unexpected ${answer.kind}`);
  const { code, message, remedy } = answer.error;
  return new ApexError(code as ErrorCode, message, { remedy });
}
