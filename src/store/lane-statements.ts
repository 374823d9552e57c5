import type { Database, Statement } from 'better-sqlite3';
import type { Lane } from '../protocol/lanes.ts';
import type { OutboxRow } from './outbox-rows.ts';

/** The statements over one lane's table. */
export interface LaneStatements {
  insert: Statement<[Record<string, unknown>]>;
  read: Statement<[number, number, number], OutboxRow>;
  body: Statement<[number], { body: Buffer }>;
  replace: Statement<[Record<string, unknown>]>;
  sum: Statement<[number, number], { depth: number; bytes: number }>;
  first: Statement<[], { seq: number }>;
  oldest: Statement<[number], { wall_ms: number; mono_ms: number; boot_id: string }>;
  trim: Statement<[number]>;
  adopt: Statement<[Record<string, unknown>]>;
}

export function prepareLane(db: Database, lane: Lane): LaneStatements {
  const table = `outbox_${lane}`;
  return {
    insert: db.prepare(
      `INSERT INTO ${table}(seq, epoch_id, message_id, type, schema_version, camera_id, wall_ms,
         mono_ms, bytes, crc32, body)
       VALUES (@seq, @epochId, @messageId, @type, @schemaVersion, @cameraId, @wallMs, @monoMs,
         @bytes, @crc32, @body)`,
    ),
    read: db.prepare(
      `SELECT seq, message_id, type, schema_version, wall_ms, mono_ms, flags, bytes, crc32, body
       FROM ${table} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
    ),
    body: db.prepare(`SELECT body FROM ${table} WHERE seq = ?`),
    replace: db.prepare(
      `UPDATE ${table} SET flags = @flags, bytes = @bytes, crc32 = @crc32, body = @body
       WHERE seq = @seq`,
    ),
    sum: db.prepare(
      `SELECT count(*) AS depth, coalesce(sum(bytes), 0) AS bytes
       FROM ${table} WHERE seq > ? AND seq <= ?`,
    ),
    first: db.prepare(`SELECT seq FROM ${table} ORDER BY seq LIMIT 1`),
    oldest: db.prepare(
      `SELECT wall_ms, mono_ms, boot_id FROM ${table} LEFT JOIN epoch USING (epoch_id)
       WHERE seq > ? ORDER BY seq LIMIT 1`,
    ),
    trim: db.prepare(`DELETE FROM ${table} WHERE seq <= ?`),
    adopt: db.prepare(
      `UPDATE ${table} SET epoch_id = (SELECT max(epoch_id) FROM epoch)
       WHERE epoch_id = @ended AND seq >= @from`,
    ),
  };
}
