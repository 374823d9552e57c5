import type { Database } from 'better-sqlite3';
import type { DeadLetter, Rejection } from '../requests.ts';

const EXCERPT_BYTES = 400;
const KEPT_BYTES = 4 * 1024 * 1024;

/** Keeps a message that the hub refused; the oldest ones go when all take more than 4 MiB. */
export function addDeadLetter(
  db: Database,
  letter: Rejection & {
    readonly wallMs: number;
    readonly type: string;
    readonly body: Buffer;
  },
): void {
  db.prepare(
    `INSERT INTO dead_letter(lane, seq, type, code, reason, at_wall_ms, body)
     VALUES (@lane, @seq, @type, @code, @reason, @wallMs, @body)`,
  ).run({ ...letter, wallMs: Math.round(letter.wallMs) });
  db.prepare(
    `DELETE FROM dead_letter WHERE id IN (
       SELECT id FROM (
         SELECT id, sum(length(body)) OVER (ORDER BY id DESC) AS newer FROM dead_letter)
       WHERE newer > ?)`,
  ).run(KEPT_BYTES);
}

/** The newest, with as much of each body as a person wants to see. */
export function listDeadLetters(db: Database, limit: number): DeadLetter[] {
  return db
    .prepare<[number, number], DeadLetter>(
      `SELECT lane, seq, type, code, reason, at_wall_ms AS wallMs, length(body) AS bytes,
         CAST(substr(body, 1, ?) AS TEXT) AS excerpt
       FROM dead_letter ORDER BY id DESC LIMIT ?`,
    )
    .all(EXCERPT_BYTES, limit);
}

export function countDeadLetters(db: Database): number {
  return db.prepare<[], number>('SELECT count(*) FROM dead_letter').pluck().get() ?? 0;
}
