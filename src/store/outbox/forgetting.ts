import { inflateRawSync } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import {
  eventsAbout,
  type ForgottenPerson,
  inJson,
  scrubBody,
  scrubJson,
} from '../../people/scrub.ts';
import { THUMBNAIL_MARK, withoutPicture } from '../../people/taken-back.ts';
import { LANES, laneOf } from '../../protocol/lanes.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { ForgottenRows } from '../requests.ts';
import { type Commit, rewriteLane, SLICE_ROWS } from './lane-rewriting.ts';
import type { Outbox } from './outbox.ts';
import type { OutboxLane } from './outbox-lane.ts';

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
  if (commit !== null) {
    const { eventIds } = forgetInRows({ db, outbox }, person, null);
    work.takeBackThumbnails(outbox.lane(laneOf('alert_thumbnail')), new Set(eventIds));
  }
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
  /** Null to look only. */
  readonly #change: Commit | null;
  #thumbnailsOf: ReadonlySet<string> = new Set();
  /** One of these stands in whatever mentions the person. */
  readonly #texts: readonly string[];

  constructor(db: Database, person: ForgottenPerson, commit: Commit | null) {
    this.#db = db;
    this.#person = person;
    this.#commit = commit ?? ((change) => change());
    this.#change = commit;
    this.#texts = [person.personId, ...person.names.filter((name) => name !== '').map(inJson)];
  }

  /** Before the rows lose what tells whose events these are: a crash must not leave the pictures behind. */
  takeBackThumbnails(lane: OutboxLane, eventIds: ReadonlySet<string>): void {
    this.#thumbnailsOf = eventIds;
    const change = (body: string, type: string): string =>
      type === 'alert_thumbnail' ? withoutPicture(body, eventIds) : body;
    this.rows += rewriteLane(lane, { texts: [THUMBNAIL_MARK], change, commit: this.#change });
  }

  forgetInLane(lane: OutboxLane): void {
    // The orders to the hub themselves, of this and of earlier attempts, stay.
    const change = (body: string, type: string): string =>
      type === 'person_forgotten' ? body : this.#scrubbed(body);
    this.rows += rewriteLane(lane, { texts: this.#texts, change, commit: this.#change });
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
        if (this.#change === null) return;
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
        const scrubbed = withoutPicture(this.#scrubbed(text), this.#thumbnailsOf);
        const newReason = String(scrubBody(reason, this.#person));
        if (scrubbed === text && newReason === reason) continue;
        if (this.#change === null) continue;
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

function letterText(body: Buffer): string {
  const text = body.toString('utf8');
  if (text.startsWith('{')) return text;
  try {
    return inflateRawSync(body, { maxOutputLength: LIMITS.maxBodyBytes }).toString('utf8');
  } catch {
    return text;
  }
}
