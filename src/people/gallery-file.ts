import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { openDatabase } from '../store/file/sqlite.ts';
import { ApexError } from '../system/errors.ts';

/** SQLite application id of the file: the letters APPE. */
const APPLICATION_ID = 0x41505045;

/**
 * Layout, one script per version. Names, roles, notes, dates, embeddings, origins and photos are sealed (`seal.ts`);
 * what can be read is how many people and samples there are, from when, and until when they count. `key_check` is
 * sealed by the key that belongs to the file. `forgetting` holds who has been forgotten here and may still have traces
 * elsewhere; its `names` are null where the key was lost.
 */
const MIGRATIONS = [
  `
CREATE TABLE key_check(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  sealed BLOB NOT NULL
) STRICT;
CREATE TABLE person(
  person_id TEXT PRIMARY KEY,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER,
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sample(
  sample_id TEXT NOT NULL,
  person_id TEXT NOT NULL REFERENCES person(person_id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('positive', 'negative')),
  model TEXT NOT NULL,
  quality REAL NOT NULL,
  created_ms INTEGER NOT NULL,
  embedding BLOB NOT NULL,
  origin BLOB NOT NULL,
  photo BLOB,
  PRIMARY KEY(person_id, sample_id)
) STRICT;
CREATE INDEX sample_person ON sample(person_id, created_ms);
CREATE TABLE forgetting(
  person_id TEXT PRIMARY KEY,
  requested_ms INTEGER NOT NULL,
  names BLOB
) STRICT, WITHOUT ROWID;
`,
];

/**
 * Opens `people.db`, which the daemon and the commands use side by side.
 * @throws ApexError as `openDatabase` does
 */
export function openGalleryFile(path: string): Database.Database {
  createFor(path);
  const db = openDatabase(path, {
    applicationId: APPLICATION_ID,
    migrations: MIGRATIONS,
    isShared: true,
  });
  db.pragma('foreign_keys = ON');
  return db;
}

/** Nobody else may read it; made by root, it is the daemon's all the same. */
function createFor(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
    new Database(path).close();
    chmodSync(path, 0o600);
    const { uid, gid } = statSync(folder);
    if (process.getuid?.() === 0) chownSync(path, uid, gid);
  } catch (error) {
    throw new ApexError('STORE_UNREADABLE', `cannot create ${path}`, { cause: error });
  }
}
