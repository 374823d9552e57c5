import type { Database, Statement } from 'better-sqlite3';
import { matches } from '../fan-out/event-filter.ts';
import { camerasOfEvent } from './event-cameras.ts';
import { EVENT_ROW, type EventRow, frameOfRow } from './event-row.ts';
import type { EventPage, ReadEvents } from './requests.ts';
import { EVENT_STATUS } from './schema.ts';
import { severityOf } from './severity.ts';

/** A page looks at no more than so many ids, whatever the filter lets pass of them. */
const SPAN = 2000;
const MAX_ROWS = 256;
/** A page ends with the event that brings its bodies over this. */
const MAX_BYTES = 256 * 1024;

interface Bounds {
  readonly after: number;
  readonly spanEnd: number;
  readonly types: string | null;
  readonly cameras: string | null;
  readonly severities: string | null;
}

interface FollowedRow extends EventRow {
  readonly cameraId: string | null;
  /** Of its column; null where that has none, or nobody asks. */
  readonly severity: string | null;
  readonly bytes: number;
}

/** Reads the event table in the order of its ids, page by page. */
export class EventPages {
  readonly #db: Database;
  readonly #newest: Statement<[], number>;
  readonly #firstAfter: Statement<[number], number>;
  readonly #rows: Statement<[Bounds], FollowedRow>;

  constructor(db: Database) {
    this.#db = db;
    this.#newest = db.prepare<[], number>('SELECT coalesce(max(event_id), 0) FROM event').pluck();
    this.#firstAfter = db
      .prepare<[number], number>(
        'SELECT event_id FROM event WHERE event_id > ? ORDER BY event_id LIMIT 1',
      )
      .pluck();
    // Out of its body a severity costs more than everything else: it is worked out only where it is asked for.
    this.#rows = db.prepare<[Bounds], FollowedRow>(`
      SELECT ${EVENT_ROW}, camera_id AS cameraId, length(body) AS bytes,
        CASE WHEN :severities IS NOT NULL THEN severity END AS severity
      FROM event
      WHERE event_id > :after AND event_id <= :spanEnd
        AND status IN (${EVENT_STATUS.ok}, ${EVENT_STATUS.opaque})
        AND (:types IS NULL OR type IN (SELECT value FROM json_each(:types)))
        AND (:cameras IS NULL OR camera_id IN (SELECT value FROM json_each(:cameras))
          OR (camera_id IS NULL AND type = 'alert_triggered'))
        AND (:severities IS NULL OR severity IS NULL
          OR severity IN (SELECT value FROM json_each(:severities)))
      ORDER BY event_id`);
  }

  page(read: ReadEvents): EventPage {
    // One view of the file: the newest event and the rows up to it belong together.
    return this.#db.transaction(() => this.#page(read))();
  }

  #page({ afterEventId, ...filter }: ReadEvents): EventPage {
    const lastEventId = this.#newest.get() ?? 0;
    // A cursor beyond the newest event belongs to another or an older file; start from here on.
    const after = Math.min(afterEventId, lastEventId);
    // What was deleted is stepped over at once.
    const first = this.#firstAfter.get(after) ?? after;
    const spanEnd = Math.min(first + SPAN, lastEventId);
    const { types, cameras, severities } = filter;
    const wanted = { types: json(types), cameras: json(cameras), severities: json(severities) };
    const frames: string[] = [];
    let bytes = 0;
    for (const row of this.#rows.iterate({ after, spanEnd, ...wanted })) {
      // The query narrows by what SQLite is quick at; what passes is decided as it is for live events.
      const severity = severityToJudge(filter.severities, row);
      if (!matches(filter, { type: row.type, cameras: camerasOfEvent(row), severity })) continue;
      frames.push(frameOfRow(row, filter.scopes));
      bytes += row.bytes;
      if (frames.length >= MAX_ROWS || bytes >= MAX_BYTES)
        return { frames, throughEventId: row.eventId, lastEventId };
    }
    return { frames, throughEventId: spanEnd, lastEventId };
  }
}

/** Only alerts of a known version have theirs in the column. */
function severityToJudge(wanted: readonly string[] | null, row: FollowedRow): string | null {
  return wanted === null ? null : (row.severity ?? severityOf(row.body));
}

function json(list: readonly string[] | null): string | null {
  return list && JSON.stringify(list);
}
