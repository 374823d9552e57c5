import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { PreparedModel } from '../models/prepared-model.ts';
import { entryPoint } from '../system/entry-point.ts';
import { ApexError, type ErrorCode } from '../system/errors.ts';
import type { DetectorSpec, ExecutionProvider } from './contract.ts';
import type { FromWorker, ToWorker, WorkerFrame } from './worker-protocol.ts';

/** A GPU runs one stream of work at a time; more sessions only take memory. */
const GPU_WORKERS = 1;
/** Beyond this, decoders and the rest of the program need the cores more. */
const MAX_CPU_WORKERS = 4;
/** One session takes frames of several cameras at once where a run has a fixed cost, which on a CPU it has not. */
const GPU_MAX_BATCH = 4;

export interface Opened {
  provider: ExecutionProvider;
  inferenceMs: number;
  refused: readonly { provider: ExecutionProvider; reason: string }[];
}

type Answer = Exclude<FromWorker, { kind: 'trying' }>;

interface PooledWorker {
  thread: Worker;
  waiting: { resolve: (answer: Answer) => void; reject: (error: unknown) => void } | null;
}

/** Threads with inference sessions. Each does one thing at a time. */
export class WorkerPool {
  readonly #spec: DetectorSpec;
  readonly #onTrying: (provider: ExecutionProvider) => void;
  #workers: PooledWorker[] = [];
  #provider: ExecutionProvider = 'cpu';

  constructor(spec: DetectorSpec, onTrying: (provider: ExecutionProvider) => void) {
    this.#spec = spec;
    this.#onTrying = onTrying;
  }

  /** Frames that may be in flight at once, whatever provider is going to run. */
  static maxWorkers(spec: DetectorSpec): number {
    return spec.workers ?? Math.max(1, Math.min(MAX_CPU_WORKERS, availableParallelism()));
  }

  get maxBatch(): number {
    return this.#provider === 'cpu' ? 1 : GPU_MAX_BATCH;
  }

  get idle(): number {
    return this.#workers.filter(({ waiting }) => waiting === null).length;
  }

  /**
   * Finds the provider with one worker, then opens the others on it.
   * @throws ApexError VISION_NO_PROVIDER
   */
  async open(
    model: PreparedModel,
    excluded: readonly { provider: ExecutionProvider; reason: string }[],
  ): Promise<Opened> {
    const { providers, workers, threadsPerWorker: threads } = this.#spec;
    const first = await this.#add({ kind: 'open', model, providers, excluded, threads });
    this.#provider = first.provider;
    const isCpu = first.provider === 'cpu';
    const count = workers ?? (isCpu ? WorkerPool.maxWorkers(this.#spec) : GPU_WORKERS);
    const same = [first.provider];
    // One after the other: loading peaks in memory, and a small box has little.
    for (let added = 1; added < count; added++) {
      await this.#add({ kind: 'open', model, providers: same, excluded: [], threads });
    }
    return first;
  }

  /** Runs frames on an idle worker. @throws when none is idle, or the run failed */
  async run(
    model: PreparedModel,
    frames: readonly WorkerFrame[],
  ): Promise<FromWorker & { kind: 'detections' }> {
    const worker = this.#workers.find(({ waiting }) => waiting === null);
    if (worker === undefined) throw new ApexError('INTERNAL', 'no idle inference worker');
    const answer = await this.#ask(worker, { kind: 'run', model, frames });
    if (answer.kind === 'detections') return answer;
    throw new Error(answer.kind === 'run-failed' ? answer.message : `unexpected ${answer.kind}`);
  }

  /** Lets every run in flight finish and ends the threads. Ending them from outside would abort the process. */
  async close(): Promise<void> {
    await Promise.all(
      this.#workers.map(
        ({ thread }) =>
          new Promise<void>((resolve) => {
            thread.once('exit', () => resolve());
            thread.postMessage({ kind: 'end' } satisfies ToWorker);
          }),
      ),
    );
    this.#workers = [];
  }

  async #add(message: ToWorker & { kind: 'open' }): Promise<Opened> {
    const thread = new Worker(entryPoint(import.meta.url, './inference-worker.js'));
    const worker: PooledWorker = { thread, waiting: null };
    thread.on('message', (answer: FromWorker) => {
      if (answer.kind === 'trying') {
        this.#onTrying(answer.provider);
        return;
      }
      const { waiting } = worker;
      worker.waiting = null;
      waiting?.resolve(answer);
    });
    thread.on('error', (error) => worker.waiting?.reject(error));
    this.#workers.push(worker);
    const answer = await this.#ask(worker, message);
    if (answer.kind === 'opened') return answer;
    if (answer.kind !== 'open-failed') throw new Error(`unexpected ${answer.kind}`);
    const { code, message: text, remedy } = answer.error;
    throw new ApexError(code as ErrorCode, text, { remedy });
  }

  #ask(worker: PooledWorker, message: ToWorker): Promise<Answer> {
    return new Promise((resolve, reject) => {
      worker.waiting = { resolve, reject };
      worker.thread.postMessage(message);
    });
  }
}
