import { Worker } from 'node:worker_threads';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import { entryPoint } from '../../system/entry-point.ts';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import type { EventHistory } from './event-store.ts';
import type { HistoryPage, HistoryQuery } from './history-query.ts';
import type { HistoryAnswer } from './history-worker.ts';

export interface HubHistoryOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Queries that wait for their turn; more are sent away. */
const MAX_WAITING = 64;
/** From asking to the answer. */
const DEADLINE_MS = 5000;

interface Call {
  readonly query: HistoryQuery;
  readonly resolve: (page: HistoryPage) => void;
  readonly reject: (error: ApexError) => void;
  readonly deadline: TimerHandle;
}

/**
 * History of the hub's file, on a thread and a connection of its own: in write-ahead mode a reader does not hold up
 * the writer. One query at a time, so that many of them cost no more than one processor, and none for long, as a
 * reader keeps the log from being folded into the file.
 */
export class HubHistory implements EventHistory {
  readonly #options: HubHistoryOptions;
  readonly #waiting: Call[] = [];
  #current: Call | undefined;
  #worker: Worker | undefined;
  #isClosing = false;

  constructor(options: HubHistoryOptions) {
    this.#options = options;
  }

  page(query: HistoryQuery): Promise<HistoryPage> {
    if (this.#isClosing || this.#waiting.length >= MAX_WAITING)
      return Promise.reject(new ApexError('HISTORY_BUSY', 'too many queries wait'));
    return new Promise((resolve, reject) => {
      const call: Call = {
        query,
        resolve,
        reject,
        deadline: this.#options.clock.setTimeout(() => this.#onDeadline(call), DEADLINE_MS),
      };
      this.#waiting.push(call);
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const call of this.#waiting.splice(0))
      this.#fail(call, 'HISTORY_BUSY', 'the hub is ending');
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage('close');
    await ended;
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const call = this.#waiting.shift();
    if (call === undefined) return;
    this.#current = call;
    this.#worker ??= this.#start();
    this.#worker.postMessage(call.query);
  }

  #start(): Worker {
    const { dataDir, log } = this.#options;
    const worker = new Worker(entryPoint(import.meta.url, './history-worker.js'), {
      workerData: { dataDir },
    });
    worker.on('message', (answer: HistoryAnswer) => this.#onAnswer(answer));
    worker.on('error', (error) => log.error({ err: error }, 'history thread failed'));
    worker.on('exit', () => this.#onExit(worker));
    return worker;
  }

  #onAnswer(answer: HistoryAnswer): void {
    const call = this.#current;
    this.#current = undefined;
    if (call !== undefined && !answer.ok) this.#fail(call, 'HISTORY_FAILED', answer.message);
    else if (call !== undefined && answer.ok) {
      call.deadline.cancel();
      call.resolve(answer.page);
    }
    this.#next();
  }

  #onExit(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const call = this.#current;
    this.#current = undefined;
    if (call !== undefined) this.#fail(call, 'HISTORY_FAILED', 'the history thread ended');
    this.#next();
  }

  #onDeadline(call: Call): void {
    this.#fail(call, 'HISTORY_BUSY', 'the query took too long');
    const index = this.#waiting.indexOf(call);
    if (index >= 0) this.#waiting.splice(index, 1);
    if (call !== this.#current) return;
    this.#options.log.warn({}, 'history thread ended: a query took too long');
    // Its exit brings the next query to a new thread.
    this.#worker?.terminate();
  }

  #fail(call: Call, code: 'HISTORY_BUSY' | 'HISTORY_FAILED', message: string): void {
    call.deadline.cancel();
    call.reject(new ApexError(code, message));
  }
}
