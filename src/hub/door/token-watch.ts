import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import { entryPoint } from '../../system/entry-point.ts';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import type { TokenDirectory } from './token-directory.ts';
import { type NewToken, type StoredToken, TokenFile } from './token-file.ts';
import type { TokenChange, TokenNotice, TokenOrder } from './token-thread.ts';

export interface TokenWatchOptions {
  readonly dataDir: string;
  readonly directory: TokenDirectory;
  readonly log: Logger;
  readonly clock: Clock;
}

type ChangedNotice = Extract<TokenNotice, { kind: 'changed' }>;

const FLUSH_MS = 5000;
const RESTART_MS = 1000;

/**
 * Keeps the directory of tokens as the hub's list is, and writes last uses into it. A list that cannot be read
 * leaves the directory as it was: a sick disk locks nobody out, and lets nobody in.
 */
export class TokenWatch {
  readonly #options: TokenWatchOptions;
  #worker: Worker | undefined;
  #flushTimer: TimerHandle | undefined;
  #restartTimer: TimerHandle | undefined;
  #isClosing = false;
  #tokens: readonly StoredToken[] = [];
  readonly #changes = new Map<number, (error: ApexError | null) => void>();
  #lastChange = 0;

  private constructor(options: TokenWatchOptions) {
    this.#options = options;
  }

  /** Resolves when the list was read. @throws ApexError as opening a database does */
  static async open(options: TokenWatchOptions): Promise<TokenWatch> {
    const watch = new TokenWatch(options);
    try {
      await watch.#start();
    } catch (error) {
      await watch.close();
      throw error;
    }
    watch.#flushLater();
    return watch;
  }

  /** The list as it was last read, also what is revoked or expired. */
  get list(): readonly StoredToken[] {
    return this.#tokens;
  }

  /** Resolves when it is in the list, and on disk. @throws ApexError HUB_TOKEN_NAME, and as writing a database does */
  add(token: NewToken): Promise<void> {
    return this.#change({ kind: 'add', token });
  }

  /** @throws ApexError HUB_TOKEN_UNKNOWN, and as writing a database does */
  revoke(name: string): Promise<void> {
    return this.#change({ kind: 'revoke', name, nowMs: this.#options.clock.wallMs() });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#flushTimer?.cancel();
    this.#restartTimer?.cancel();
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#flush();
    const ended = once(worker, 'exit');
    this.#order({ do: 'close' });
    await ended;
  }

  #start(): Promise<void> {
    const { dataDir, directory, log } = this.#options;
    const worker = new Worker(entryPoint(import.meta.url, './token-thread.js'), {
      workerData: { path: TokenFile.pathIn(dataDir) },
    });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      worker.on('message', (notice: TokenNotice) => {
        if (notice.kind === 'changed') return this.#changed(notice);
        if (notice.kind === 'tokens') {
          this.#tokens = notice.tokens;
          directory.replaceStored(notice.tokens);
          log.info({ tokens: notice.tokens.length }, 'list of tokens read');
          return resolve();
        }
        const error = new ApexError(notice.code, notice.message);
        log.error({ err: error }, 'list of tokens');
        reject(error);
      });
      worker.on('error', (error) => {
        log.error({ err: error }, 'thread of the list of tokens failed');
        reject(new ApexError('STORE_UNREADABLE', error.message, { cause: error }));
      });
      worker.on('exit', () => {
        this.#worker = undefined;
        for (const id of [...this.#changes.keys()])
          this.#changed({ id, error: { code: 'STORE_UNREADABLE', message: 'the thread ended' } });
        reject(new ApexError('STORE_UNREADABLE', 'the thread of the list of tokens ended'));
        if (this.#flushTimer !== undefined && !this.#isClosing) this.#restartLater();
      });
    });
  }

  #change(change: TokenChange): Promise<void> {
    if (this.#worker === undefined)
      return Promise.reject(new ApexError('STORE_UNREADABLE', 'the list of tokens cannot be had'));
    const id = ++this.#lastChange;
    const changed = new Promise<void>((resolve, reject) => {
      this.#changes.set(id, (error) => (error === null ? resolve() : reject(error)));
    });
    this.#order({ do: 'change', id, change });
    return changed;
  }

  #changed({ id, error }: Pick<ChangedNotice, 'id' | 'error'>): void {
    const answer = this.#changes.get(id);
    this.#changes.delete(id);
    answer?.(error && new ApexError(error.code, error.message));
  }

  #restartLater(): void {
    this.#restartTimer = this.#options.clock.setTimeout(() => {
      // Said in the log; its end brings the next try.
      this.#start().catch(() => undefined);
    }, RESTART_MS);
  }

  #flushLater(): void {
    this.#flushTimer = this.#options.clock.setTimeout(() => {
      this.#flush();
      this.#flushLater();
    }, FLUSH_MS);
  }

  #flush(): void {
    if (this.#worker === undefined) return;
    const uses = this.#options.directory.takeUses();
    if (uses.size > 0) this.#order({ do: 'note_uses', uses });
  }

  #order(order: TokenOrder): void {
    this.#worker?.postMessage(order);
  }
}
