import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entryPoint } from '../system/entry-point.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import type {
  Args,
  FromWorker,
  Operation,
  Position,
  Result,
  StoreCall,
  StoreFailure,
  ToWorker,
  WorkerSettings,
} from './requests.ts';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: ApexError): void;
}

const YOUNG_MB = 4;
/** After its thread died, the store is opened again at once; where that fails, after so long. */
const RESTART_MS = 5_000;

/**
 * The daemon's end of the store's thread: calls with promises for their results.
 *
 * A thread that dies is started again. Calls that it left unanswered are rejected: their rows may be on disk or
 * not, as after a power cut, and nothing was promised for them.
 */
export class StoreChannel {
  readonly #settings: WorkerSettings;
  readonly #log: Logger;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onCommitted = new Set<() => void>();
  /** Null between the death of a thread and the next one. */
  #worker: Worker | null = null;
  #position: Position;
  #nextId = 1;
  #closed: Promise<void> | null = null;
  #restart: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | null = null;

  /** Starts the thread. @throws ApexError where the database cannot be opened */
  static async open(settings: WorkerSettings, log: Logger): Promise<StoreChannel> {
    const { worker, position } = await startThread(settings, log);
    return new StoreChannel(worker, { settings, position, log });
  }

  private constructor(
    worker: Worker,
    opened: { settings: WorkerSettings; position: Position; log: Logger },
  ) {
    this.#settings = opened.settings;
    this.#position = opened.position;
    this.#log = opened.log;
    this.#use(worker);
  }

  get position(): Position {
    return this.#position;
  }

  onCommitted(listener: () => void): () => void {
    this.#onCommitted.add(listener);
    return () => this.#onCommitted.delete(listener);
  }

  call<Op extends Operation>(op: Op, args: Args<Op>): Promise<Result<Op>> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== null) {
        reject(new ApexError('STORE_CLOSED', `${op} after the store was closed`));
        return;
      }
      if (this.#worker === null) {
        reject(new ApexError('STORE_IO', `${op} while the store is started again`));
        return;
      }
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      const call = { op, ...args } as unknown as StoreCall;
      post(this.#worker, { kind: 'call', id, call });
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    // A thread that is just being started must not outlive this.
    await this.#restart;
    const worker = this.#worker;
    if (worker === null) return;
    const exited = once(worker, 'exit');
    post(worker, { kind: 'close' });
    await exited;
  }

  #use(worker: Worker): void {
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#onMessage(message));
    worker.on('error', (error) => this.#log.error({ err: error }, 'store thread failed'));
    worker.once('exit', () => this.#onExit());
  }

  #onExit(): void {
    this.#worker = null;
    const isClosing = this.#closed !== null;
    const error = isClosing
      ? new ApexError('STORE_CLOSED', 'the store has ended')
      : new ApexError('STORE_IO', 'the thread of the store died');
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    if (isClosing) return;
    this.#log.error({}, 'store thread died; starting it again');
    this.#restart = this.#startAgain();
  }

  async #startAgain(): Promise<void> {
    try {
      const { worker, position } = await startThread(this.#settings, this.#log);
      this.#use(worker);
      this.#moveTo(position);
      this.#log.warn({ epoch: position.epoch }, 'store thread started again');
    } catch (error) {
      this.#log.error({ err: error }, 'store not opened again');
      if (this.#closed !== null) return;
      this.#retry = setTimeout(() => {
        this.#restart = this.#startAgain();
      }, RESTART_MS);
    }
  }

  #onMessage(message: FromWorker): void {
    if (message.kind === 'log') this.#log[message.level](message.fields, message.event);
    if (message.kind !== 'done') return;
    for (const { id, outcome } of message.outcomes) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (outcome.ok) waiting?.resolve(outcome.result);
      else waiting?.reject(failure(outcome.error));
    }
    this.#moveTo(message.position);
  }

  #moveTo(position: Position): void {
    const before = this.#position;
    this.#position = position;
    if (isAhead(position, before)) for (const listener of this.#onCommitted) listener();
  }
}

async function startThread(
  settings: WorkerSettings,
  log: Logger,
): Promise<{ worker: Worker; position: Position }> {
  const worker = new Worker(entryPoint(import.meta.url, './store-worker.js'), {
    workerData: settings,
    name: 'store',
    // Its objects live for milliseconds; room for more young ones is only resident memory.
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  return { worker, position: await opened(worker, log) };
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}

function opened(worker: Worker, log: Logger): Promise<Position> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromWorker): void => {
      if (message.kind === 'log') {
        log[message.level](message.fields, message.event);
        return;
      }
      worker.off('message', onMessage);
      worker.off('error', reject);
      worker.off('exit', onExit);
      if (message.kind === 'opened') resolve(message.position);
      if (message.kind === 'refused') reject(failure(message.error));
    };
    const onExit = (): void => reject(new ApexError('STORE_IO', 'the store ended at its start'));
    worker.on('message', onMessage);
    worker.once('error', reject);
    worker.once('exit', onExit);
  });
}

function failure({ code, message }: StoreFailure): ApexError {
  return new ApexError(code, message);
}

function isAhead(now: Position, before: Position): boolean {
  return (
    now.epoch !== before.epoch || now.nextSeq.some((seq, lane) => seq !== before.nextSeq[lane])
  );
}
