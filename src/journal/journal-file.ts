import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { assertLayout, damage, isDamage, quickCheck } from '../store/file/damage.ts';
import { isLogDamaged } from '../store/file/log-damage.ts';
import { openDatabase } from '../store/file/sqlite.ts';
import { faultOf } from '../store/file/sqlite-faults.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { JOURNAL_APPLICATION_ID, JOURNAL_FILE, JOURNAL_MIGRATIONS } from './schema.ts';

const ENDINGS = ['', '-wal', '-shm', '-journal'];
const DAMAGED_NAME = /^journal\.corrupt-\d+(?:-\d+)?$/;
/** After a crash a larger file is not read through at once. */
const CHECKED_BYTES = 64 * 1024 * 1024;

interface JournalFileOptions {
  readonly dir: string;
  readonly wallMs: number;
  readonly log: Logger;
}

function journalPath(dir: string): string {
  return join(dir, JOURNAL_FILE);
}

/**
 * Opens `journal.db` of the folder, with a new one in its place where it is damaged.
 * @throws ApexError as `openDatabase` does
 */
export function openJournalFile(options: JournalFileOptions): Database.Database {
  const path = journalPath(options.dir);
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  try {
    // SQLite would begin the log anew, and with that what lies in it would be gone.
    if (isLogDamaged(`${path}-wal`)) throw damage('the log is damaged');
    return openChecked(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    putAside(options, error);
    return openChecked(path);
  }
}

/** A connection that writes nothing. @throws SqliteError where there is no file */
export function openJournalForReading(dir: string): Database.Database {
  const db = new Database(journalPath(dir), { readonly: true, fileMustExist: true });
  db.pragma('query_only = ON');
  db.pragma('trusted_schema = OFF');
  db.pragma('cache_size = -16384');
  return db;
}

/** A failure of the journal for a person. */
export function journalError(error: unknown): ApexError {
  if (error instanceof ApexError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const fault = faultOf(error);
  if (fault === 'full') return new ApexError('JOURNAL_FULL', message, { cause: error });
  if (isHeldByOthers(error)) return new ApexError('JOURNAL_BUSY', message, { cause: error });
  const code = fault === 'other' ? 'INTERNAL' : 'JOURNAL_IO';
  return new ApexError(code, message, { cause: error });
}

function isHeldByOthers(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
}

/** The closed file goes to `journal.corrupt-<ms>`, so that a new one can take its place. */
export function putAside({ dir, wallMs, log }: JournalFileOptions, error: unknown): void {
  const path = journalPath(dir);
  const aside = freeName(join(dir, `journal.corrupt-${Math.round(wallMs)}`));
  // It goes with the last connection, and means nothing to another file.
  rmSync(`${path}-shm`, { force: true });
  for (const ending of ENDINGS)
    if (existsSync(path + ending)) renameSync(path + ending, aside + ending);
  const reason = error instanceof Error ? error.message : String(error);
  log.error({ kept_as: aside, reason }, 'journal damaged; started a new one');
}

/** Damaged files that were put aside. */
export function damagedJournals(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => DAMAGED_NAME.test(name))
    .map((name) => join(dir, name));
}

export function deleteJournal(path: string): void {
  for (const ending of ENDINGS) rmSync(path + ending, { force: true });
}

/** Of the file and its log. */
export function journalBytes(dir: string): number {
  return ['', '-wal']
    .map((ending) => statSync(journalPath(dir) + ending, { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}

/** Clears the mark of a file that is in use. */
export function closeJournalFile(db: Database.Database): void {
  markOpen(db, 0);
  db.close();
}

function freeName(path: string): string {
  let name = path;
  for (let number = 1; existsSync(name); number++) name = `${path}-${number}`;
  return name;
}

function openChecked(path: string): Database.Database {
  const db = openDatabase(path, {
    applicationId: JOURNAL_APPLICATION_ID,
    migrations: JOURNAL_MIGRATIONS,
    isShared: true,
  });
  try {
    // It holds what the cameras saw.
    chmodSync(path, 0o600);
    assertLayout(db, JOURNAL_MIGRATIONS);
    const wasOpen = db.prepare<[], number>("SELECT value FROM figure WHERE name = 'open'").pluck();
    if (wasOpen.get() === 1 && statSync(path).size <= CHECKED_BYTES) quickCheck(db);
    markOpen(db, 1);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function markOpen(db: Database.Database, value: 0 | 1): void {
  db.prepare(
    `INSERT INTO figure(name, value) VALUES ('open', ?)
     ON CONFLICT(name) DO UPDATE SET value = excluded.value`,
  ).run(value);
}
