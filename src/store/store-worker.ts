import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemClock } from '../system/clock.ts';
import { asApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { uuid7 } from '../system/uuid7.ts';
import type { FromWorker, LogLevel, StoreCall, ToWorker, WorkerSettings } from './requests.ts';
import { StoreCore } from './store-core.ts';

/** Acknowledged rows are deleted with the next commit, or after so long without one. */
const TIDY_MS = 250;
/** After that failed: the disk is full or failing, and will not be better at once. */
const TIDY_AGAIN_MS = 10_000;

/**
 * The store's thread. Calls that arrive while a commit runs wait in the port and are committed together next,
 * so that the cost of an fsync is shared without a delay of its own.
 */
class StoreThread {
  readonly #core: StoreCore;
  readonly #port: NonNullable<typeof parentPort>;
  #tidyTimer: NodeJS.Timeout | null = null;

  constructor(core: StoreCore, port: NonNullable<typeof parentPort>) {
    this.#core = core;
    this.#port = port;
  }

  onMessage(first: ToWorker): void {
    const calls: { id: number; call: StoreCall }[] = [];
    let next: ToWorker | undefined = first;
    while (next !== undefined && next.kind === 'call') {
      calls.push(next);
      next = receiveMessageOnPort(this.#port)?.message;
    }
    if (calls.length > 0) this.#answer(calls);
    if (next?.kind === 'close') this.#close();
  }

  #answer(calls: readonly { id: number; call: StoreCall }[]): void {
    const results = this.#core.execute(calls.map(({ call }) => call));
    const outcomes = results.flatMap((outcome, index) => {
      const id = calls[index]?.id;
      return id === undefined ? [] : [{ id, outcome }];
    });
    send(this.#port, { kind: 'done', outcomes, position: this.#core.position });
    this.#tidyLater();
  }

  #tidyLater(delayMs = TIDY_MS): void {
    if (!this.#core.isUntidy || this.#tidyTimer !== null) return;
    this.#tidyTimer = setTimeout(() => {
      this.#tidyTimer = null;
      this.#tidyLater(this.#core.tidy() ? TIDY_MS : TIDY_AGAIN_MS);
    }, delayMs);
  }

  #close(): void {
    if (this.#tidyTimer !== null) clearTimeout(this.#tidyTimer);
    try {
      this.#core.close();
    } catch (error) {
      const { message } = asApexError(error, 'STORE_IO');
      send(this.#port, {
        kind: 'log',
        level: 'error',
        fields: { reason: message },
        event: 'outbox not closed in good order',
      });
    }
    send(this.#port, { kind: 'closed' });
    this.#port.close();
  }
}

function send(port: NonNullable<typeof parentPort>, message: FromWorker): void {
  port.postMessage(message);
}

function logTo(port: NonNullable<typeof parentPort>): Logger {
  const at = (level: LogLevel) => (fields: object, event: string) =>
    send(port, { kind: 'log', level, fields, event });
  const log: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  };
  return log;
}

function start(port: NonNullable<typeof parentPort>): void {
  try {
    const core = new StoreCore({
      ...(workerData as WorkerSettings),
      clock: systemClock,
      newEpoch: () => uuid7(systemClock.wallMs()),
      log: logTo(port),
    });
    const thread = new StoreThread(core, port);
    port.on('message', (message: ToWorker) => thread.onMessage(message));
    send(port, { kind: 'opened', position: core.position });
  } catch (error) {
    const { code, message } = asApexError(error, 'STORE_UNREADABLE');
    send(port, { kind: 'refused', error: { code, message } });
  }
}

if (parentPort === null) throw new Error('store-worker runs as a worker thread');
start(parentPort);
