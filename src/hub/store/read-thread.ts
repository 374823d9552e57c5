import { Worker } from 'node:worker_threads';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import { entryPoint } from '../../system/entry-point.ts';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import { ReadQueue, type ReadQueueLimits } from './read-queue.ts';
import type { ReadAnswers, ReadCall, ReadReply } from './read-worker.ts';

export interface ReadThreadOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ReadThreadLimits extends ReadQueueLimits {
  /** From asking to the answer. */
  readonly deadlineMs: number;
}

interface WaitingCall {
  readonly asker: string;
  readonly call: ReadCall;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: ApexError) => void;
  readonly deadline: TimerHandle;
}

/**
 * Reads the hub's file on a thread and a connection of its own: in write-ahead mode a reader does not hold up the
 * writer. One call at a time, so that many of them cost no more than one processor, and none for long, as a reader
 * keeps the log from being folded into the file.
 */
export class ReadThread {
  readonly #options: ReadThreadOptions;
  readonly #limits: ReadThreadLimits;
  readonly #waiting: ReadQueue<WaitingCall>;
  #current: WaitingCall | undefined;
  #worker: Worker | undefined;
  #isClosing = false;

  constructor(options: ReadThreadOptions, limits: ReadThreadLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#waiting = new ReadQueue(limits);
  }

  /**
   * @param asker whose calls take turns with those of others
   * @throws ApexError HISTORY_BUSY, HISTORY_CROWDED, HISTORY_FAILED
   */
  ask<Op extends ReadCall['op']>(
    asker: string,
    call: Extract<ReadCall, { op: Op }>,
  ): Promise<ReadAnswers[Op]> {
    const obstacle = this.#isClosing ? 'all' : this.#waiting.obstacle(asker);
    if (obstacle !== null) return Promise.reject(refusal(obstacle));
    return new Promise((resolve, reject) => {
      const { clock } = this.#options;
      const waiting: WaitingCall = {
        asker,
        call,
        resolve,
        reject,
        deadline: clock.setTimeout(() => this.#onDeadline(waiting), this.#limits.deadlineMs),
      };
      this.#waiting.push(asker, waiting);
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (let call = this.#waiting.take(); call !== undefined; call = this.#waiting.take())
      fail(call, 'HISTORY_BUSY', 'the hub is ending');
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage('close');
    await ended;
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const next = this.#waiting.take();
    if (next === undefined) return;
    this.#current = next;
    this.#worker ??= this.#start();
    this.#worker.postMessage(next.call);
  }

  #start(): Worker {
    const { dataDir, log } = this.#options;
    const worker = new Worker(entryPoint(import.meta.url, './read-worker.js'), {
      workerData: { dataDir },
    });
    worker.on('message', (reply: ReadReply) => this.#onReply(reply));
    worker.on('error', (error) => log.error({ err: error }, 'reading thread failed'));
    worker.on('exit', () => this.#onExit(worker));
    return worker;
  }

  #onReply(reply: ReadReply): void {
    const call = this.#current;
    this.#current = undefined;
    if (call !== undefined && !reply.ok) fail(call, 'HISTORY_FAILED', reply.message);
    else if (call !== undefined && reply.ok) {
      call.deadline.cancel();
      call.resolve(reply.answer as never);
    }
    this.#next();
  }

  #onExit(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const call = this.#current;
    this.#current = undefined;
    if (call !== undefined) fail(call, 'HISTORY_FAILED', 'the reading thread ended');
    this.#next();
  }

  #onDeadline(call: WaitingCall): void {
    fail(call, 'HISTORY_BUSY', 'the query took too long');
    this.#waiting.remove(call.asker, call);
    if (call !== this.#current) return;
    this.#options.log.warn({ op: call.call.op }, 'reading thread ended: a query took too long');
    // Its exit brings the next call to a new thread.
    this.#worker?.terminate();
  }
}

function refusal(obstacle: 'asker' | 'all'): ApexError {
  return obstacle === 'all'
    ? new ApexError('HISTORY_BUSY', 'too many queries wait')
    : new ApexError('HISTORY_CROWDED', 'too many queries of this token wait');
}

function fail(call: WaitingCall, code: 'HISTORY_BUSY' | 'HISTORY_FAILED', message: string): void {
  call.deadline.cancel();
  call.reject(new ApexError(code, message));
}
