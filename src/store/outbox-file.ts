import { chmodSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { wasClosedCleanly } from './epochs.ts';
import { OUTBOX_APPLICATION_ID, OUTBOX_MIGRATIONS } from './outbox-schema.ts';
import { openDatabase } from './sqlite.ts';
import { faultOf } from './sqlite-faults.ts';

const PAGE_BYTES = 4096;
/** After a crash a larger file is not read through at once; the checksum of each body still holds. */
const CHECKED_BYTES = 64 * 1024 * 1024;

export interface OutboxFileOptions {
  readonly dir: string;
  /** Ceiling of the main file; the write-ahead log adds up to 4 MiB. */
  readonly budgetBytes: number;
  readonly wallMs: number;
  /** Something is wrong with it: read it through, whatever its size. */
  readonly isSuspect: boolean;
  readonly log: Logger;
}

/**
 * Opens `outbox.db` of the folder, with a new one in its place where it is damaged.
 *
 * The damaged file is renamed to `outbox.corrupt-<ms>` beside its log and never deleted.
 * @throws ApexError as `openDatabase` does
 */
export function openOutboxFile(options: OutboxFileOptions): Database.Database {
  const path = join(options.dir, 'outbox.db');
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return openChecked(path, options);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    quarantine(path, options, error);
    return openChecked(path, { ...options, isSuspect: false });
  }
}

function openChecked(path: string, options: OutboxFileOptions): Database.Database {
  const db = openDatabase(path, {
    applicationId: OUTBOX_APPLICATION_ID,
    migrations: OUTBOX_MIGRATIONS,
    maxPages: Math.ceil(options.budgetBytes / PAGE_BYTES),
  });
  try {
    // It holds what the cameras saw and the session's token.
    chmodSync(path, 0o600);
    const isCrashed = !wasClosedCleanly(db) && statSync(path).size <= CHECKED_BYTES;
    if (options.isSuspect || isCrashed) quickCheck(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function quickCheck(db: Database.Database): void {
  const [found] = db.pragma('quick_check(1)') as { quick_check: string }[];
  if (found?.quick_check !== 'ok')
    throw new Database.SqliteError(found?.quick_check ?? 'no answer', 'SQLITE_CORRUPT');
}

function isDamaged(error: unknown): boolean {
  const fault = faultOf(error instanceof ApexError ? error.cause : error);
  return fault === 'damaged';
}

function quarantine(path: string, options: OutboxFileOptions, error: unknown): void {
  const aside = join(options.dir, `outbox.corrupt-${Math.round(options.wallMs)}`);
  for (const ending of ['', '-wal', '-journal']) {
    if (existsSync(path + ending)) renameSync(path + ending, aside + ending);
  }
  const reason = error instanceof Error ? error.message : String(error);
  options.log.error({ kept_as: aside, reason }, 'outbox damaged; started a new one');
}
