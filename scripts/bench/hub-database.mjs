// Counts what a stopped hub has in its file against what the load was told.
import Database from 'better-sqlite3';

/**
 * Rows of the hub's database. Throws unless every acknowledged message is there once, every stream is without a
 * hole, and nothing else is there.
 * @param result {acknowledged, unacknowledged, streams: [{client_id, epoch, through}]}
 */
export function checkDatabase(path, { acknowledged, unacknowledged, streams }) {
  if (unacknowledged > 0) throw new Error(`${unacknowledged} messages were never acknowledged`);
  const db = new Database(path);
  try {
    const valid = db.prepare('SELECT count(*) FROM event WHERE status = 0').pluck().get();
    const all = db.prepare('SELECT count(*) FROM event').pluck().get();
    if (valid !== acknowledged || all !== acknowledged)
      throw new Error(`${valid} valid of ${all} rows for ${acknowledged} acknowledged messages`);
    const stored = new Map(
      db
        .prepare(
          `SELECT client_id || '/' || epoch AS stream, count(*) AS count, min(seq) AS first, max(seq) AS last
           FROM event GROUP BY client_id, epoch`,
        )
        .all()
        .map((row) => [row.stream, row]),
    );
    for (const { client_id, epoch, through } of streams) {
      const row = stored.get(`${client_id}/${epoch}`) ?? { count: 0, first: 1, last: 0 };
      if (row.count !== through || row.first !== 1 || row.last !== through)
        throw new Error(`${client_id}: rows ${JSON.stringify(row)}, acknowledged ${through}`);
    }
    return valid;
  } finally {
    db.close();
  }
}
