import type { Database } from 'better-sqlite3';
import { type EventColumns, eventColumns } from './columns.ts';
import type { PeopleColumn } from './people-column.ts';
import type { Tallies } from './tallies.ts';

interface KnownEvent {
  readonly id: number;
  readonly zones: string;
  readonly endMs: number | null;
}

/** What is to be deleted with an event. */
export interface EventPlace {
  readonly id: number;
  readonly cameraId: string;
  readonly startMs: number;
  readonly zones: string;
}

/** Writes the rows of events. Synchronous; within transactions of the caller. */
export class EventTable {
  readonly #people: PeopleColumn;
  readonly #tallies: Tallies;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(db: Database, people: PeopleColumn, tallies: Tallies) {
    this.#people = people;
    this.#tallies = tallies;
    this.#statements = prepareStatements(db);
  }

  /** Writes an event as it now stands; what people said of it stays. @param body JSON text of its message */
  put(body: string): void {
    const { personId, zones, ...columns } = eventColumns(body);
    const before = this.#statements.known.get(columns.eventId);
    const row = {
      ...columns,
      person: personId === null ? null : this.#people.numberOf(personId),
      zones: JSON.stringify(zones),
    };
    if (before === undefined) {
      const id = Number(this.#statements.insert.run(row).lastInsertRowid);
      this.#tallies.add({ atMs: row.startMs, cameras: [row.cameraId], events: 1 });
      for (const zone of zones) this.#statements.addZone.run(zone, row.startMs, id);
      return;
    }
    this.#statements.update.run({ ...row, id: before.id });
    if (before.zones !== row.zones) this.#moveZones(before, { ...columns, zones });
  }

  /** Of these events, those that are not here, or without an end. */
  lacking(events: readonly { readonly eventId: string }[]): string[] {
    return events
      .map(({ eventId }) => eventId)
      .filter((eventId) => (this.#statements.known.get(eventId)?.endMs ?? null) === null);
  }

  delete(events: readonly EventPlace[]): void {
    for (const { id, cameraId, startMs, zones } of events) {
      for (const zone of JSON.parse(zones) as string[])
        this.#statements.removeZone.run(zone, startMs, id);
      this.#statements.remove.run(id);
      this.#tallies.add({ atMs: startMs, cameras: [cameraId], events: -1 });
    }
  }

  /** The zones of a stay are found under the time at which it began, which never changes. */
  #moveZones(
    before: KnownEvent,
    { startMs, zones }: Pick<EventColumns, 'startMs' | 'zones'>,
  ): void {
    const { id } = before;
    for (const zone of JSON.parse(before.zones) as string[])
      this.#statements.removeZone.run(zone, startMs, id);
    for (const zone of zones) this.#statements.addZone.run(zone, startMs, id);
  }
}

type Row = Omit<EventColumns, 'personId' | 'zones'> & {
  readonly person: number | null;
  readonly zones: string;
};

function prepareStatements(db: Database) {
  return {
    known: db.prepare<[string], KnownEvent>(
      'SELECT id, zones, end_ms AS endMs FROM event WHERE event_id = ?',
    ),
    // An alert may have come first.
    insert: db.prepare<[Row]>(`
      INSERT INTO event(event_id, camera_id, label, type, start_ms, end_ms, score, person, zones,
        alert_severity, body)
      VALUES (:eventId, :cameraId, :label, :type, :startMs, :endMs, :score, :person, :zones,
        (SELECT max(severity) FROM alert WHERE event_id = :eventId), :body)`),
    update: db.prepare<[Row & { readonly id: number }]>(`
      UPDATE event SET label = :label, type = :type, end_ms = :endMs, score = :score,
        person = :person, zones = :zones, body = :body
      WHERE id = :id`),
    addZone: db.prepare<[string, number, number]>(
      'INSERT OR IGNORE INTO event_zone(zone, start_ms, id) VALUES (?, ?, ?)',
    ),
    removeZone: db.prepare<[string, number, number]>(
      'DELETE FROM event_zone WHERE zone = ? AND start_ms = ? AND id = ?',
    ),
    remove: db.prepare<[number]>('DELETE FROM event WHERE id = ?'),
  };
}
