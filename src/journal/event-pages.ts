import type { Database } from 'better-sqlite3';
import { SEVERITIES } from '../protocol/payloads.ts';
import { severityNumber } from './columns.ts';
import type { JournalEvent, JournalPage } from './contract.ts';
import { type PageOrder, pageClause } from './page-plan.ts';
import { type PartPlan, PartReader } from './part-reader.ts';
import { numberOfPerson } from './people-column.ts';
import type { EventQuery } from './query.ts';
import { eventOf, rowReaders } from './rows.ts';
import { sized } from './sized-page.ts';

interface EventKey {
  readonly id: number;
  readonly atMs: number;
  readonly cameraId: string;
  readonly label: string;
  readonly type: string;
  readonly person: number | null;
  readonly zones: string;
  readonly severity: number | null;
  readonly isReviewed: 0 | 1;
  readonly isFalsePositive: 0 | 1;
}

/** Each has the events of one value in the order of time. */
const INDICES = {
  at: { index: 'event_at', term: 'TRUE' },
  camera: { index: 'event_camera', term: 'camera_id = :value' },
  label: { index: 'event_label', term: 'label = :value' },
  type: { index: 'event_type', term: 'type = :value' },
  person: { index: 'event_person', term: 'person = :value' },
  alerted: { index: 'event_alerted', term: 'alert_severity = :value' },
  reviewed: { index: 'event_reviewed', term: 'reviewed_ms IS NOT NULL' },
  unreviewed: { index: 'event_unreviewed', term: 'reviewed_ms IS NULL' },
  falsePositive: { index: 'event_false_positive', term: 'false_positive_ms IS NOT NULL' },
} as const;
type EventIndex = keyof typeof INDICES | 'zone';

const KEY = `event.id AS id, event.start_ms AS atMs, camera_id AS cameraId, label, type, person,
  zones, alert_severity AS severity, reviewed_ms IS NOT NULL AS isReviewed,
  false_positive_ms IS NOT NULL AS isFalsePositive`;

/** Statement for one part of an index, in an order. Exported for the test of the query plans. */
export function eventStatement(index: EventIndex, order: PageOrder): string {
  // The row is asked for once its place is known; all of a zone would be joined otherwise.
  if (index === 'zone')
    return `SELECT ${KEY} FROM (
      SELECT id AS place FROM event_zone WHERE zone = :value AND ${pageClause('start_ms', order)})
      CROSS JOIN event ON event.id = place`;
  const { index: name, term } = INDICES[index];
  return `SELECT ${KEY} FROM event INDEXED BY ${name} WHERE ${term} AND ${pageClause('start_ms', order)}`;
}

/** Pages of events out of the file. */
export class EventPages {
  readonly #db: Database;
  readonly #parts: PartReader<EventIndex, EventKey>;
  readonly #rows: ReturnType<typeof rowReaders>;

  constructor(db: Database) {
    this.#db = db;
    this.#parts = new PartReader(db, eventStatement);
    this.#rows = rowReaders(db);
  }

  page(query: EventQuery): JournalPage<JournalEvent> {
    // One view of the file, so that nothing is deleted between finding and reading it.
    return this.#db.transaction(() => this.#page(query))();
  }

  #page(query: EventQuery): JournalPage<JournalEvent> {
    const person = query.person_id === undefined ? null : numberOfPerson(this.#db, query.person_id);
    if (query.person_id !== undefined && person === null) return sized([], null, () => null);
    const plan = planEvents(query, person);
    const { keys, next } = this.#parts.page(query, plan, {
      isSieved: isSieved(query),
      isWanted: (key) => isAskedFor(query, key, person),
    });
    return sized(keys, next, ({ id }) => {
      const row = this.#rows.eventAt.get(id);
      return row === undefined ? null : { row: eventOf(row), bytes: row.body.length };
    });
  }
}

/** The index that leaves the least to look through, as far as that can be told without numbers. */
function planEvents(query: EventQuery, person: number | null): PartPlan<EventIndex> {
  const { cameras, labels, types, zones, severities, has_alert, is_reviewed } = query;
  if (person !== null) return { index: 'person', values: [person] };
  if (query.is_false_positive === true) return { index: 'falsePositive', values: [null] };
  if (severities !== undefined)
    return { index: 'alerted', values: [...new Set(severities)].map(severityNumber) };
  if (has_alert === true) return { index: 'alerted', values: [...SEVERITIES.keys()] };
  if (zones !== undefined) return { index: 'zone', values: [...new Set(zones)] };
  if (cameras !== undefined) return { index: 'camera', values: [...new Set(cameras)] };
  if (labels !== undefined) return { index: 'label', values: [...new Set(labels)] };
  if (types !== undefined) return { index: 'type', values: [...new Set(types)] };
  if (is_reviewed === undefined) return { index: 'at', values: [null] };
  return { index: is_reviewed ? 'reviewed' : 'unreviewed', values: [null] };
}

/** Whether there is more than the one filter that an index answers. */
function isSieved(query: EventQuery): boolean {
  const { cameras, labels, types, zones, person_id, severities } = query;
  const hasAlertFilter = severities !== undefined || query.has_alert !== undefined;
  const filters = [cameras, labels, types, zones, person_id, query.is_reviewed];
  const count = [...filters, query.is_false_positive].filter((filter) => filter !== undefined);
  const isUnindexed = query.has_alert === false || query.is_false_positive === false;
  return isUnindexed || count.length + (hasAlertFilter ? 1 : 0) > 1;
}

function isAskedFor(query: EventQuery, key: EventKey, person: number | null): boolean {
  const { cameras, labels, types, zones, severities, has_alert } = query;
  return (
    has(cameras, key.cameraId) &&
    has(labels, key.label) &&
    has(types, key.type) &&
    (person === null || key.person === person) &&
    is(query.is_reviewed, key.isReviewed) &&
    is(query.is_false_positive, key.isFalsePositive) &&
    is(has_alert, key.severity === null ? 0 : 1) &&
    (severities === undefined || isOneOf(severities, key.severity)) &&
    (zones === undefined || (JSON.parse(key.zones) as string[]).some((zone) => has(zones, zone)))
  );
}

function isOneOf(severities: readonly string[], number: number | null): boolean {
  return number !== null && has(severities, SEVERITIES[number]);
}

function has(list: readonly string[] | undefined, value: string | undefined): boolean {
  return list === undefined || (value !== undefined && list.includes(value));
}

function is(asked: boolean | undefined, value: 0 | 1): boolean {
  return asked === undefined || asked === (value === 1);
}
