import type { Database } from 'better-sqlite3';
import {
  eventsAbout,
  type ForgottenPerson,
  inJson,
  scrubBody,
  scrubJson,
} from '../people/scrub.ts';
import { UnusedRoom } from '../store/file/unused-room.ts';
import type { PersonTraces } from './contract.ts';
import type { PeopleColumn } from './people-column.ts';

/** A write that comes in meanwhile waits for no more than so many rows to be looked through. */
const SLICE_ROWS = 500;
const BUSY_TIMEOUT_MS = 2000;
/** Columns of free text that are no JSON. */
const TEXTS = { event: ['reviewed_by', 'false_positive_by'], alert: ['acknowledged_by'] } as const;

type Table = keyof typeof TEXTS;

interface FoundRow {
  readonly id: number;
  /** Its own, or that of the event it is about. */
  readonly own: string;
  readonly body: string;
  readonly notes: string;
  /** JSON list of the columns of free text. */
  readonly texts: string;
}

/** What one body tells of a person. */
export function aboutIn(body: string, personId: string): string[] {
  try {
    return eventsAbout(JSON.parse(body), personId);
  } catch {
    return [];
  }
}

/**
 * Finds everything that is about a person, and takes the person out of it, slice by slice: between two slices others may
 * write. What comes in meanwhile has to be free of the person. Synchronous, for the thread that owns the file.
 */
export class PersonWork {
  readonly #db: Database;
  readonly #person: ForgottenPerson;
  readonly #people: PeopleColumn | null;
  readonly #eventIds: Set<string>;
  readonly #alertIds = new Set<string>();
  /** One of these stands in whatever mentions the person. */
  readonly #needles: string;
  #rows = 0;

  /** @param eventIds events that are known to be theirs @param people null to look only */
  constructor(
    db: Database,
    person: ForgottenPerson,
    { eventIds, people }: { eventIds: readonly string[]; people: PeopleColumn | null },
  ) {
    this.#db = db;
    this.#person = person;
    this.#people = people;
    this.#eventIds = new Set(eventIds);
    const names = person.names.filter((name) => name !== '');
    this.#needles = JSON.stringify([...new Set([person.personId, ...names, ...names.map(inJson)])]);
  }

  *run(): Generator<void, PersonTraces> {
    yield* this.#throughTable('event');
    yield* this.#throughTable('alert');
    yield* this.#alertsAboutEvents();
    if (this.#people !== null) {
      this.#db.transaction((people: PeopleColumn) => people.forget(this.#person.personId))(
        this.#people,
      );
      yield* this.#clear();
    }
    return { rows: this.#rows, eventIds: [...this.#eventIds], alertIds: [...this.#alertIds] };
  }

  *#throughTable(table: Table): Generator<void> {
    const end = this.#db
      .prepare<[number], number | null>(
        `SELECT max(id) FROM (SELECT id FROM ${table} WHERE id > ? ORDER BY id LIMIT ${SLICE_ROWS})`,
      )
      .pluck();
    const rows = this.#rowsOf(table);
    let after = 0;
    for (;;) {
      const through = end.get(after) ?? null;
      if (through === null) return;
      const found = rows.all({ after, through, needles: this.#needles });
      this.#db.transaction(() => {
        for (const row of found) this.#look(table, row);
      })();
      after = through;
      yield;
    }
  }

  #rowsOf(table: Table) {
    const own = table === 'event' ? 'event_id' : 'alert_id';
    const notes = table === 'event' ? "'[]'" : 'notes';
    const texts = TEXTS[table].join(', ');
    const anywhere = ['body', notes, ...TEXTS[table].map((name) => `coalesce(${name}, '')`)];
    return this.#db.prepare<[{ after: number; through: number; needles: string }], FoundRow>(`
      SELECT id, ${own} AS own, body, ${notes} AS notes, json_array(${texts}) AS texts FROM ${table}
      WHERE id > :after AND id <= :through AND EXISTS (
        SELECT 1 FROM json_each(:needles) WHERE ${anywhere
          .map((column) => `instr(${column}, value) > 0`)
          .join(' OR ')})`);
  }

  #look(table: Table, { id, own, body, notes, texts }: FoundRow): void {
    const scrubbed = scrubJson(body, this.#person);
    const scrubbedNotes = scrubJson(notes, this.#person);
    const columns = JSON.parse(texts) as (string | null)[];
    const scrubbedColumns = columns.map((text) => scrubBody(text, this.#person));
    const isAbout = scrubbed !== body || scrubbedNotes !== notes;
    if (!isAbout && columns.every((text, index) => text === scrubbedColumns[index])) return;
    if (isAbout && table === 'alert') this.#alertIds.add(own);
    if (scrubbed !== body && table === 'event') this.#eventIds.add(own);
    for (const eventId of aboutIn(body, this.#person.personId)) this.#eventIds.add(eventId);
    this.#rows++;
    if (this.#people === null) return;
    const set = [
      'body = ?',
      ...(table === 'event' ? [] : ['notes = ?']),
      // A name in the text alone says nothing of whose event it is.
      ...(table === 'event' && body.includes(this.#person.personId) ? ['person = NULL'] : []),
      ...TEXTS[table].map((name) => `${name} = ?`),
    ];
    this.#db
      .prepare(`UPDATE ${table} SET ${set.join(', ')} WHERE id = ?`)
      .run(scrubbed, ...(table === 'event' ? [] : [scrubbedNotes]), ...scrubbedColumns, id);
  }

  *#alertsAboutEvents(): Generator<void> {
    const find = this.#db
      .prepare<[string], string>(
        `SELECT alert_id FROM alert INDEXED BY alert_event
         WHERE event_id IN (SELECT value FROM json_each(?))`,
      )
      .pluck();
    const ids = [...this.#eventIds];
    for (let from = 0; from < ids.length; from += SLICE_ROWS) {
      const slice = JSON.stringify(ids.slice(from, from + SLICE_ROWS));
      for (const alertId of find.all(slice)) this.#alertIds.add(alertId);
      yield;
    }
  }

  /** Overwrites what is left in the room between rows, and empties the log. Readers may be in the way for a moment. */
  *#clear(): Generator<void> {
    const unused = new UnusedRoom(this.#db);
    for (;;) {
      this.#db.pragma('busy_timeout = 0');
      try {
        if (unused.erase()) {
          const [result] = this.#db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
          if (result?.busy === 0) return;
        }
      } finally {
        this.#db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
      }
      yield;
    }
  }
}
