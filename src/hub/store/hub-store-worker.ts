import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock, type TimerHandle } from '../../system/clock.ts';
import { ApexError, asApexError } from '../../system/errors.ts';
import { FairQueue } from './fair-queue.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { commitDelay, GROUP_MESSAGES } from './group-commit.ts';
import { HubDatabase } from './hub-database.ts';
import type {
  StoreAnswers,
  StoreNotice,
  StoreReply,
  StoreRequest,
  StoreThreadData,
  WriteCall,
} from './requests.ts';
import { HUB_FILE } from './schema.ts';

/** Thread that owns the hub's database. `workerData`: `StoreThreadData`. Takes lists of `StoreRequest`, answers with
 * `StoreNotice`. */

type Queued = WriteCall & { readonly id: number };

const { dataDir, retention } = workerData as StoreThreadData;
const clock = systemClock;

/** Where nothing was due; shorter while there are commits, so that a file is not far over its bound before it shows. */
const RETENTION_PAUSE_MS = 1000;
const BUSY_RETENTION_PAUSE_MS = 100;
/** Between two slices, at least; and they take no more than a fifth of the thread. */
const SLICE_PAUSE_MS = 20;
const SLICE_PAUSE_SHARE = 4;
/** After a slice that failed. */
const RETENTION_RETRY_MS = 60_000;

class StoreThread {
  #database: HubDatabase;
  readonly #queue = new FairQueue<Queued>();
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  #timer: TimerHandle | undefined;
  #mustReopen = false;
  readonly #lock: FolderLock;
  #retentionTimer: TimerHandle | undefined;
  #forgettingTimer: TimerHandle | undefined;

  constructor(database: HubDatabase, lock: FolderLock) {
    this.#database = database;
    this.#lock = lock;
    this.#retainAfter(SLICE_PAUSE_MS);
    this.#forgetAfter(SLICE_PAUSE_MS);
  }

  receive(request: StoreRequest): void {
    if (request.op === 'close') this.#close(request.id);
    else this.#queue.push(request);
  }

  schedule(): void {
    if (this.#queue.isEmpty) return;
    const delay = commitDelay(clock.monotonicMs() - this.#lastCommitMs, this.#queue.messages);
    if (this.#timer !== undefined && delay > 0) return;
    this.#timer?.cancel();
    this.#timer = clock.setTimeout(() => this.#commit(), delay);
  }

  #commit(): void {
    this.#timer = undefined;
    const group = this.#queue.take(GROUP_MESSAGES);
    if (group.length === 0) return;
    const begunMs = clock.monotonicMs();
    const replies = this.#write(group);
    this.#lastCommitMs = clock.monotonicMs();
    post(replies, this.#lastCommitMs - begunMs);
    this.schedule();
  }

  #write(group: readonly Queued[]): StoreReply[] {
    try {
      const answers = this.#opened().writeGroup(group);
      return group.map(({ id }, index) => ({ id, ok: true, answer: answers[index] ?? null }));
    } catch (error) {
      if (isDiskFailure(error)) this.#mustReopen = true;
      // A call that cannot be stored must not take its neighbours with it; a sick disk fails them all.
      if (group.length === 1 || isDiskFailure(error))
        return group.map(({ id }) => ({ id, ok: false, message: messageOf(error) }));
      return group.flatMap((call) => this.#write([call]));
    }
  }

  /** After a failed fsync the pages in memory cannot be trusted: the file is opened anew, never synced again. */
  #opened(): HubDatabase {
    if (this.#mustReopen) {
      this.#database.close();
      this.#database = openHubDatabase();
      this.#mustReopen = false;
    }
    return this.#database;
  }

  #close(id: number): void {
    while (!this.#queue.isEmpty) this.#commit();
    this.#timer?.cancel();
    this.#retentionTimer?.cancel();
    this.#forgettingTimer?.cancel();
    const reply = this.#attempt(id, () => {
      this.#database.close();
      this.#lock.release();
      return null;
    });
    post([reply], null);
    parentPort?.close();
  }

  #retainAfter(delayMs: number): void {
    this.#retentionTimer = clock.setTimeout(() => this.#retain(), delayMs);
  }

  #retain(): void {
    const begunMs = clock.monotonicMs();
    try {
      const slice = this.#opened().retain(clock.wallMs());
      const tookMs = clock.monotonicMs() - begunMs;
      if (slice !== null) {
        notify({ kind: 'retained', ...slice });
        this.#retainAfter(Math.max(SLICE_PAUSE_MS, SLICE_PAUSE_SHARE * tookMs));
        return;
      }
      const isBusy = begunMs - this.#lastCommitMs < RETENTION_PAUSE_MS;
      this.#retainAfter(isBusy ? BUSY_RETENTION_PAUSE_MS : RETENTION_PAUSE_MS);
    } catch (error) {
      if (isDiskFailure(error)) this.#mustReopen = true;
      notify({ kind: 'retention_failed', message: messageOf(error) });
      this.#retainAfter(RETENTION_RETRY_MS);
    }
  }

  #forgetAfter(delayMs: number): void {
    this.#forgettingTimer = clock.setTimeout(() => this.#forget(), delayMs);
  }

  #forget(): void {
    const begunMs = clock.monotonicMs();
    try {
      const slice = this.#opened().forget();
      const tookMs = clock.monotonicMs() - begunMs;
      if (slice === null) {
        this.#forgetAfter(RETENTION_PAUSE_MS);
        return;
      }
      if (slice.scrubbed > 0 || slice.forgotten > 0) notify({ kind: 'forgot', ...slice });
      this.#forgetAfter(Math.max(SLICE_PAUSE_MS, SLICE_PAUSE_SHARE * tookMs));
    } catch (error) {
      if (isDiskFailure(error)) this.#mustReopen = true;
      notify({ kind: 'forgetting_failed', message: messageOf(error) });
      this.#forgetAfter(RETENTION_RETRY_MS);
    }
  }

  #attempt(id: number, work: () => StoreAnswers[keyof StoreAnswers]): StoreReply {
    try {
      return { id, ok: true, answer: work() };
    } catch (error) {
      return { id, ok: false, message: messageOf(error) };
    }
  }
}

function openHubDatabase(): HubDatabase {
  return new HubDatabase(join(dataDir, HUB_FILE), clock.wallMs(), retention);
}

function isDiskFailure(error: unknown): boolean {
  // Opening the file anew failed.
  if (error instanceof ApexError) return true;
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^SQLITE_(IOERR|CORRUPT|NOTADB|FULL)/.test(code);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function notify(notice: StoreNotice): void {
  parentPort?.postMessage(notice);
}

function post(replies: readonly StoreReply[], commitMs: number | null): void {
  notify({ kind: 'replies', replies, commitMs });
}

try {
  const lock = lockFolder(dataDir);
  const database = openHubDatabase();
  const thread = new StoreThread(database, lock);
  parentPort?.on('message', (requests: readonly StoreRequest[]) => {
    for (const request of requests) thread.receive(request);
    thread.schedule();
  });
  notify({
    kind: 'ready',
    storeId: database.storeId,
    lastEventId: database.lastEventId,
    oldestEventId: database.oldestEventId,
    edgeTokens: database.edgeTokens(),
  });
} catch (error) {
  const { code, message } = asApexError(error, 'STORE_UNREADABLE');
  notify({ kind: 'failed', code, message });
}
