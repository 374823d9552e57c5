import type { Database } from 'better-sqlite3';
import { inJson, namesBeside, scrubJson } from '../../people/scrub.ts';
import { UnusedRoom } from '../../store/file/unused-room.ts';

/** What one slice did. */
export interface ForgettingSlice {
  /** Events that no longer tell of somebody. */
  readonly scrubbed: number;
  /** Orders that were carried out to their end. */
  readonly forgotten: number;
}

/** `gather`: the names; `scrub`: the events; `clear`: unused room of the file, and the log, which holds old pages. */
const PHASES = { gather: 0, scrub: 1, clear: 2 } as const;

interface Order {
  readonly orderId: number;
  readonly clientId: string;
  readonly personId: string;
  /** JSON list of the names that stood beside the id, as far as they are gathered. */
  readonly names: string;
  readonly phase: number;
  /** Events up to here were looked at in this phase. */
  readonly doneThrough: number;
}

interface FoundRow {
  readonly eventId: number;
  readonly body: string;
}

/** A commit that comes in meanwhile waits for no more than so many events to be looked through. */
const SLICE_EVENTS = 500;
const BUSY_TIMEOUT_MS = 2000;

/**
 * Carries out the orders of edges to forget a person, slice by slice. Synchronous, for the thread that owns the file.
 *
 * An order names nobody: first the names that stand beside the id are gathered from the events that the edge delivered
 * before, then both are taken out of these. Progress is in the file, so that a crash costs one slice. At the end the
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
    const { orderId, clientId, personId, phase, doneThrough: after } = order;
    const through = this.#statements.sliceEnd.get({ after, orderId }) ?? null;
    if (through === null) {
      this.#endPhase(order);
      return { scrubbed: 0, forgotten: 0 };
    }
    const names = JSON.parse(order.names) as string[];
    const texts = JSON.stringify([personId, ...names.map(inJson)]);
    const rows = this.#statements.rows.all({ clientId, after, through, texts });
    if (phase === PHASES.gather) {
      const found = rows.flatMap(({ body }) => namesIn(body, personId));
      const all = JSON.stringify([...new Set([...names, ...found])]);
      this.#statements.progress.run({ orderId, names: all, phase, through });
      return { scrubbed: 0, forgotten: 0 };
    }
    const person = { personId, names };
    const scrubbed = rows.filter((row) => this.#overwrite(row, scrubJson(row.body, person))).length;
    this.#statements.progress.run({ orderId, names: order.names, phase, through });
    return { scrubbed, forgotten: 0 };
  }

  #endPhase({ orderId, personId, names, phase }: Order): void {
    if (phase === PHASES.gather) {
      this.#statements.progress.run({ orderId, names, phase: PHASES.scrub, through: 0 });
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

/** An item in quarantine may hold anything, but is JSON, as all that the hub stores. */
function namesIn(body: string, personId: string): string[] {
  return namesBeside(JSON.parse(body), personId) ?? [];
}

function prepareStatements(db: Database) {
  return {
    note: db.prepare<[{ orderId: number; clientId: string; personId: string }]>(`
      INSERT INTO forgetting(order_id, client_id, person_id)
      VALUES (:orderId, :clientId, :personId)`),
    next: db.prepare<[], Order>(`
      SELECT order_id AS orderId, client_id AS clientId, person_id AS personId, names, phase,
        done_through AS doneThrough
      FROM forgetting ORDER BY order_id LIMIT 1`),
    sliceEnd: db
      .prepare<[{ after: number; orderId: number }], number | null>(`
      SELECT max(event_id) FROM (
        SELECT event_id FROM event WHERE event_id > :after AND event_id < :orderId
        ORDER BY event_id LIMIT ${SLICE_EVENTS})`)
      .pluck(),
    rows: db.prepare<
      [{ clientId: string; after: number; through: number; texts: string }],
      FoundRow
    >(`
      SELECT event_id AS eventId, CAST(body AS TEXT) AS body FROM event
      WHERE event_id > :after AND event_id <= :through AND client_id = :clientId
        AND EXISTS (SELECT 1 FROM json_each(:texts) WHERE instr(body, CAST(value AS BLOB)) > 0)`),
    event: db.prepare<[number], FoundRow>(`
      SELECT event_id AS eventId, CAST(body AS TEXT) AS body FROM event WHERE event_id = ?`),
    overwrite: db.prepare<[string, number]>(
      'UPDATE event SET body = CAST(? AS BLOB) WHERE event_id = ?',
    ),
    progress: db.prepare<[{ orderId: number; names: string; phase: number; through: number }]>(`
      UPDATE forgetting SET names = :names, phase = :phase, done_through = :through
      WHERE order_id = :orderId`),
    done: db.prepare<[{ orderId: number }]>(`
      UPDATE forgetting SET person_id = '', names = '[]', phase = ${PHASES.clear}
      WHERE order_id = :orderId`),
    remove: db.prepare<[{ orderId: number }]>('DELETE FROM forgetting WHERE order_id = :orderId'),
  };
}
