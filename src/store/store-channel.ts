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

/** The daemon's end of the store's thread: calls with promises for their results. */
export class StoreChannel {
  readonly #worker: Worker;
  readonly #log: Logger;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onCommitted = new Set<() => void>();
  #position: Position;
  #nextId = 1;
  #closed: Promise<void> | null = null;
  #hasEnded = false;

  /** Starts the thread. @throws ApexError where the database cannot be opened */
  static async open(settings: WorkerSettings, log: Logger): Promise<StoreChannel> {
    const worker = new Worker(entryPoint(import.meta.url, './store-worker.js'), {
      workerData: settings,
      name: 'store',
    });
    const position = await opened(worker, log);
    return new StoreChannel(worker, position, log);
  }

  private constructor(worker: Worker, position: Position, log: Logger) {
    this.#worker = worker;
    this.#position = position;
    this.#log = log;
    worker.on('message', (message: FromWorker) => this.#onMessage(message));
    worker.on('error', (error) => {
      log.error({ err: error }, 'store thread failed');
      this.#end();
    });
    worker.on('exit', () => this.#end());
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
      if (this.#closed !== null || this.#hasEnded) {
        reject(new ApexError('STORE_CLOSED', `${op} after the store was closed`));
        return;
      }
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#post({ kind: 'call', id, call: { op, ...args } as unknown as StoreCall });
    });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#hasEnded) {
        resolve();
        return;
      }
      this.#worker.once('exit', () => resolve());
      this.#post({ kind: 'close' });
    });
    return this.#closed;
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #onMessage(message: FromWorker): void {
    if (message.kind === 'log') this.#log[message.level](message.fields, message.event);
    if (message.kind !== 'done') return;
    const before = this.#position;
    this.#position = message.position;
    for (const { id, outcome } of message.outcomes) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (outcome.ok) waiting?.resolve(outcome.result);
      else waiting?.reject(failure(outcome.error));
    }
    if (isAhead(message.position, before)) for (const listener of this.#onCommitted) listener();
  }

  #end(): void {
    this.#hasEnded = true;
    const error = new ApexError('STORE_CLOSED', 'the store has ended');
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
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
      if (message.kind === 'opened') resolve(message.position);
      if (message.kind === 'refused') reject(failure(message.error));
    };
    worker.on('message', onMessage);
    worker.once('error', reject);
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
