import type { Database, Statement } from 'better-sqlite3';
import { camerasOfEvent } from './event-cameras.ts';
import { EVENT_ROW, type EventRow, frameOfRow } from './event-row.ts';
import {
  type HistoryIndex,
  type HistoryPart,
  type MergedParts,
  mergeParts,
  planHistory,
} from './history-plan.ts';
import type {
  HistoryKey,
  HistoryOrder,
  HistoryPage,
  HistoryPlace,
  HistoryQuery,
} from './history-query.ts';

/** A page of large events ends before it is larger; one event is on it in any case. Bytes of UTF-8. */
const PAGE_BYTES = 1024 * 1024;

interface PartBounds {
  value: string | null;
  fromMs: number;
  toMs: number;
  atMs: number;
  eventId: number;
  rows: number;
}

/** Terms that find a part of each index. The status is that of their `WHERE` in the schema. */
const PARTS: Readonly<Record<Exclude<HistoryIndex, 'id'>, { index: string; term: string }>> = {
  at: { index: 'event_at', term: 'TRUE' },
  camera: { index: 'event_camera', term: 'camera_id IS :value' },
  client: { index: 'event_client', term: 'client_id = :value' },
  folded: { index: 'event_folded', term: "camera_id IS NULL AND type = 'alert_triggered'" },
  severity: { index: 'event_severity', term: 'severity = :value' },
  type: { index: 'event_type', term: 'type = :value' },
};

// Of an alert that may be of several cameras what tells them is read, and not all of its body.
const KEY = `event_id AS eventId, at_ms AS atMs, type, camera_id AS cameraId, client_id AS clientId,
  CASE WHEN camera_id IS NULL AND type = 'alert_triggered' AND status IN (0, 2)
    AND json_valid(CAST(body AS TEXT)) THEN json_object(
      'camera_id', CAST(body AS TEXT) -> '$.camera_id',
      'camera_ids', CAST(body AS TEXT) -> '$.camera_ids') END AS body,
  status IN (0, 2) AS isShown`;

type KeyRow = Omit<HistoryKey, 'cameras'> & {
  readonly cameraId: string | null;
  readonly body: string | null;
};

/** Statement for one part of an index, in an order. Exported for the test of the query plans. */
export function partStatement(index: HistoryIndex, order: HistoryOrder): string {
  // Unwanted rows have to count here, or a page could look through the whole table.
  if (index === 'id')
    return `SELECT ${KEY}, severity FROM event WHERE event_id > :eventId ORDER BY event_id LIMIT :rows`;
  const { index: name, term } = PARTS[index];
  const isDown = order === 'newest';
  const direction = isDown ? 'DESC' : 'ASC';
  // Out of its body a severity costs more than everything else; whoever asks for one comes by its index.
  const severity = index === 'severity' ? ':value' : 'NULL';
  return `SELECT ${KEY}, ${severity} AS severity FROM event INDEXED BY ${name}
    WHERE ${term} AND status IN (0, 2) AND at_ms >= :fromMs AND at_ms < :toMs
      AND (at_ms, event_id) ${isDown ? '<' : '>'} (:atMs, :eventId)
    ORDER BY at_ms ${direction}, event_id ${direction} LIMIT :rows`;
}

/** The hub's file as history reads it. */
export class HistoryDatabase {
  readonly #db: Database;
  readonly #parts = new Map<string, Statement<[PartBounds], KeyRow>>();
  readonly #event: Statement<[number], EventRow>;

  constructor(db: Database) {
    this.#db = db;
    this.#event = db.prepare(`SELECT ${EVENT_ROW} FROM event WHERE event_id = ?`);
  }

  page(query: HistoryQuery): HistoryPage {
    // One view of the file, so that nothing is deleted between finding and reading it.
    return this.#db.transaction(() => this.#frames(this.#keys(query), query.scopes))();
  }

  #keys(query: HistoryQuery): MergedParts {
    const { parts: planned, rows } = planHistory(query);
    const bounds = {
      fromMs: query.fromMs ?? Number.MIN_SAFE_INTEGER,
      toMs: query.toMs ?? Number.MAX_SAFE_INTEGER,
      ...beginning(query),
      rows,
    };
    const parts = planned.map(({ index, value }): HistoryPart => {
      const found = this.#part(index, query.order).all({ ...bounds, value });
      const keys = found.map((row): HistoryKey => ({ ...row, cameras: camerasOfEvent(row) }));
      return { keys, isCut: keys.length === rows };
    });
    return mergeParts(query, parts);
  }

  #part(index: HistoryIndex, order: HistoryOrder) {
    const name = `${index} ${order}`;
    let statement = this.#parts.get(name);
    if (statement === undefined) {
      statement = this.#db.prepare(partStatement(index, order));
      this.#parts.set(name, statement);
    }
    return statement;
  }

  #frames({ keys, next, hasMore }: MergedParts, scopes: HistoryQuery['scopes']): HistoryPage {
    const frames: string[] = [];
    let bytes = 0;
    let place: HistoryPlace | null = null;
    for (const { atMs, eventId } of keys) {
      const row = this.#event.get(eventId);
      if (row === undefined) continue;
      const frame = frameOfRow(row, scopes);
      bytes += Buffer.byteLength(frame);
      if (bytes > PAGE_BYTES && place !== null) return { frames, next: place, hasMore: true };
      frames.push(frame);
      place = { atMs, eventId };
    }
    return { frames, next, hasMore };
  }
}

function beginning({ order, after, eventId }: HistoryQuery): HistoryPlace {
  if (eventId !== null) return { atMs: 0, eventId: eventId - 1 };
  if (after !== null) return after;
  const isDown = order === 'newest';
  const farthest = isDown ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  return { atMs: farthest, eventId: isDown ? farthest : 0 };
}
