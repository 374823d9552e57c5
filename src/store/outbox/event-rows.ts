import type { Database } from 'better-sqlite3';
import type { EventRow, ListedEvent } from '../requests.ts';

/** Ended events kept for looking back; about 30 MB. */
const EVENTS_KEPT = 50_000;

/** Writes an event as it now stands, and forgets the oldest ended ones. A snapshot once known stays. */
export function upsertEvent(db: Database, event: EventRow): void {
  db.prepare(
    `INSERT INTO event(event_id, camera_id, label, start_ms, end_ms, snapshot_path, body)
     VALUES (@eventId, @cameraId, @label, @startMs, @endMs, @snapshotPath, @body)
     ON CONFLICT(event_id) DO UPDATE SET label = excluded.label, end_ms = excluded.end_ms,
       snapshot_path = coalesce(excluded.snapshot_path, snapshot_path), body = excluded.body`,
  ).run(event);
  db.prepare(
    `DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ${EVENTS_KEPT}
     AND end_ms IS NOT NULL`,
  ).run();
}

/** Events without an end, oldest first. */
export function openEventRows(db: Database): EventRow[] {
  return db
    .prepare<[], EventRow>(
      `SELECT event_id AS eventId, camera_id AS cameraId, label, start_ms AS startMs,
         end_ms AS endMs, snapshot_path AS snapshotPath, body
       FROM event WHERE end_ms IS NULL ORDER BY id`,
    )
    .all();
}

/** Events behind a number, in the order in which they began. */
export function listEventRows(db: Database, afterId: number, limit: number): ListedEvent[] {
  return db
    .prepare<[number, number], ListedEvent>(
      `SELECT id, event_id AS eventId, start_ms AS startMs, end_ms AS endMs
       FROM event WHERE id > ? ORDER BY id LIMIT ?`,
    )
    .all(afterId, limit);
}

/** JSON texts of events; those that are no longer kept are left out. */
export function eventBodies(db: Database, eventIds: readonly string[]): string[] {
  return db
    .prepare<[string], string>(
      'SELECT body FROM event WHERE event_id IN (SELECT value FROM json_each(?)) ORDER BY id',
    )
    .pluck()
    .all(JSON.stringify(eventIds));
}

/** Forgets the oldest ended events to make room. How many. */
export function evictEvents(db: Database, limit: number): number {
  return db
    .prepare(
      `DELETE FROM event WHERE id IN (
         SELECT id FROM event WHERE end_ms IS NOT NULL ORDER BY id LIMIT ?)`,
    )
    .run(limit).changes;
}
