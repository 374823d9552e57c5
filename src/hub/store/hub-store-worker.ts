import { parentPort, workerData } from 'node:worker_threads';
import { systemClock, type TimerHandle } from '../../system/clock.ts';
import { ApexError, asApexError } from '../../system/errors.ts';
import { commitDelay, groupSize, messageCount } from './group-commit.ts';
import { HubDatabase } from './hub-database.ts';
import type { StoreAnswers, StoreNotice, StoreReply, StoreRequest, WriteCall } from './requests.ts';

/** Thread that owns the hub's database. `workerData`: {path}. Speaks `StoreRequest` and `StoreNotice`. */

type Queued = WriteCall & { readonly id: number };

const { path } = workerData as { path: string };
const clock = systemClock;

class StoreThread {
  #database: HubDatabase;
  readonly #queue: Queued[] = [];
  #waitingMessages = 0;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  #timer: TimerHandle | undefined;
  #mustReopen = false;

  constructor(database: HubDatabase) {
    this.#database = database;
  }

  receive(request: StoreRequest): void {
    if (request.op === 'store' || request.op === 'identify') {
      this.#queue.push(request);
      this.#waitingMessages += messageCount(request);
      this.#schedule();
    } else if (request.op === 'read') {
      post([this.#attempt(request.id, () => this.#opened().readEvents(request.read))]);
    } else {
      this.#close(request.id);
    }
  }

  #schedule(): void {
    if (this.#queue.length === 0) return;
    const delay = commitDelay(clock.monotonicMs() - this.#lastCommitMs, this.#waitingMessages);
    if (this.#timer !== undefined && delay > 0) return;
    this.#timer?.cancel();
    this.#timer = clock.setTimeout(() => this.#commit(), delay);
  }

  #commit(): void {
    this.#timer = undefined;
    const group = this.#queue.splice(0, groupSize(this.#queue));
    if (group.length === 0) return;
    for (const call of group) this.#waitingMessages -= messageCount(call);
    const replies = this.#write(group);
    this.#lastCommitMs = clock.monotonicMs();
    post(replies);
    this.#schedule();
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
      this.#database = new HubDatabase(path, clock.wallMs());
      this.#mustReopen = false;
    }
    return this.#database;
  }

  #close(id: number): void {
    while (this.#queue.length > 0) this.#commit();
    this.#timer?.cancel();
    post([
      this.#attempt(id, () => {
        this.#database.close();
        return null;
      }),
    ]);
    parentPort?.close();
  }

  #attempt(id: number, work: () => StoreAnswers[keyof StoreAnswers]): StoreReply {
    try {
      return { id, ok: true, answer: work() };
    } catch (error) {
      return { id, ok: false, message: messageOf(error) };
    }
  }
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

function post(replies: readonly StoreReply[]): void {
  notify({ kind: 'replies', replies });
}

try {
  const database = new HubDatabase(path, clock.wallMs());
  const thread = new StoreThread(database);
  parentPort?.on('message', (request: StoreRequest) => thread.receive(request));
  notify({
    kind: 'ready',
    storeId: database.storeId,
    lastEventId: database.lastEventId,
    edgeTokens: database.edgeTokens(),
  });
} catch (error) {
  const { code, message } = asApexError(error, 'STORE_UNREADABLE');
  notify({ kind: 'failed', code, message });
}
