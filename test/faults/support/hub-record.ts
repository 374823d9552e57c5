import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { EVENT_STATUS } from '../../../src/hub/store/schema.ts';
import type { Gap } from '../../../src/protocol/batch.ts';

export interface StoredMessage {
  readonly eventId: number;
  readonly clientId: string;
  readonly epoch: string | null;
  readonly lane: number | null;
  readonly seq: number | null;
  readonly messageId: string | null;
  readonly type: string;
  readonly status: number;
  /** The producer's id in the body; null where there is none. */
  readonly id: string | null;
  readonly body: string;
  /** Of the body, as the producer counts it. */
  readonly hash: string;
  /** Of a declared gap. */
  readonly gap: Gap | null;
}

export interface StoredStream {
  readonly clientId: string;
  readonly epoch: string;
  readonly lane: number;
  readonly firstSeq: number;
  readonly ackedThrough: number;
}

/** Everything that the hub has on disk. */
export interface HubRecord {
  readonly events: readonly StoredMessage[];
  readonly streams: readonly StoredStream[];
}

/** The mark that the driver puts into each payload. */
const ID = /(?:alert|face|event|detection|status):[\d-]+;/;

interface EventRow {
  event_id: number;
  client_id: string;
  epoch: string | null;
  lane: number | null;
  seq: number | null;
  message_id: Buffer | null;
  type: string;
  status: number;
  body: Buffer;
}

/** Reads a copy of the hub's file; to be called while no hub runs over it. */
export function readHubRecord(databasePath: string): HubRecord {
  const folder = mkdtempSync(join(tmpdir(), 'apex-oracle-'));
  try {
    const copy = join(folder, 'hub.sqlite');
    for (const ending of ['', '-wal'])
      if (existsSync(databasePath + ending)) copyFileSync(databasePath + ending, copy + ending);
    const db = new Database(copy);
    try {
      return { events: readEvents(db), streams: readStreams(db) };
    } finally {
      db.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readEvents(db: Database.Database): StoredMessage[] {
  const rows = db
    .prepare<[], EventRow>(
      `SELECT event_id, client_id, epoch, lane, seq, message_id, type, status, body
       FROM event ORDER BY event_id`,
    )
    .iterate();
  return Array.from(rows, (row) => {
    const body = row.body.toString('utf8');
    return {
      eventId: row.event_id,
      clientId: row.client_id,
      epoch: row.epoch,
      lane: row.lane,
      seq: row.seq,
      messageId: row.message_id && uuidText(row.message_id),
      type: row.type,
      status: row.status,
      body,
      id: ID.exec(body)?.[0] ?? null,
      hash: createHash('sha256').update(row.body).digest('hex').slice(0, 24),
      gap: row.status === EVENT_STATUS.gap ? (JSON.parse(body) as Gap) : null,
    };
  });
}

function readStreams(db: Database.Database): StoredStream[] {
  return db
    .prepare<[], StoredStream>(
      `SELECT client_id AS clientId, epoch, lane, first_seq AS firstSeq,
         acked_through AS ackedThrough FROM stream_state`,
    )
    .all();
}

function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return [...parts, hex.slice(20)].join('-');
}
