import Database from 'better-sqlite3';

const CACHE_KIB = 16 * 1024;

/**
 * A connection to the hub's file that writes nothing: it sees what is committed, and in write-ahead mode holds up no
 * writer. Synchronous, for one thread.
 */
export function openForReading(path: string): Database.Database {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  db.pragma('query_only = ON');
  db.pragma('trusted_schema = OFF');
  db.pragma(`cache_size = -${CACHE_KIB}`);
  return db;
}
