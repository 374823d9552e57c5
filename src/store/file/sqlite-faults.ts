import Database from 'better-sqlite3';
import { ApexError } from '../../system/errors.ts';

/**
 * What an SQLite error means for the store. `io` and `damaged`: the connection must not be used again (a
 * failed fsync is not to be retried, since the kernel may have marked the pages clean:
 * wiki.postgresql.org/wiki/Fsync_Errors). `full`: nothing was written, the connection is sound.
 */
export type StoreFault = 'full' | 'io' | 'damaged' | 'other';

export function faultOf(error: unknown): StoreFault {
  if (!(error instanceof Database.SqliteError)) return 'other';
  if (error.code === 'SQLITE_FULL') return 'full';
  // A read-only or missing file is how a failing disk shows itself after the kernel has given it up.
  if (/^SQLITE_(IOERR|READONLY|CANTOPEN)/.test(error.code)) return 'io';
  if (error.code.startsWith('SQLITE_CORRUPT') || error.code === 'SQLITE_NOTADB') return 'damaged';
  return 'other';
}

const UNUSABLE_DISK = new Set(['EIO', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENXIO', 'ENODEV']);

/** Whether no file can be written now, for a reason that lies with the disk and may pass. */
export function isDiskUnusable(error: unknown): boolean {
  const cause = error instanceof ApexError && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Database.SqliteError)
    return /^SQLITE_(IOERR|READONLY|FULL)/.test(cause.code);
  return cause instanceof Error && 'code' in cause && UNUSABLE_DISK.has(String(cause.code));
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
