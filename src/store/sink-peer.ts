import type { Database } from 'better-sqlite3';
import type { SinkPeer } from './requests.ts';

const SINK = 'ws';

/** The hub as it was when this edge last identified itself; null before that. */
export function readPeer(db: Database): SinkPeer | null {
  const peer = db
    .prepare<[string], SinkPeer>(
      `SELECT store_id AS storeId, session_token AS sessionToken FROM sink_peer WHERE sink = ?`,
    )
    .get(SINK);
  return peer ?? null;
}

export function savePeer(db: Database, { storeId, sessionToken }: SinkPeer): void {
  db.prepare(
    `INSERT INTO sink_peer(sink, store_id, session_token) VALUES (?, ?, ?)
     ON CONFLICT(sink) DO UPDATE SET store_id = excluded.store_id,
       session_token = excluded.session_token`,
  ).run(SINK, storeId, sessionToken);
}
