import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemClock } from '../system/clock.ts';
import { asApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { relayedLogger } from '../system/relayed-logger.ts';
import { uuid7 } from '../system/uuid7.ts';
import { defaultBudget } from './file/disk-room.ts';
import type { FromWorker, Outcome, StoreCall, ToWorker, WorkerSettings } from './requests.ts';
import { StoreCore } from './store-core.ts';

/** Messages in memory are looked at so often. */
const TIDY_MS = 100;
/** Acknowledged rows are deleted with the next commit, or after so long without one. */
const IDLE_TIDY_MS = 1_500;
/** After that failed: the disk is full or failing, and will not be better at once. */
const TIDY_AGAIN_MS = 2_000;
/** Events wait so long for others to share an fsync with; alerts do not wait. */
const GROUP_MS = 20;

interface QueuedCall {
  readonly id: number;
  readonly call: StoreCall;
}

/**
 * The store's thread. Calls that arrive while a commit runs wait in the port and are committed together next,
 * so that the cost of an fsync is shared without a delay of its own.
 */
class StoreThread {
  readonly #core: StoreCore;
  readonly #port: NonNullable<typeof parentPort>;
  readonly #deferred = new Map<StoreCall, number>();
  #waiting: QueuedCall[] = [];
  #groupTimer: NodeJS.Timeout | null = null;
  #tidyTimer: NodeJS.Timeout | null = null;
  #tidyAtMs = 0;

  constructor(core: StoreCore, port: NonNullable<typeof parentPort>) {
    this.#core = core;
    this.#port = port;
  }

  begin(): void {
    this.#tidyLater();
  }

  onMessage(first: ToWorker): void {
    const calls: QueuedCall[] = [];
    let next: ToWorker | undefined = first;
    while (next !== undefined && next.kind === 'call') {
      calls.push(next);
      next = receiveMessageOnPort(this.#port)?.message;
    }
    if (calls.length > 0) this.#take(calls);
    if (next?.kind === 'close') this.#close();
  }

  #take(calls: readonly QueuedCall[]): void {
    if (calls.every(({ call }) => isPatient(call))) {
      this.#waiting.push(...calls.filter(({ call }) => mayShare(call)));
      const atOnce = calls.filter(({ call }) => !mayShare(call));
      if (atOnce.length > 0) this.#answer(atOnce);
      if (this.#waiting.length > 0)
        this.#groupTimer ??= setTimeout(() => this.#flush([]), GROUP_MS);
      return;
    }
    this.#flush(calls);
  }

  #flush(calls: readonly QueuedCall[]): void {
    if (this.#groupTimer !== null) clearTimeout(this.#groupTimer);
    this.#groupTimer = null;
    const all = [...this.#waiting, ...calls];
    this.#waiting = [];
    if (all.length > 0) this.#answer(all);
  }

  #answer(calls: readonly QueuedCall[]): void {
    const results = this.#core.execute(calls.map(({ call }) => call));
    const outcomes: { id: number; outcome: Outcome }[] = [];
    for (const [index, { id, call }] of calls.entries()) {
      const outcome = results[index];
      if (outcome === undefined) continue;
      if ('deferred' in outcome) this.#deferred.set(call, id);
      else outcomes.push({ id, outcome });
    }
    this.#tell(outcomes);
    this.#tidyLater();
  }

  #tell(outcomes: readonly { id: number; outcome: Outcome }[]): void {
    const settled = this.#core.settled().flatMap((call) => {
      const id = this.#deferred.get(call);
      this.#deferred.delete(call);
      return id === undefined ? [] : [{ id, outcome: { ok: true, result: null } as const }];
    });
    const position = this.#core.position;
    send(this.#port, { kind: 'done', outcomes: [...outcomes, ...settled], position });
  }

  /** Soon where messages wait in memory; a deletion waits longer, for a commit that it can share. */
  #tidyLater(delayMs = this.#core.isPressing ? TIDY_MS : IDLE_TIDY_MS): void {
    if (!this.#core.isUntidy) return;
    const atMs = systemClock.monotonicMs() + delayMs;
    if (this.#tidyTimer !== null) {
      if (atMs >= this.#tidyAtMs) return;
      clearTimeout(this.#tidyTimer);
    }
    this.#tidyAtMs = atMs;
    this.#tidyTimer = setTimeout(() => {
      this.#tidyTimer = null;
      const isDone = this.#core.tidy();
      this.#tell([]);
      if (isDone) this.#tidyLater();
      else this.#tidyLater(TIDY_AGAIN_MS);
    }, delayMs);
  }

  #close(): void {
    this.#flush([]);
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

/** Events that may wait a little for each other. */
function mayShare(call: StoreCall): boolean {
  return call.op === 'write' && call.rows.length > 0 && call.rows.every(({ lane }) => lane === 1);
}

/** Calls that do not ask for what waits to be written, nor must be written at once. */
function isPatient(call: StoreCall): boolean {
  if (call.op === 'write') return call.rows.length > 0 && call.rows.every(({ lane }) => lane > 0);
  return call.op === 'ack' || call.op === 'read';
}

function send(port: NonNullable<typeof parentPort>, message: FromWorker): void {
  port.postMessage(message);
}

function logTo(port: NonNullable<typeof parentPort>): Logger {
  return relayedLogger((level, fields, event) => send(port, { kind: 'log', level, fields, event }));
}

function start(port: NonNullable<typeof parentPort>): void {
  try {
    const settings = workerData as WorkerSettings;
    const core = new StoreCore({
      ...settings,
      budgetBytes: settings.budgetBytes ?? defaultBudget(settings.dir),
      clock: systemClock,
      newEpoch: () => uuid7(systemClock.wallMs()),
      log: logTo(port),
    });
    const thread = new StoreThread(core, port);
    port.on('message', (message: ToWorker) => thread.onMessage(message));
    send(port, { kind: 'opened', position: core.position });
    thread.begin();
  } catch (error) {
    const { code, message } = asApexError(error, 'STORE_UNREADABLE');
    send(port, { kind: 'refused', error: { code, message } });
  }
}

if (parentPort === null) throw new Error('store-worker runs as a worker thread');
start(parentPort);
