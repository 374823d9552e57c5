import type { Database } from 'better-sqlite3';
import { SEVERITIES } from '../protocol/payloads.ts';
import { severityNumber } from './columns.ts';
import type { JournalAlert, JournalPage } from './contract.ts';
import { type PageOrder, pageClause } from './page-plan.ts';
import { type PartPlan, PartReader } from './part-reader.ts';
import type { AlertQuery } from './query.ts';
import { alertOf, rowReaders } from './rows.ts';
import { sized } from './sized-page.ts';

interface AlertKey {
  readonly id: number;
  readonly atMs: number;
  readonly cameraId: string | null;
  readonly cameras: string;
  readonly eventId: string | null;
  readonly type: string;
  readonly severity: number;
  readonly isAcknowledged: 0 | 1;
}

/** Each has the alerts of one value in the order of time. */
const INDICES = {
  at: { index: 'alert_at', term: 'TRUE' },
  // Null finds those of several cameras, and of the box itself.
  camera: { index: 'alert_camera', term: 'camera_id IS :value' },
  type: { index: 'alert_type', term: 'type = :value' },
  severity: { index: 'alert_severity', term: 'severity = :value' },
  event: { index: 'alert_event', term: 'event_id = :value' },
  open: { index: 'alert_open', term: 'acknowledged_ms IS NULL' },
  acknowledged: { index: 'alert_acknowledged', term: 'acknowledged_ms IS NOT NULL' },
} as const;
type AlertIndex = keyof typeof INDICES;

const KEY = `id, at_ms AS atMs, camera_id AS cameraId, cameras, event_id AS eventId, type, severity,
  acknowledged_ms IS NOT NULL AS isAcknowledged`;

/** Statement for one part of an index, in an order. Exported for the test of the query plans. */
export function alertStatement(index: AlertIndex, order: PageOrder): string {
  const { index: name, term } = INDICES[index];
  return `SELECT ${KEY} FROM alert INDEXED BY ${name} WHERE ${term} AND ${pageClause('at_ms', order)}`;
}

/** Pages of alerts out of the file. */
export class AlertPages {
  readonly #db: Database;
  readonly #parts: PartReader<AlertIndex, AlertKey>;
  readonly #rows: ReturnType<typeof rowReaders>;

  constructor(db: Database) {
    this.#db = db;
    this.#parts = new PartReader(db, alertStatement);
    this.#rows = rowReaders(db);
  }

  page(query: AlertQuery): JournalPage<JournalAlert> {
    return this.#db.transaction(() => this.#page(query))();
  }

  #page(query: AlertQuery): JournalPage<JournalAlert> {
    const { keys, next } = this.#parts.page(query, planAlerts(query), {
      isSieved: isSieved(query),
      isWanted: (key) => isAskedFor(query, key),
    });
    return sized(keys, next, ({ id }) => {
      const row = this.#rows.alertAt.get(id);
      return row === undefined
        ? null
        : { row: alertOf(row), bytes: row.body.length + row.notes.length };
    });
  }
}

function planAlerts({
  event_id,
  severities,
  cameras,
  types,
  is_acknowledged,
}: AlertQuery): PartPlan<AlertIndex> {
  if (event_id !== undefined) return { index: 'event', values: [event_id] };
  if (cameras !== undefined) return { index: 'camera', values: [null, ...new Set(cameras)] };
  if (severities !== undefined)
    return { index: 'severity', values: [...new Set(severities)].map(severityNumber) };
  if (types !== undefined) return { index: 'type', values: [...new Set(types)] };
  if (is_acknowledged === undefined) return { index: 'at', values: [null] };
  return { index: is_acknowledged ? 'acknowledged' : 'open', values: [null] };
}

function isSieved({ event_id, severities, cameras, types, is_acknowledged }: AlertQuery): boolean {
  const filters = [event_id, severities, types, is_acknowledged];
  // Those of several cameras are looked through for every camera.
  return cameras !== undefined || filters.filter((filter) => filter !== undefined).length > 1;
}

function isAskedFor(query: AlertQuery, key: AlertKey): boolean {
  const { cameras, types, severities, event_id, is_acknowledged } = query;
  const own = key.cameraId === null ? (JSON.parse(key.cameras) as string[]) : [key.cameraId];
  const severity = SEVERITIES[key.severity] ?? 'low';
  return (
    (cameras === undefined || own.some((camera) => cameras.includes(camera))) &&
    (types === undefined || types.includes(key.type)) &&
    (severities === undefined || severities.includes(severity)) &&
    (event_id === undefined || event_id === key.eventId) &&
    (is_acknowledged === undefined || is_acknowledged === (key.isAcknowledged === 1))
  );
}
