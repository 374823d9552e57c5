import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { fullJitterDelay } from '../../system/backoff.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import { entryPoint } from '../../system/entry-point.ts';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import { type HubToken, mayClaim } from '../door/tokens.ts';
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
  StoreRequest,
  TokenBinding,
  TokenUse,
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
  #edgeTokens: ReadonlyMap<string, TokenBinding> = new Map();
  readonly #claims = new Map<string, TokenBinding>();
  readonly #commits = new CommitTimes();
  #outgoing: StoreRequest[] = [];
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

  get commitTimes(): Readonly<CommitTimes> {
    return this.#commits;
  }

  /**
   * Binds an edge's client id to the token that it first came with.
   * @param tokens all that the hub admits
   * @returns whether this is that token: another one must not speak as this edge
   */
  claimEdge(clientId: string, token: HubToken, tokens: readonly HubToken[]): boolean {
    // A claim of this run is newer than what the file says, and may not have come to it.
    const owner = this.#claims.get(clientId) ?? this.#edgeTokens.get(clientId);
    if (owner !== undefined && !mayClaim(owner, token, tokens)) return false;
    this.#claims.set(clientId, { name: token.name, sha256: token.sha256 });
    return true;
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

  /** Notes that the client has its newest session token. */
  confirm(use: TokenUse): Promise<null> {
    return this.#call({ op: 'confirm', use });
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
      // One message to the thread for all that the sockets bring in one round of the event loop.
      if (this.#outgoing.length === 0) setImmediate(() => this.#post());
      this.#outgoing.push({ ...call, id });
    });
  }

  #post(): void {
    const requests = this.#outgoing;
    this.#outgoing = [];
    // Where the thread has ended meanwhile, these calls have been rejected.
    if (requests.length > 0) this.#worker?.postMessage(requests);
  }

  #start(): Promise<void> {
    const worker = new Worker(entryPoint(import.meta.url, './hub-store-worker.js'), {
      workerData: { path: this.#path },
    });
    return new Promise((resolve, reject) => {
      worker.on('message', (notice: StoreNotice) => {
        if (notice.kind === 'replies') return this.#settle(notice);
        if (notice.kind === 'failed') return reject(new ApexError(notice.code, notice.message));
        if (this.#isClosing) return worker.postMessage([{ op: 'close', id: 0 }]);
        this.#worker = worker;
        this.#storeId = notice.storeId;
        this.#openedAtEventId = notice.lastEventId;
        this.#edgeTokens = notice.edgeTokens;
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

  #settle({ replies, commitMs }: Extract<StoreNotice, { kind: 'replies' }>): void {
    if (commitMs !== null) this.#commits.note(commitMs);
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
    this.#outgoing = [];
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

const COMMIT_MEMORY = 0.05;

/** How long transactions take, their fsync included; milliseconds. */
class CommitTimes {
  commits = 0;
  averageMs = 0;
  longestMs = 0;

  note(ms: number): void {
    this.commits++;
    this.averageMs += (ms - this.averageMs) * (this.commits === 1 ? 1 : COMMIT_MEMORY);
    this.longestMs = Math.max(this.longestMs, ms);
  }
}

function unavailable(message: string): ApexError {
  return new ApexError('HUB_STORE_FAILED', message);
}
