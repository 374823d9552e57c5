import type { Database, Statement } from 'better-sqlite3';
import type { StreamAck } from '../../protocol/batch.ts';

interface StreamKey {
  clientId: string;
  epoch: string;
  lane: number;
}

interface StreamPosition extends StreamKey {
  firstSeq: number;
  ackedThrough: number;
  nowMs: number;
}

interface ClientKey {
  clientId: string;
  clientType: string;
}

interface SessionRow {
  current: Buffer;
  number: number;
  previous: Buffer | null;
}

export interface Statements {
  readonly session: Statement<[ClientKey], SessionRow>;
  readonly bindToken: Statement<
    [ClientKey & { tokenName: string; tokenDigest: string | null; connectedMs: number }]
  >;
  readonly issueToken: Statement<
    [ClientKey & { number: number; current: Uint8Array; previous: Uint8Array }]
  >;
  readonly confirmToken: Statement<[ClientKey & { number: number }]>;
  readonly knownStreams: Statement<[{ clientId: string; epochs: string }], StreamAck>;
  readonly purgeStreams: Statement<[{ clientId: string; epochs: string; beforeMs: number }]>;
  readonly probe: Statement<[]>;
  readonly position: Statement<[StreamKey], { ackedThrough: number; deletedThrough: number }>;
  readonly advance: Statement<[StreamPosition]>;
  readonly insert: Statement<unknown[]>;
}

export function prepareStatements(db: Database): Statements {
  return { ...sessionStatements(db), ...streamStatements(db), ...eventStatements(db) };
}

function sessionStatements(db: Database) {
  return {
    session: db.prepare<[ClientKey], SessionRow>(`
      SELECT session_token_hash AS current, session_token_number AS number,
        previous_token_hash AS previous
      FROM session WHERE client_id = :clientId AND client_type = :clientType`),
    bindToken: db.prepare(`
      INSERT INTO session(client_id, client_type, token_name, token_digest, session_token_hash,
        connected_ms)
      VALUES (:clientId, :clientType, :tokenName, :tokenDigest, x'', :connectedMs)
      ON CONFLICT DO UPDATE SET token_name = excluded.token_name,
        token_digest = excluded.token_digest, connected_ms = excluded.connected_ms`),
    issueToken: db.prepare(`
      UPDATE session SET session_token_hash = :current, session_token_number = :number,
        previous_token_hash = :previous
      WHERE client_id = :clientId AND client_type = :clientType`),
    // Changes nothing, and goes to the disk like everything that does.
    probe: db.prepare('UPDATE identity SET created_ms = created_ms'),
    confirmToken: db.prepare(`
      UPDATE session SET previous_token_hash = NULL
      WHERE client_id = :clientId AND client_type = :clientType
        AND session_token_number = :number`),
  };
}

function streamStatements(db: Database) {
  return {
    knownStreams: db.prepare<[{ clientId: string; epochs: string }], StreamAck>(`
      SELECT epoch, lane, acked_through FROM stream_state
      WHERE client_id = :clientId AND epoch IN (SELECT value FROM json_each(:epochs))`),
    purgeStreams: db.prepare(`
      DELETE FROM stream_state WHERE client_id = :clientId AND updated_ms < :beforeMs
        AND epoch NOT IN (SELECT value FROM json_each(:epochs))`),
    position: db.prepare<[StreamKey], { ackedThrough: number; deletedThrough: number }>(`
      SELECT acked_through AS ackedThrough, deleted_through AS deletedThrough FROM stream_state
      WHERE client_id = :clientId AND epoch = :epoch AND lane = :lane`),
    advance: db.prepare(`
      INSERT INTO stream_state(client_id, epoch, lane, first_seq, acked_through, updated_ms)
      VALUES (:clientId, :epoch, :lane, :firstSeq, :ackedThrough, :nowMs)
      ON CONFLICT DO UPDATE SET acked_through = excluded.acked_through,
        updated_ms = excluded.updated_ms`),
  };
}

function eventStatements(db: Database) {
  return {
    // The casts spare a buffer of each text on the way into SQLite.
    insert: db.prepare(`
      INSERT INTO event(event_id, client_id, epoch, lane, seq, message_id, type, camera_id,
        schema_version, device_ms, corrected_ms, clock_suspect, received_ms, replayed, status, body)
      VALUES (?, ?, ?, ?, ?, unhex(?, '-'), ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS BLOB))
      ON CONFLICT(message_id) WHERE message_id IS NOT NULL DO NOTHING`),
  };
}
