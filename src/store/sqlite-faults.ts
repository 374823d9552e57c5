import Database from 'better-sqlite3';
import { ApexError } from '../system/errors.ts';

/**
 * What an SQLite error means for the store. `io` and `damaged`: the connection must not be used again (a
 * failed fsync is not to be retried, since the kernel may have marked the pages clean:
 * wiki.postgresql.org/wiki/Fsync_Errors). `full`: nothing was written, the connection is sound.
 */
export type StoreFault = 'full' | 'io' | 'damaged' | 'other';

export function faultOf(error: unknown): StoreFault {
  if (!(error instanceof Database.SqliteError)) return 'other';
  if (error.code === 'SQLITE_FULL') return 'full';
  if (error.code.startsWith('SQLITE_IOERR')) return 'io';
  if (error.code.startsWith('SQLITE_CORRUPT') || error.code === 'SQLITE_NOTADB') return 'damaged';
  return 'other';
}

/** The same for a person. */
export function explainedFault(error: unknown): ApexError {
  if (error instanceof ApexError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const fault = faultOf(error);
  if (fault === 'full')
    return new ApexError('STORE_FULL', `the outbox cannot grow: ${message}`, { cause: error });
  if (fault === 'io' || fault === 'damaged')
    return new ApexError('STORE_IO', `the disk failed the outbox: ${message}`, { cause: error });
  return new ApexError('INTERNAL', `outbox: ${message}`, { cause: error });
}
