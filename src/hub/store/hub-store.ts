import { mkdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { fullJitterDelay } from '../../protocol/full-jitter.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import { entryPoint } from '../../system/entry-point.ts';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import { type HubToken, mayClaim } from '../door/tokens.ts';
import { CommitTimes } from './commit-times.ts';
import type { EventStore } from './event-store.ts';
import type {
  ClientRecord,
  IdentifiedClient,
  StoreAnswers,
  StoreBatch,
  StoreCall,
  StoredBatch,
  StoreNotice,
  StoreRequest,
  StoreThreadData,
  TokenBinding,
  TokenUse,
} from './requests.ts';
import { DEFAULT_RETENTION, type RetentionRules } from './retention.ts';

export interface HubStoreOptions {
  dataDir: string;
  log: Logger;
  clock: Clock;
  random: () => number;
  retention?: RetentionRules;
}

interface PendingCall {
  resolve(answer: never): void;
  reject(error: ApexError): void;
}

const RESTART_BASE_MS = 100;
const RESTART_CAP_MS = 5000;
/** What retention deletes is told in the log no more often than this. */
const DELETION_LOG_MS = 60_000;

/**
 * The hub's database, on a thread of its own. Every promise of a write resolves after the commit is on disk.
 *
 * Calls are answered in the order in which they were made. Reading is `HubHistory`'s.
 * If the thread dies, calls under way reject with HUB_STORE_FAILED and a new one takes the file over.
 */
export class HubStore implements EventStore {
  readonly #options: HubStoreOptions;
  readonly #pending = new Map<number, PendingCall>();
  #worker: Worker | undefined;
  #storeId = '';
  #openedAtEventId = 0;
  #oldestEventId = 1;
  #deletedEvents = 0;
  #scrubbedEvents = 0;
  #forgottenPersons = 0;
  #deletedLogged = { events: 0, atMs: Number.NEGATIVE_INFINITY };
  #edgeTokens: ReadonlyMap<string, TokenBinding> = new Map();
  readonly #claims = new Map<string, TokenBinding>();
  readonly #commits = new CommitTimes();
  #outgoing: StoreRequest[] = [];
  #nextId = 1;
  #isClosing = false;
  #failedStarts = 0;
  #restartTimer: TimerHandle | undefined;

  onCommit: ((ms: number) => void) | undefined;

  private constructor(options: HubStoreOptions) {
    this.#options = options;
  }

  /** @throws ApexError STORE_UNREADABLE, STORE_LOCKED, STORE_NEWER, STORE_NOT_DURABLE */
  static async open(options: HubStoreOptions): Promise<HubStore> {
    try {
      mkdirSync(options.dataDir, { recursive: true, mode: 0o750 });
    } catch (error) {
      throw new ApexError('STORE_UNREADABLE', `cannot create ${options.dataDir}`, { cause: error });
    }
    const store = new HubStore(options);
    await store.#start();
    return store;
  }

  get storeId(): string {
    return this.#storeId;
  }

  get oldestEventId(): number {
    return this.#oldestEventId;
  }

  get deletedEvents(): number {
    return this.#deletedEvents;
  }

  get scrubbedEvents(): number {
    return this.#scrubbedEvents;
  }

  get forgottenPersons(): number {
    return this.#forgottenPersons;
  }

  get commitTimes(): Readonly<CommitTimes> {
    return this.#commits;
  }

  claimEdge(clientId: string, token: HubToken, tokens: readonly HubToken[]): boolean {
    // A claim of this run is newer than what the file says, and may not have come to it.
    const owner = this.#claims.get(clientId) ?? this.#edgeTokens.get(clientId);
    if (owner !== undefined && !mayClaim(owner, token, tokens)) return false;
    this.#claims.set(clientId, { name: token.name, sha256: token.sha256 });
    return true;
  }

  get openedAtEventId(): number {
    return this.#openedAtEventId;
  }

  identify(client: ClientRecord): Promise<IdentifiedClient> {
    return this.#call({ op: 'identify', client });
  }

  store(batch: StoreBatch): Promise<StoredBatch> {
    return this.#call({ op: 'store', batch });
  }

  confirm(use: TokenUse): Promise<null> {
    return this.#call({ op: 'confirm', use });
  }

  async probe(): Promise<void> {
    await this.#call({ op: 'probe' });
  }

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
    const { dataDir, retention = DEFAULT_RETENTION } = this.#options;
    const workerData: StoreThreadData = { dataDir, retention };
    const worker = new Worker(entryPoint(import.meta.url, './hub-store-worker.js'), { workerData });
    return new Promise((resolve, reject) => {
      worker.on('message', (notice: StoreNotice) => {
        if (notice.kind === 'failed') return reject(new ApexError(notice.code, notice.message));
        if (notice.kind !== 'ready') return this.#onNotice(notice);
        if (this.#isClosing) return worker.postMessage([{ op: 'close', id: 0 }]);
        this.#worker = worker;
        this.#storeId = notice.storeId;
        this.#openedAtEventId = notice.lastEventId;
        this.#oldestEventId = notice.oldestEventId;
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

  #onNotice(notice: Exclude<StoreNotice, { kind: 'ready' | 'failed' }>): void {
    switch (notice.kind) {
      case 'replies':
        this.#settle(notice);
        return;
      case 'retained':
        this.#onRetained(notice);
        return;
      case 'retention_failed':
        this.#onRetentionFailed(notice.message);
        return;
      case 'forgot':
        this.#onForgot(notice);
        return;
      case 'forgetting_failed':
        this.#onForgettingFailed(notice.message);
    }
  }

  #settle({ replies, commitMs }: Extract<StoreNotice, { kind: 'replies' }>): void {
    if (commitMs !== null) {
      this.#commits.note(commitMs);
      this.onCommit?.(commitMs);
    }
    for (const reply of replies) {
      const call = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.ok) call?.resolve(reply.answer as never);
      else call?.reject(unavailable(reply.message));
    }
  }

  #onRetained({ deleted, oldestEventId }: Extract<StoreNotice, { kind: 'retained' }>): void {
    const { clock, log } = this.#options;
    this.#oldestEventId = oldestEventId;
    this.#deletedEvents += deleted;
    const nowMs = clock.monotonicMs();
    const events = this.#deletedEvents - this.#deletedLogged.events;
    if (events === 0 || nowMs - this.#deletedLogged.atMs < DELETION_LOG_MS) return;
    this.#deletedLogged = { events: this.#deletedEvents, atMs: nowMs };
    log.info({ events, oldest_event_id: oldestEventId }, 'old events deleted');
  }

  #onForgot({ scrubbed, forgotten }: Extract<StoreNotice, { kind: 'forgot' }>): void {
    this.#scrubbedEvents += scrubbed;
    this.#forgottenPersons += forgotten;
    if (forgotten === 0) return;
    this.#options.log.info({ events: this.#scrubbedEvents }, 'a person was forgotten');
  }

  #onForgettingFailed(cause: string): void {
    this.#options.log.error({ cause }, 'a person could not be forgotten yet');
  }

  #onRetentionFailed(cause: string): void {
    this.#options.log.warn({ cause }, 'old events could not be deleted');
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

function unavailable(message: string): ApexError {
  return new ApexError('HUB_STORE_FAILED', message);
}
