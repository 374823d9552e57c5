import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ApexError } from '../../system/errors.ts';

/** A predecessor that is being stopped may hold the lock for a moment. */
const BUSY_TIMEOUT_MS = 2000;

export interface FolderLock {
  release(): void;
}

/**
 * Makes this the only hub on a data folder, for as long as its process lives.
 *
 * The event file itself cannot be held alone, as history is read on a second connection. SQLite's locks are used
 * because they also hold between two hubs of one process, and are gone with a process that is killed.
 * @throws ApexError STORE_LOCKED, STORE_UNREADABLE
 */
export function lockFolder(dataDir: string): FolderLock {
  const path = join(dataDir, 'hub.lock');
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    // Nothing is ever written, so there is nothing to roll back either.
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
    const held = db;
    return { release: () => held.close() };
  } catch (error) {
    db?.close();
    throw explained(error, dataDir);
  }
}

function explained(error: unknown, dataDir: string): ApexError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && code.startsWith('SQLITE_BUSY'))
    return new ApexError('STORE_LOCKED', `${dataDir} is in use`, { cause: error });
  return new ApexError('STORE_UNREADABLE', `${dataDir}: ${message}`, { cause: error });
}
