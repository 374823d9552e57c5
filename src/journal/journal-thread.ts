import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import type { FromThread, JournalThreadSettings, ToThread, WriterNews } from './requests.ts';

interface JournalThreadOptions {
  /** Path of the compiled worker. */
  readonly path: string;
  readonly settings: JournalThreadSettings;
  /** Calls without an answer; more are refused. */
  readonly mostCalls: number;
  readonly onNews?: (news: WriterNews) => void;
  /** A call found the file damaged. */
  readonly onDamage?: (reason: string) => void;
  readonly log: Logger;
}

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: ApexError) => void;
}

/**
 * The daemon's end of a thread of the journal: calls with promises for their answers. The thread starts with the first
 * call, and anew with the next one after it died; calls that it left unanswered fail.
 */
export class JournalThread<Call extends { readonly op: string }, Answers> {
  readonly #options: JournalThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #nextId = 1;
  #isClosed = false;

  constructor(options: JournalThreadOptions) {
    this.#options = options;
  }

  /** Whether anything was asked since the last thread died. */
  get isRunning(): boolean {
    return this.#worker !== null;
  }

  /** @throws ApexError JOURNAL_BUSY, JOURNAL_CLOSED and what the thread does */
  call<Op extends Call['op'] & keyof Answers>(
    call: Extract<Call, { readonly op: Op }>,
  ): Promise<Answers[Op]> {
    if (this.#isClosed)
      return Promise.reject(new ApexError('JOURNAL_CLOSED', `${call.op} after the end`));
    if (this.#waiting.size >= this.#options.mostCalls)
      return Promise.reject(new ApexError('JOURNAL_BUSY', 'too many calls wait'));
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker ??= this.#start();
      post(this.#worker, { kind: 'call', id, call });
    });
  }

  /** Answers what was asked, and ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    if (worker === null) return;
    const ended = once(worker, 'exit');
    post(worker, { kind: 'close' });
    await ended;
  }

  #start(): Worker {
    const { path, settings, log } = this.#options;
    const worker = new Worker(path, {
      workerData: settings,
      name: 'journal',
      // Its objects live for milliseconds; room for more young ones is only resident memory.
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    worker.on('message', (message: FromThread) => this.#onMessage(message));
    worker.on('error', (error) => log.error({ err: error }, 'thread of the journal failed'));
    worker.once('exit', () => this.#onExit());
    return worker;
  }

  #onMessage(message: FromThread): void {
    const { log, onNews, onDamage } = this.#options;
    if (message.kind === 'log') {
      log[message.level](message.fields, message.event);
      return;
    }
    const { id, answer, error, news } = message;
    if (news !== null) onNews?.(news);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === null) waiting?.resolve(answer as never);
    else waiting?.reject(new ApexError(error.code, error.message));
    if (error?.isDamage) onDamage?.(error.message);
  }

  #onExit(): void {
    this.#worker = null;
    const error = this.#isClosed
      ? new ApexError('JOURNAL_CLOSED', 'the journal has ended')
      : new ApexError('JOURNAL_IO', 'the thread of the journal died');
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function post<Call>(worker: Worker, message: ToThread<Call>): void {
  worker.postMessage(message);
}
