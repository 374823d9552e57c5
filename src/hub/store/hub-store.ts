import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { fullJitterDelay } from '../../system/backoff.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import { entryPoint } from '../../system/entry-point.ts';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import type {
  ClientRecord,
  EventPage,
  IdentifiedClient,
  ReadEvents,
  StoreAnswers,
  StoreBatch,
  StoreCall,
  StoredBatch,
  StoreNotice,
} from './requests.ts';

export interface HubStoreOptions {
  dataDir: string;
  log: Logger;
  clock: Clock;
  random: () => number;
}

interface PendingCall {
  resolve(answer: never): void;
  reject(error: ApexError): void;
}

const RESTART_BASE_MS = 100;
const RESTART_CAP_MS = 5000;

/**
 * The hub's database, on a thread of its own. Every promise of a write resolves after the commit is on disk.
 *
 * Calls are answered in the order in which they were made, except reads, which need not wait for a commit.
 * If the thread dies, calls under way reject with HUB_STORE_FAILED and a new one takes the file over.
 */
export class HubStore {
  readonly #options: HubStoreOptions;
  readonly #path: string;
  readonly #pending = new Map<number, PendingCall>();
  #worker: Worker | undefined;
  #storeId = '';
  #openedAtEventId = 0;
  #edgeTokens = new Map<string, string>();
  #nextId = 1;
  #isClosing = false;
  #failedStarts = 0;
  #restartTimer: TimerHandle | undefined;

  private constructor(options: HubStoreOptions, path: string) {
    this.#options = options;
    this.#path = path;
  }

  /** @throws ApexError STORE_UNREADABLE, STORE_LOCKED, STORE_NEWER, STORE_NOT_DURABLE */
  static async open(options: HubStoreOptions): Promise<HubStore> {
    try {
      mkdirSync(options.dataDir, { recursive: true, mode: 0o750 });
    } catch (error) {
      throw new ApexError('STORE_UNREADABLE', `cannot create ${options.dataDir}`, { cause: error });
    }
    const store = new HubStore(options, join(options.dataDir, 'hub.sqlite'));
    await store.#start();
    return store;
  }

  /** Names the file; a client that sees another one knows that the hub was replaced. */
  get storeId(): string {
    return this.#storeId;
  }

  /**
   * Binds an edge's client id to the token that it first came with.
   * @returns whether this is that token: another one must not speak as this edge
   */
  claimEdge(clientId: string, tokenName: string): boolean {
    const owner = this.#edgeTokens.get(clientId) ?? tokenName;
    this.#edgeTokens.set(clientId, owner);
    return owner === tokenName;
  }

  /** Newest event when the file was opened. */
  get openedAtEventId(): number {
    return this.#openedAtEventId;
  }

  /** Records the session and tells where each of the client's streams goes on. */
  identify(client: ClientRecord): Promise<IdentifiedClient> {
    return this.#call({ op: 'identify', client });
  }

  /** Resolves when the batch and its high-water mark are on disk. */
  store(batch: StoreBatch): Promise<StoredBatch> {
    return this.#call({ op: 'store', batch });
  }

  /** A bounded part of the events after a cursor. */
  read(read: ReadEvents): Promise<EventPage> {
    return this.#call({ op: 'read', read });
  }

  /** Commits what is queued and closes the file. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#restartTimer?.cancel();
    if (this.#worker !== undefined) await this.#call({ op: 'close' });
  }

  #call<Op extends StoreCall['op']>(
    call: Extract<StoreCall, { op: Op }>,
  ): Promise<StoreAnswers[Op]> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(unavailable('the store is restarting'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ ...call, id });
    });
  }

  #start(): Promise<void> {
    const worker = new Worker(entryPoint(import.meta.url, './hub-store-worker.js'), {
      workerData: { path: this.#path },
    });
    return new Promise((resolve, reject) => {
      worker.on('message', (notice: StoreNotice) => {
        if (notice.kind === 'replies') return this.#settle(notice);
        if (notice.kind === 'failed') return reject(new ApexError(notice.code, notice.message));
        if (this.#isClosing) return worker.postMessage({ op: 'close', id: 0 });
        this.#worker = worker;
        this.#storeId = notice.storeId;
        this.#openedAtEventId = notice.lastEventId;
        this.#edgeTokens = new Map(notice.edgeTokens);
        this.#failedStarts = 0;
        resolve();
      });
      worker.on('error', (error) => {
        this.#options.log.error({ err: error }, 'store thread failed');
        reject(new ApexError('STORE_UNREADABLE', error.message, { cause: error }));
      });
      worker.on('exit', () => this.#exited(worker));
    });
  }

  #settle({ replies }: Extract<StoreNotice, { kind: 'replies' }>): void {
    for (const reply of replies) {
      const call = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.ok) call?.resolve(reply.answer as never);
      else call?.reject(unavailable(reply.message));
    }
  }

  #exited(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const call of this.#pending.values()) call.reject(unavailable('the store thread ended'));
    this.#pending.clear();
    if (!this.#isClosing) this.#scheduleRestart();
  }

  #scheduleRestart(): void {
    const { clock, random, log } = this.#options;
    const step = { attempt: this.#failedStarts, baseMs: RESTART_BASE_MS, capMs: RESTART_CAP_MS };
    const delayMs = fullJitterDelay(step, random);
    log.warn({ delay_ms: Math.round(delayMs) }, 'store restart scheduled');
    this.#restartTimer = clock.setTimeout(() => {
      this.#start().catch((error: unknown) => {
        this.#failedStarts++;
        log.error({ err: error }, 'store restart failed');
        if (!this.#isClosing) this.#scheduleRestart();
      });
    }, delayMs);
  }
}

function unavailable(message: string): ApexError {
  return new ApexError('HUB_STORE_FAILED', message);
}
