import { inflateRawSync } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import {
  eventsAbout,
  type ForgottenPerson,
  inJson,
  scrubBody,
  scrubJson,
} from '../../people/scrub.ts';
import { LANES } from '../../protocol/lanes.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { ForgottenRows } from '../requests.ts';
import type { StoredRow } from './lane-table.ts';
import type { Outbox } from './outbox.ts';
import type { OutboxLane } from './outbox-lane.ts';
import { bodyText } from './outbox-rows.ts';

/** Rows that one transaction rewrites, so that the log stays small. */
const SLICE_ROWS = 200;

/** Runs a change as a transaction. */
type Commit = (change: () => void) => void;

/**
 * Takes a person out of every row of the open file: queued messages, events, dead letters. Idempotent.
 * @param commit null to look only
 */
export function forgetInRows(
  { db, outbox }: { readonly db: Database; readonly outbox: Outbox },
  person: ForgottenPerson,
  commit: Commit | null,
): ForgottenRows {
  const work = new Forgetting(db, person, commit);
  for (const lane of LANES) work.forgetInLane(outbox.lane(lane));
  work.forgetInEvents();
  work.forgetInDeadLetters();
  return { rows: work.rows, eventIds: [...work.eventIds] };
}

class Forgetting {
  rows = 0;
  readonly eventIds = new Set<string>();
  readonly #db: Database;
  readonly #person: ForgottenPerson;
  readonly #commit: Commit;
  readonly #isTrial: boolean;
  /** One of these stands in whatever mentions the person. */
  readonly #texts: readonly string[];

  constructor(db: Database, person: ForgottenPerson, commit: Commit | null) {
    this.#db = db;
    this.#person = person;
    this.#commit = commit ?? ((change) => change());
    this.#isTrial = commit === null;
    this.#texts = [person.personId, ...person.names.filter((name) => name !== '').map(inJson)];
  }

  forgetInLane(lane: OutboxLane): void {
    let afterSeq: number | null = 0;
    while (afterSeq !== null) {
      const from: number = afterSeq;
      let done: { lastSeq: number | null; rewritten: number } = { lastSeq: null, rewritten: 0 };
      this.#commit(() => {
        done = this.#forgetInSlice(lane, from);
      });
      this.rows += done.rewritten;
      afterSeq = done.lastSeq;
    }
  }

  /** Within the transaction, which may have deleted acknowledged rows before. */
  #forgetInSlice(lane: OutboxLane, afterSeq: number) {
    const rows = lane.holding(this.#texts, afterSeq, SLICE_ROWS);
    const bodies = new Map<number, string>();
    for (const row of rows) {
      // The orders to the hub themselves, of this and of earlier attempts.
      if (row.type === 'person_forgotten') continue;
      const text = readable(row);
      const scrubbed = this.#scrubbed(text);
      if (scrubbed !== text) bodies.set(row.seq, scrubbed);
    }
    if (!this.#isTrial) lane.rewrite(rows, bodies);
    return { lastSeq: rows.at(-1)?.seq ?? null, rewritten: bodies.size };
  }

  forgetInEvents(): void {
    const texts = JSON.stringify(this.#texts);
    const select = this.#db.prepare<[Record<string, unknown>], { id: number; body: string }>(
      `SELECT id, body FROM event WHERE id > @after
         AND EXISTS (SELECT 1 FROM json_each(@texts) WHERE instr(body, value) > 0)
       ORDER BY id LIMIT ${SLICE_ROWS}`,
    );
    const update = this.#db.prepare<[string, number]>('UPDATE event SET body = ? WHERE id = ?');
    let after = 0;
    for (;;) {
      const rows = select.all({ after, texts });
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.id;
      const changed = rows
        .map(({ id, body }) => ({ id, body, scrubbed: this.#scrubbed(body) }))
        .filter(({ body, scrubbed }) => body !== scrubbed);
      this.#commit(() => {
        if (this.#isTrial) return;
        for (const { id, scrubbed } of changed) update.run(scrubbed, id);
      });
      this.rows += changed.length;
    }
  }

  /** They are few, and some of their bodies may be deflated: all are looked at. */
  forgetInDeadLetters(): void {
    const letters = this.#db
      .prepare<[], { id: number; reason: string; body: Buffer }>(
        'SELECT id, reason, body FROM dead_letter',
      )
      .all();
    const update = this.#db.prepare<[string, Buffer, number]>(
      'UPDATE dead_letter SET reason = ?, body = ? WHERE id = ?',
    );
    this.#commit(() => {
      for (const { id, reason, body } of letters) {
        const text = letterText(body);
        const scrubbed = this.#scrubbed(text);
        const newReason = String(scrubBody(reason, this.#person));
        if (scrubbed === text && newReason === reason) continue;
        if (this.#isTrial) continue;
        update.run(newReason, scrubbed === text ? body : Buffer.from(scrubbed), id);
        this.rows++;
      }
    });
  }

  #scrubbed(text: string): string {
    const scrubbed = scrubJson(text, this.#person);
    if (scrubbed === text) return text;
    if (scrubbed !== 'null')
      for (const eventId of eventsAbout(JSON.parse(text), this.#person.personId))
        this.eventIds.add(eventId);
    return scrubbed;
  }
}

/** A damaged body that cannot be read is told as what it holds, which is no JSON. */
function readable(row: StoredRow): string {
  try {
    return bodyText(row);
  } catch {
    return row.body.toString('latin1');
  }
}

function letterText(body: Buffer): string {
  const text = body.toString('utf8');
  if (text.startsWith('{')) return text;
  try {
    return inflateRawSync(body, { maxOutputLength: LIMITS.maxBodyBytes }).toString('utf8');
  } catch {
    return text;
  }
}
