import type { Database } from 'better-sqlite3';
import { eventsAbout, inJson, namesBeside, scrubJson } from '../../people/scrub.ts';
import { withoutPicture } from '../../people/taken-back.ts';
import { UnusedRoom } from '../../store/file/unused-room.ts';

/** What one slice did. */
export interface ForgettingSlice {
  /** Events that no longer tell of somebody. */
  readonly scrubbed: number;
  /** Orders that were carried out to their end. */
  readonly forgotten: number;
}

/** `gather`: the names and the events; `scrub`: the events; `clear`: unused room of the file, and the log, which holds old pages. */
const PHASES = { gather: 0, scrub: 1, clear: 2 } as const;

interface Order {
  readonly orderId: number;
  readonly clientId: string;
  readonly personId: string;
  /** JSON list of the names that stood beside the id, as far as they are gathered. */
  readonly names: string;
  /** JSON list of the events of which the person was a part, likewise. */
  readonly events: string;
  readonly phase: number;
  /** Events up to here were looked at in this phase. */
  readonly doneThrough: number;
}

/** What a slice leaves for the next one. */
type Progress = Order & { readonly through: number };

interface FoundRow {
  readonly eventId: number;
  readonly type: string;
  readonly body: string;
}

/** A commit that comes in meanwhile waits for no more than so many events to be looked through. */
const SLICE_EVENTS = 500;
const BUSY_TIMEOUT_MS = 2000;

/**
 * Carries out the orders of edges to forget a person, slice by slice. Synchronous, for the thread that owns the file.
 *
 * An order names nobody: first the names that stand beside the id are gathered from the events that the edge delivered
 * before, and the stays in view that these tell of; then id and names are taken out of them, and the pictures out of
 * the thumbnails that show such a stay. Progress is in the file, so that a crash costs one slice. At the end the
 * order loses the id too. A body is overwritten in its place, filled up with spaces to its old length, so that nothing
 * of it is left in the file.
 */
export class PersonForgetting {
  readonly #db: Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  /** Of the order that is in its last phase. */
  #unused: UnusedRoom | null = null;

  constructor(db: Database) {
    this.#db = db;
    this.#statements = prepareStatements(db);
  }

  /** Notes an order within the transaction that stores it. @param body JSON text of its payload */
  note(orderId: number, clientId: string, body: string): void {
    const { person_id: personId } = JSON.parse(body) as { person_id: string };
    this.#statements.note.run({ orderId, clientId, personId });
  }

  /** Does one slice, on disk when this returns; null when nothing is to be done. */
  slice(): ForgettingSlice | null {
    const order = this.#statements.next.get();
    if (order === undefined) return null;
    if (order.phase === PHASES.clear) return this.#clear(order);
    return this.#db.transaction(() => this.#work(order)).immediate();
  }

  #work(order: Order): ForgettingSlice {
    const { clientId, personId, phase, doneThrough: after, events, orderId } = order;
    const through = this.#statements.sliceEnd.get({ after, orderId }) ?? null;
    if (through === null) {
      this.#endPhase(order);
      return { scrubbed: 0, forgotten: 0 };
    }
    const names = JSON.parse(order.names) as string[];
    const texts = JSON.stringify([personId, ...names.map(inJson)]);
    const rows = this.#statements.rows.all({ clientId, after, through, texts, events });
    if (phase === PHASES.gather) {
      this.#gather(order, rows, through);
      return { scrubbed: 0, forgotten: 0 };
    }
    const stays = new Set(JSON.parse(events) as string[]);
    const scrub = ({ body, type }: FoundRow): string => {
      const scrubbed = scrubJson(body, { personId, names });
      return type === 'alert_thumbnail' ? withoutPicture(scrubbed, stays) : scrubbed;
    };
    const scrubbed = rows.filter((row) => this.#overwrite(row, scrub(row))).length;
    this.#statements.progress.run({ ...order, through });
    return { scrubbed, forgotten: 0 };
  }

  #gather(order: Order, rows: readonly FoundRow[], through: number): void {
    const { personId } = order;
    const bodies = rows.map(({ body }): unknown => JSON.parse(body));
    // An item in quarantine may hold anything, but is JSON, as all that the hub stores.
    const names = withAll(
      order.names,
      bodies.flatMap((body) => namesBeside(body, personId) ?? []),
    );
    const events = withAll(
      order.events,
      bodies.flatMap((body) => eventsAbout(body, personId)),
    );
    this.#statements.progress.run({ ...order, names, events, through });
  }

  #endPhase(ended: Order): void {
    const { orderId, personId } = ended;
    if (ended.phase === PHASES.gather) {
      this.#statements.progress.run({ ...ended, phase: PHASES.scrub, through: 0 });
      return;
    }
    const order = this.#statements.event.get(orderId);
    // Retention may have been faster.
    if (order !== undefined) this.#overwrite(order, scrubJson(order.body, { personId, names: [] }));
    this.#statements.done.run({ orderId });
  }

  #overwrite({ eventId, body }: FoundRow, scrubbed: string): boolean {
    if (scrubbed === body) return false;
    const spare = Buffer.byteLength(body) - Buffer.byteLength(scrubbed);
    this.#statements.overwrite.run(scrubbed + ' '.repeat(Math.max(0, spare)), eventId);
    return true;
  }

  /** After a crash this begins anew. Readers of the file may be in the way for a moment; the thread does not wait for them. */
  #clear({ orderId }: Order): ForgettingSlice {
    this.#db.pragma('busy_timeout = 0');
    try {
      this.#unused ??= new UnusedRoom(this.#db);
      if (!this.#unused.erase()) return { scrubbed: 0, forgotten: 0 };
      const [result] = this.#db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      if (result?.busy !== 0) return { scrubbed: 0, forgotten: 0 };
    } finally {
      this.#db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
    this.#unused = null;
    this.#statements.remove.run({ orderId });
    return { scrubbed: 0, forgotten: 1 };
  }
}

/** A JSON list with more, each once. */
function withAll(list: string, more: readonly string[]): string {
  return JSON.stringify([...new Set([...(JSON.parse(list) as string[]), ...more])]);
}

function prepareStatements(db: Database) {
  return {
    note: db.prepare<[{ orderId: number; clientId: string; personId: string }]>(`
      INSERT INTO forgetting(order_id, client_id, person_id)
      VALUES (:orderId, :clientId, :personId)`),
    next: db.prepare<[], Order>(`
      SELECT order_id AS orderId, client_id AS clientId, person_id AS personId, names, events, phase,
        done_through AS doneThrough
      FROM forgetting ORDER BY order_id LIMIT 1`),
    sliceEnd: db
      .prepare<[{ after: number; orderId: number }], number | null>(`
      SELECT max(event_id) FROM (
        SELECT event_id FROM event WHERE event_id > :after AND event_id < :orderId
        ORDER BY event_id LIMIT ${SLICE_EVENTS})`)
      .pluck(),
    rows: db.prepare<
      [{ clientId: string; after: number; through: number; texts: string; events: string }],
      FoundRow
    >(`
      SELECT event_id AS eventId, type, CAST(body AS TEXT) AS body FROM event
      WHERE event_id > :after AND event_id <= :through AND client_id = :clientId
        AND (EXISTS (SELECT 1 FROM json_each(:texts) WHERE instr(body, CAST(value AS BLOB)) > 0)
          OR CASE WHEN type = 'alert_thumbnail' AND json_valid(CAST(body AS TEXT))
            THEN json_extract(CAST(body AS TEXT), '$.event_id') IN (
              SELECT value FROM json_each(:events)) END)`),
    event: db.prepare<[number], FoundRow>(`
      SELECT event_id AS eventId, type, CAST(body AS TEXT) AS body FROM event WHERE event_id = ?`),
    overwrite: db.prepare<[string, number]>(
      'UPDATE event SET body = CAST(? AS BLOB) WHERE event_id = ?',
    ),
    progress: db.prepare<[Progress]>(`
      UPDATE forgetting
      SET names = :names, events = :events, phase = :phase, done_through = :through
      WHERE order_id = :orderId`),
    done: db.prepare<[{ orderId: number }]>(`
      UPDATE forgetting SET person_id = '', names = '[]', events = '[]', phase = ${PHASES.clear}
      WHERE order_id = :orderId`),
    remove: db.prepare<[{ orderId: number }]>('DELETE FROM forgetting WHERE order_id = :orderId'),
  };
}
