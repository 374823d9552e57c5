import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { ClientType } from '../../protocol/session.ts';
import { openDatabase } from '../../store/file/sqlite.ts';
import { ApexError } from '../../system/errors.ts';
import type { HubToken } from './tokens.ts';

/** A token of the hub's own list; all times are Unix milliseconds. */
export interface StoredToken extends HubToken {
  readonly createdMs: number;
  readonly lastUsedMs: number | undefined;
  readonly revokedMs: number | undefined;
}

export type NewToken = Omit<StoredToken, 'lastUsedMs' | 'revokedMs'>;

interface TokenRow {
  name: string;
  type: ClientType;
  sha256: string;
  /** The scopes as JSON. */
  scopes: string;
  created_ms: number;
  expires_ms: number | null;
  last_used_ms: number | null;
  revoked_ms: number | null;
}

/** SQLite application id of the file: the letters APTK. */
const APPLICATION_ID = 0x4150544b;
const MIGRATIONS = [
  `
CREATE TABLE token(
  name TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  sha256 TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER,
  last_used_ms INTEGER,
  revoked_ms INTEGER
) STRICT, WITHOUT ROWID;
`,
];

/**
 * The hub's own list of tokens: a file beside its database that the hub reads and `apex-edge tokens` writes, also
 * at the same time. It holds digests, so that who reads it cannot use what stands in it.
 *
 * Everything here is synchronous and waits for a lock: not for the thread that serves clients.
 */
export class TokenFile {
  readonly #db: Database.Database;

  /** @throws ApexError as `openDatabase` does. */
  constructor(path: string) {
    createFor(path);
    this.#db = openDatabase(path, {
      applicationId: APPLICATION_ID,
      migrations: MIGRATIONS,
      hasManyWriters: true,
    });
  }

  static pathIn(dataDir: string): string {
    return join(dataDir, 'tokens.db');
  }

  /** Changes when another connection has written. */
  get version(): number {
    return this.#db.pragma('data_version', { simple: true }) as number;
  }

  /** Every token, also those that are revoked or expired, by name. */
  list(): StoredToken[] {
    const rows = this.#db.prepare<[], TokenRow>('SELECT * FROM token ORDER BY name').all();
    return rows.map(tokenOf);
  }

  /**
   * Adds a token. It may take the name of one that is revoked, and with it the edge that came with that name.
   * @throws ApexError HUB_TOKEN_NAME
   */
  add({ name, type, sha256, scopes, expiresMs, createdMs }: NewToken): void {
    const insert = this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM token WHERE name = ? AND revoked_ms IS NOT NULL').run(name);
      this.#db
        .prepare(
          `INSERT INTO token(name, type, sha256, scopes, created_ms, expires_ms)
          VALUES (?, ?, ?, ?, ?, ?)`,
        )
        .run(name, type, sha256, JSON.stringify(scopes), createdMs, expiresMs ?? null);
    });
    try {
      insert.immediate();
    } catch (error) {
      if (error instanceof Database.SqliteError && error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
        throw new ApexError('HUB_TOKEN_NAME', `there is a token ${name} already`);
      throw error;
    }
  }

  /** @throws ApexError HUB_TOKEN_UNKNOWN */
  revoke(name: string, nowMs: number): void {
    const { changes } = this.#db
      .prepare('UPDATE token SET revoked_ms = ? WHERE name = ? AND revoked_ms IS NULL')
      .run(nowMs, name);
    if (changes === 0)
      throw new ApexError('HUB_TOKEN_UNKNOWN', `no token ${name} is in force in the hub's list`);
  }

  /** @param uses last use by digest, Unix milliseconds */
  noteUses(uses: ReadonlyMap<string, number>): void {
    const note = this.#db.prepare('UPDATE token SET last_used_ms = ? WHERE sha256 = ?');
    this.#db
      .transaction(() => {
        for (const [sha256, ms] of uses) note.run(ms, sha256);
      })
      .immediate();
  }

  close(): void {
    this.#db.close();
  }
}

/** Nobody else may read who may connect; made by root, it is the hub's all the same. */
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

function tokenOf(row: TokenRow): StoredToken {
  const { name, type, sha256, scopes } = row;
  return {
    name,
    type,
    sha256,
    scopes: JSON.parse(scopes) as HubToken['scopes'],
    createdMs: row.created_ms,
    expiresMs: row.expires_ms ?? undefined,
    lastUsedMs: row.last_used_ms ?? undefined,
    revokedMs: row.revoked_ms ?? undefined,
  };
}
