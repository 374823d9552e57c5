import { LANES } from '../protocol/lanes.ts';
import { ApexError, type ErrorCode } from '../system/errors.ts';
import {
  type Backing,
  type BackingOptions,
  type Inheritance,
  legacyOf,
  NOTHING,
  openInMemory,
  openOnDisk,
} from './backing.ts';
import { explainedFault, faultOf, isDiskUnusable } from './file/sqlite-faults.ts';
import { momentOf } from './outbox/moment.ts';
import type { Operation, Outcome, Result, StoreFailure } from './requests.ts';

/** The file is tried again after so long while messages are kept in memory; sooner at first. */
const RETRY_MS = [500, 1_000, 2_000, 5_000] as const;

/**
 * Which backing is in use. After a fault of the disk the file is opened once more; where that does not help messages
 * are kept in memory, and the file is tried again from time to time.
 */
export class StoreBacking {
  readonly #options: BackingOptions;
  #current: Backing;
  /** Why there is no file; null while there is. */
  #fault: StoreFailure | null = null;
  #hasHadFile = false;
  #retries = 0;
  #retryAtMs = 0;

  /** @throws ApexError STORE_LOCKED, STORE_UNREADABLE, STORE_NEWER, STORE_NOT_DURABLE */
  constructor(options: BackingOptions) {
    this.#options = options;
    try {
      this.#current = openOnDisk(options, { inherited: null, isFirst: true });
      this.#hasHadFile = true;
    } catch (error) {
      if (!isDiskUnusable(error)) throw error;
      this.#current = openInMemory(options, NOTHING);
      this.#noteFault(error);
    }
  }

  /** To be asked for anew in each action: a fault puts another in its place. */
  get current(): Backing {
    return this.#current;
  }

  get fault(): StoreFailure | null {
    return this.#fault;
  }

  /** Runs `action`; after a fault of the disk once more over a new connection, and then in memory. */
  attempt(action: () => Result<Operation>): Outcome {
    try {
      return { ok: true, result: action() };
    } catch (error) {
      if (!isDiskFault(error) || this.#current.mode === 'memory') return failed(error);
      this.#options.log.error({ reason: reasonOf(error) }, 'outbox reopened after a disk fault');
    }
    return this.#attemptReopened(action);
  }

  /** Goes back to the file where it can be written again, with everything that was taken meanwhile. */
  tryDisk(isLast = false): void {
    if (!isLast && this.#nowMs() < this.#retryAtMs) return;
    try {
      const inherited = legacyOf(this.#current, this.#options.log);
      const backing = openOnDisk(this.#options, { inherited, isFirst: !this.#hasHadFile });
      this.#hasHadFile = true;
      closeQuietly(this.#current);
      this.#current = backing;
      this.#fault = null;
      this.#options.log.warn({ messages: inherited.rows.length }, 'outbox is on disk again');
    } catch (error) {
      const step = Math.min(++this.#retries, RETRY_MS.length - 1);
      this.#retryAtMs = this.#nowMs() + (RETRY_MS[step] ?? 5_000);
      this.#options.log.debug({ reason: reasonOf(error) }, 'outbox still cannot be written');
    }
  }

  /** Closes in good order: the log is moved into the file, the epoch marked as cleanly ended. */
  close(): void {
    if (this.#current.mode === 'memory') this.tryDisk(true);
    const { outbox, db, mode } = this.#current;
    try {
      if (mode === 'memory') {
        const lost = LANES.map((lane) => outbox.laneQueue(lane).depth);
        this.#options.log.error({ lanes: lost }, 'outbox closed without a disk: messages are lost');
        return;
      }
      outbox.endEpoch(momentOf(this.#options.clock));
      db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      db.close();
    }
  }

  #attemptReopened(action: () => Result<Operation>): Outcome {
    // As far as the old connection still gives it.
    const inherited = legacyOf(this.#current, this.#options.log);
    try {
      this.#reopen();
    } catch (error) {
      this.#goToMemory(error, inherited);
    }
    try {
      return { ok: true, result: action() };
    } catch (error) {
      if (!isDiskFault(error) || this.#current.mode === 'memory') return failed(error);
      this.#goToMemory(error, legacyOf(this.#current, this.#options.log));
    }
    try {
      return { ok: true, result: action() };
    } catch (error) {
      return failed(error);
    }
  }

  /**
   * A failed fsync is never repeated on the same file: the kernel may have marked the pages clean
   * (wiki.postgresql.org/wiki/Fsync_Errors). A group whose commit failed may be on disk all the same: repeated, its
   * messages keep their message ids, and the hub takes each once.
   */
  #reopen(): void {
    const held = this.#current.outbox.heldMessages();
    closeQuietly(this.#current);
    const inherited = { ...NOTHING, rows: held };
    this.#current = openOnDisk(this.#options, { inherited, isFirst: false });
  }

  #goToMemory(error: unknown, inherited: Inheritance): void {
    closeQuietly(this.#current);
    this.#current = openInMemory(this.#options, inherited);
    this.#noteFault(error);
  }

  #noteFault(error: unknown): void {
    const root = error instanceof ApexError ? (error.cause ?? error) : error;
    const code = faultOf(root) === 'full' ? 'STORE_FULL' : 'STORE_IO';
    const message = reasonOf(root);
    this.#fault = { code, message };
    this.#retries = 0;
    this.#retryAtMs = this.#nowMs() + RETRY_MS[0];
    this.#options.log.error(
      { code, reason: message },
      'outbox cannot be written: messages are kept in memory and sent from there',
    );
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}

/** After such a fault the connection must not be used again. */
function isDiskFault(error: unknown): boolean {
  const fault = faultOf(error);
  return fault === 'io' || fault === 'damaged';
}

function closeQuietly({ db }: Backing): void {
  try {
    db.close();
  } catch {
    // Its disk is gone, and so is what it could say.
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failed(error: unknown): Outcome {
  const { code, message }: { code: ErrorCode; message: string } = explainedFault(error);
  return { ok: false, error: { code, message } };
}
