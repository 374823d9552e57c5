import Database from 'better-sqlite3';
import { ApexError } from '../../system/errors.ts';

export interface OpenDatabaseOptions {
  /** Written to the file header, so that a foreign file is not taken for ours. */
  applicationId: number;
  /** SQL scripts in order; `user_version` counts the ones that a file has had. Never edit one that was released. */
  migrations: readonly string[];
  /** Hard ceiling of the main file in pages of 4 KiB; none by default. */
  maxPages?: number;
  /**
   * Readers on connections of their own are let in. The caller sees to it that nobody else writes.
   * A file that is new can also be made smaller later. What is deleted is overwritten, which takes more room in the log.
   */
  isShared?: boolean;
  /**
   * Several processes write: no exclusive lock, and a rollback journal in place of the log, which keeps clear of the
   * same bug. For small files that are seldom written.
   */
  hasManyWriters?: boolean;
  /** Makes the connection; a plain one by default. */
  connect?: (path: string, options: Database.Options) => Database.Database;
}

/** A predecessor that is being stopped may hold the lock for a moment. */
const BUSY_TIMEOUT_MS = 2000;
const SYNCHRONOUS_FULL = 2;

/**
 * Opens a SQLite file for one connection on one thread, with every commit on disk when it returns.
 *
 * Unless the file is shared, EXCLUSIVE locking comes first: the WAL index stays in memory and a second opener is
 * refused. (The WAL-reset bug of several connections, sqlite.org/wal.html#walresetbug, ended with SQLite 3.51.3;
 * better-sqlite3 12.11 has 3.53.) better-sqlite3 is built
 * with DEFAULT_WAL_SYNCHRONOUS=1, so FULL is set after WAL and read back at the end.
 * @throws ApexError STORE_LOCKED, STORE_UNREADABLE, STORE_NEWER, STORE_NOT_DURABLE
 */
export function openDatabase(path: string, options: OpenDatabaseOptions): Database.Database {
  let db: Database.Database | undefined;
  try {
    const connect = options.connect ?? ((file, more) => new Database(file, more));
    db = connect(path, { timeout: BUSY_TIMEOUT_MS });
    setPragmas(db, options);
    claim(db, path, options.applicationId);
    migrate(db, path, options.migrations);
    assertDurable(db, path, journalOf(options));
    return db;
  } catch (error) {
    db?.close();
    throw explained(error, path);
  }
}

function journalOf({ hasManyWriters }: OpenDatabaseOptions): 'delete' | 'wal' {
  return hasManyWriters === true ? 'delete' : 'wal';
}

function setPragmas(db: Database.Database, options: OpenDatabaseOptions): void {
  const { maxPages, isShared = false, hasManyWriters = false } = options;
  if (!isShared && !hasManyWriters) db.pragma('locking_mode = EXCLUSIVE');
  db.pragma('page_size = 4096');
  // Without effect on a file that has tables.
  if (isShared) db.pragma('auto_vacuum = INCREMENTAL');
  if (isShared) db.pragma('secure_delete = ON');
  db.pragma(`journal_mode = ${journalOf(options)}`);
  db.pragma('synchronous = FULL');
  db.pragma('mmap_size = 0');
  db.pragma('cell_size_check = ON');
  db.pragma('trusted_schema = OFF');
  db.pragma('temp_store = MEMORY');
  db.pragma('cache_size = -8192');
  db.pragma('wal_autocheckpoint = 1000');
  db.pragma('journal_size_limit = 4194304');
  if (maxPages !== undefined) db.pragma(`max_page_count = ${maxPages}`);
}

function claim(db: Database.Database, path: string, applicationId: number): void {
  const found = db.pragma('application_id', { simple: true }) as number;
  if (found === applicationId) return;
  const isEmpty = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
  if (found !== 0 || !isEmpty)
    throw new ApexError('STORE_UNREADABLE', `${path} is another program's database`);
  db.pragma(`application_id = ${applicationId}`);
}

function migrate(db: Database.Database, path: string, migrations: readonly string[]): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > migrations.length)
    throw new ApexError(
      'STORE_NEWER',
      `${path} has layout ${version}; this program knows up to ${migrations.length}`,
    );
  db.transaction(() => {
    for (const script of migrations.slice(version)) db.exec(script);
    db.pragma(`user_version = ${migrations.length}`);
  }).immediate();
}

function assertDurable(db: Database.Database, path: string, expected: string): void {
  db.pragma('synchronous = FULL');
  const synchronous = db.pragma('synchronous', { simple: true });
  const journal = db.pragma('journal_mode', { simple: true });
  if (synchronous !== SYNCHRONOUS_FULL || journal !== expected)
    throw new ApexError(
      'STORE_NOT_DURABLE',
      `${path} opened with synchronous=${synchronous}, journal_mode=${journal}`,
    );
}

function explained(error: unknown, path: string): ApexError {
  if (error instanceof ApexError) return error;
  const code = error instanceof Database.SqliteError ? error.code : '';
  const message = error instanceof Error ? error.message : String(error);
  if (code.startsWith('SQLITE_BUSY'))
    return new ApexError('STORE_LOCKED', `${path} is in use`, { cause: error });
  return new ApexError('STORE_UNREADABLE', `${path}: ${message}`, { cause: error });
}
