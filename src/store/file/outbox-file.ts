import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { Logger } from '../../system/logger.ts';
import { wasClosedCleanly } from '../outbox/epochs.ts';
import { OUTBOX_APPLICATION_ID, OUTBOX_MIGRATIONS } from '../outbox/outbox-schema.ts';
import { assertLayout, damage, isDamage, quickCheck } from './damage.ts';
import { sharesOf } from './disk-room.ts';
import { isLogDamaged } from './log-damage.ts';
import { openDatabase } from './sqlite.ts';

const PAGE_BYTES = 4096;
/** After a crash a larger file is not read through at once; the checksum of each row still holds. */
const CHECKED_BYTES = 64 * 1024 * 1024;
const DAMAGED_NAME = /^outbox\.corrupt-(\d+)$/;
/** Room of an outbox in memory. */
export const MEMORY_BYTES = 16 * 1024 * 1024;

export interface OutboxFileOptions {
  readonly dir: string;
  /** Ceiling of all files together. */
  readonly budgetBytes: number;
  readonly wallMs: number;
  /** Something is wrong with it: read it through, whatever its size. */
  readonly isSuspect: boolean;
  readonly log: Logger;
}

export interface OutboxFile {
  readonly db: Database.Database;
  /** Where the damaged file was put in whose place this one is. */
  readonly damaged: string | null;
}

/**
 * Opens `outbox.db` of the folder, with a new one in its place where it is damaged.
 *
 * The damaged file is renamed to `outbox.corrupt-<ms>` beside its log.
 * @throws ApexError as `openDatabase` does
 */
export function openOutboxFile(options: OutboxFileOptions): OutboxFile {
  const path = join(options.dir, 'outbox.db');
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  assertWritable(dirname(path));
  try {
    // SQLite would begin the log anew, and with that what lies in it would be gone.
    if (isLogDamaged(`${path}-wal`)) throw damage('the log is damaged');
    return { db: openChecked(path, options), damaged: null };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const damaged = quarantine(path, options, error);
    return { db: openChecked(path, { ...options, isSuspect: false }), damaged };
  }
}

/** SQLite does not tell a read-only disk from a file that must not be opened. @throws Error EROFS */
function assertWritable(dir: string): void {
  try {
    accessSync(dir, constants.W_OK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EROFS') throw error;
  }
}

/** The same tables in memory, for when no file can be written. */
export function openOutboxInMemory(): Database.Database {
  const db = new Database(':memory:');
  for (const script of OUTBOX_MIGRATIONS) db.exec(script);
  db.pragma(`max_page_count = ${MEMORY_BYTES / PAGE_BYTES}`);
  return db;
}

/** Damaged databases that were put aside, oldest first. */
export function damagedFiles(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => DAMAGED_NAME.test(name))
    .sort((a, b) => numberOf(a) - numberOf(b))
    .map((name) => join(dir, name));
}

/**
 * Leaves nothing in the file but its rows: writes it anew. To overwrite what is deleted as it is deleted would not be
 * enough, as pages that were rearranged keep old copies in the room between rows; and it takes room in the log, which a
 * full disk does not have. Takes as much room again for a moment.
 */
export function eraseFreeRoom(db: Database.Database): void {
  // A copy of the file is too much for the memory of a small box.
  db.pragma('temp_store = FILE');
  try {
    db.exec('VACUUM');
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.pragma('temp_store = MEMORY');
  }
}

/** Bytes of a database with its log. */
export function bytesOf(path: string): number {
  return ['', '-wal', '-journal']
    .map((ending) => statSync(path + ending, { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}

export function deleteDamaged(path: string): void {
  for (const ending of ['', '-wal', '-journal']) rmSync(path + ending, { force: true });
}

function numberOf(name: string): number {
  return Number(DAMAGED_NAME.exec(name)?.[1] ?? 0);
}

function openChecked(path: string, options: OutboxFileOptions): Database.Database {
  const shares = sharesOf(options.budgetBytes);
  const db = openDatabase(path, {
    applicationId: OUTBOX_APPLICATION_ID,
    migrations: OUTBOX_MIGRATIONS,
    maxPages: Math.floor(shares.main / PAGE_BYTES),
  });
  try {
    // Half of the log's share, so that a large transaction on top of it still fits; and no more than half of the
    // ballast, whose room lets the log be moved into the file when the disk is full.
    const logged = Math.min(shares.wal, shares.ballast) / 2;
    db.pragma(`wal_autocheckpoint = ${Math.max(16, Math.floor(logged / PAGE_BYTES))}`);
    db.pragma(`journal_size_limit = ${shares.wal}`);
    // It holds what the cameras saw and the session's token.
    chmodSync(path, 0o600);
    assertLayout(db, OUTBOX_MIGRATIONS);
    const isCrashed = !wasClosedCleanly(db) && statSync(path).size <= CHECKED_BYTES;
    if (options.isSuspect || isCrashed) quickCheck(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function quarantine(path: string, options: OutboxFileOptions, error: unknown): string {
  const aside = join(options.dir, `outbox.corrupt-${Math.round(options.wallMs)}`);
  for (const ending of ['', '-wal', '-journal']) {
    if (existsSync(path + ending)) renameSync(path + ending, aside + ending);
  }
  const reason = error instanceof Error ? error.message : String(error);
  options.log.error({ kept_as: aside, reason }, 'outbox damaged; started a new one');
  return aside;
}
