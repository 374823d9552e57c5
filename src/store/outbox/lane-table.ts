import type { Database, Statement } from 'better-sqlite3';
import type { Gap } from '../../protocol/batch.ts';
import type { Lane } from '../../protocol/lanes.ts';
import { type GapReason, gapBehind, gapOver, mergedGap, parseGap } from './gap-body.ts';
import { gapRow, type HeldRow, isGapRow } from './held-rows.ts';
import type { OutboxRow } from './outbox-rows.ts';
import { ROW_FLAGS } from './outbox-schema.ts';

/** What is looked at of a message before it is given up. */
export interface Candidate {
  readonly seq: number;
  readonly epoch_id: number;
  readonly type: string;
  readonly camera_id: string | null;
  readonly wall_ms: number;
  readonly mono_ms: number;
  readonly bytes: number;
}

export interface Sum {
  readonly depth: number;
  readonly bytes: number;
}

const COLUMNS =
  'seq, message_id, type, schema_version, camera_id, wall_ms, mono_ms, flags, bytes, crc32, body';
const IS_MESSAGE = `flags & ${ROW_FLAGS.gap} = 0`;

/** One lane's table in the open file. Writing methods are to be called within a transaction. */
export class LaneTable {
  readonly #statements: Statements;

  constructor(db: Database, lane: Lane) {
    this.#statements = prepare(db, `outbox_${lane}`);
  }

  add(row: HeldRow, epochId: number): void {
    const { to_seq: _toSeq, taken_ms: _takenMs, ...columns } = row;
    this.#statements.insert.run({ ...columns, epoch_id: epochId });
  }

  /** Rows behind `afterSeq`; a gap in front that reaches beyond it comes first. */
  *read(afterSeq: number, lastSeq: number, limit: number): Generator<OutboxRow> {
    const before = this.#statements.before.get(afterSeq);
    if (before !== undefined && isGapRow(before)) {
      const gap = parseGap(before.body);
      if (gap !== null && gap.to_seq > afterSeq) yield before;
    }
    yield* this.#statements.read.iterate(afterSeq, lastSeq, limit);
  }

  row(seq: number): OutboxRow | null {
    return this.#statements.row.get(seq) ?? null;
  }

  sum(afterSeq: number, throughSeq: number): Sum {
    return this.#statements.sum.get(afterSeq, throughSeq) ?? { depth: 0, bytes: 0 };
  }

  /** Last number that a row stands for; 0 without rows. */
  lastSeq(): number {
    const last = this.#statements.before.get(Number.MAX_SAFE_INTEGER);
    if (last === undefined) return 0;
    const gap = isGapRow(last) ? parseGap(last.body) : null;
    return gap?.to_seq ?? last.seq;
  }

  firstSeq(): number | null {
    return this.#statements.first.get()?.seq ?? null;
  }

  oldest(afterSeq: number): { wall_ms: number; mono_ms: number; boot_id: string | null } | null {
    return this.#statements.oldest.get(afterSeq) ?? null;
  }

  /** Messages behind `afterSeq`, oldest first, declared gaps left out. */
  candidates(afterSeq: number, limit: number): Candidate[] {
    return this.#statements.candidates.all(afterSeq, limit);
  }

  newestOf(afterSeq: number, type: string, cameraId: string | null): Candidate[] {
    return this.#statements.sameKey.all(afterSeq, type, cameraId);
  }

  /**
   * Deletes up to a number; what of a gap lies behind it stays, under the number where it goes on.
   * @returns what was written for that
   */
  deleteThrough(seq: number, at: { readonly monoMs: number }): Sum {
    const last = this.#statements.before.get(seq);
    const gap = last !== undefined && isGapRow(last) ? parseGap(last.body) : null;
    const epochId = last?.epoch_id ?? 0;
    this.#statements.deleteThrough.run(seq);
    if (gap === null || gap.to_seq <= seq) return { depth: 0, bytes: 0 };
    const rest = gapRow(gapBehind(gap, seq), at);
    this.add(rest, epochId);
    return { depth: 1, bytes: rest.bytes };
  }

  /**
   * Puts a declared gap in the place of messages that follow each other in one epoch, joined with the gaps that
   * touch it. @param at.ackedSeq numbers up to here are the hub's, and their gaps stay as they are
   * @returns by how much rows and bytes grew; negative where they shrank
   */
  giveUp(
    lost: readonly Candidate[],
    reason: GapReason,
    at: { readonly ackedSeq: number; readonly monoMs: number },
  ): Sum {
    const [first] = lost;
    const last = lost.at(-1);
    if (first === undefined || last === undefined) return { depth: 0, bytes: 0 };
    const facts = lost.map((row) => ({
      bytes: row.bytes,
      wallMs: row.wall_ms,
      cameraId: row.camera_id,
    }));
    this.#statements.deleteRange.run(first.seq, last.seq);
    const gap = gapOver({ fromSeq: first.seq, toSeq: last.seq }, reason, facts);
    const declared = this.#declare(gap, { ...at, epochId: first.epoch_id });
    const bytes = lost.reduce((sum, row) => sum + row.bytes, 0);
    return { depth: declared.depth - lost.length, bytes: declared.bytes - bytes };
  }

  /** Writes a gap where no rows are, joined with the gaps that touch it. */
  #declare(
    gap: Gap,
    at: { readonly ackedSeq: number; readonly monoMs: number; readonly epochId: number },
  ): Sum {
    const before = this.#statements.before.get(gap.from_seq - 1);
    const behind = this.#statements.behind.get(gap.to_seq);
    let whole = gap;
    let [depth, bytes] = [1, 0];
    for (const neighbour of [before, behind]) {
      if (neighbour === undefined || !isGapRow(neighbour)) continue;
      if (neighbour.epoch_id !== at.epochId || neighbour.seq <= at.ackedSeq) continue;
      const other = parseGap(neighbour.body);
      const [left, right] = neighbour === before ? [other, whole] : [whole, other];
      const merged = left && right ? mergedGap(left, right) : null;
      if (merged === null) continue;
      this.#statements.deleteRange.run(neighbour.seq, neighbour.seq);
      depth--;
      bytes -= neighbour.bytes;
      whole = merged;
    }
    const row = gapRow(whole, at);
    this.add(row, at.epochId);
    return { depth, bytes: bytes + row.bytes };
  }

  /** Writes rows anew. An update would leave the room they no longer need in their pages; deleting closes it up. */
  replace(rows: readonly StoredRow[]): void {
    for (const { seq } of rows) this.#statements.deleteRange.run(seq, seq);
    for (const row of rows) this.#statements.insert.run({ ...row });
  }

  /** Rows whose bodies are not deflated yet, oldest first. */
  undeflated(afterSeq: number, limit: number): StoredRow[] {
    return this.#statements.undeflated.all(afterSeq, limit);
  }

  /**
   * Messages behind `afterSeq` whose bodies hold one of the texts, ascending; those with a deflated body all, since
   * that is not to be seen from outside.
   */
  holding(texts: readonly string[], afterSeq: number, limit: number): StoredRow[] {
    return this.#statements.holding.all({ texts: JSON.stringify(texts), afterSeq, limit });
  }

  /** Gives the rows of an ended epoch from a number on to the current one. */
  adopt(ended: number, from: number): void {
    this.#statements.adopt.run({ ended, from });
  }

  /** Whether a row lies in the range. */
  hasRows(fromSeq: number, toSeq: number): boolean {
    return (this.#statements.behind.get(fromSeq - 1)?.seq ?? Number.POSITIVE_INFINITY) <= toSeq;
  }
}

export type StoredRow = OutboxRow & { readonly epoch_id: number };

interface Statements {
  insert: Statement<[Record<string, unknown>]>;
  read: Statement<[number, number, number], OutboxRow>;
  row: Statement<[number], OutboxRow>;
  before: Statement<[number], StoredRow>;
  behind: Statement<[number], StoredRow>;
  sum: Statement<[number, number], Sum>;
  first: Statement<[], { seq: number }>;
  oldest: Statement<[number], { wall_ms: number; mono_ms: number; boot_id: string | null }>;
  candidates: Statement<[number, number], Candidate>;
  sameKey: Statement<[number, string, string | null], Candidate>;
  deleteThrough: Statement<[number]>;
  deleteRange: Statement<[number, number]>;
  undeflated: Statement<[number, number], StoredRow>;
  adopt: Statement<[Record<string, unknown>]>;
  holding: Statement<[Record<string, unknown>], StoredRow>;
}

const CANDIDATE = 'seq, epoch_id, type, camera_id, wall_ms, mono_ms, bytes';

function prepare(db: Database, table: string): Statements {
  return {
    insert: db.prepare(
      `INSERT INTO ${table}(seq, epoch_id, message_id, type, schema_version, camera_id, wall_ms,
         mono_ms, flags, bytes, crc32, body)
       VALUES (@seq, @epoch_id, @message_id, @type, @schema_version, @camera_id, @wall_ms,
         @mono_ms, @flags, @bytes, @crc32, @body)`,
    ),
    read: db.prepare(
      `SELECT ${COLUMNS} FROM ${table} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
    ),
    row: db.prepare(`SELECT ${COLUMNS} FROM ${table} WHERE seq = ?`),
    before: db.prepare(
      `SELECT ${COLUMNS}, epoch_id FROM ${table} WHERE seq <= ? ORDER BY seq DESC LIMIT 1`,
    ),
    behind: db.prepare(
      `SELECT ${COLUMNS}, epoch_id FROM ${table} WHERE seq > ? ORDER BY seq LIMIT 1`,
    ),
    sum: db.prepare(
      `SELECT count(*) AS depth, coalesce(sum(bytes), 0) AS bytes
       FROM ${table} WHERE seq > ? AND seq <= ?`,
    ),
    first: db.prepare(`SELECT seq FROM ${table} ORDER BY seq LIMIT 1`),
    oldest: db.prepare(
      `SELECT wall_ms, mono_ms, boot_id FROM ${table} LEFT JOIN epoch USING (epoch_id)
       WHERE seq > ? ORDER BY seq LIMIT 1`,
    ),
    candidates: db.prepare(
      `SELECT ${CANDIDATE} FROM ${table} WHERE seq > ? AND ${IS_MESSAGE} ORDER BY seq LIMIT ?`,
    ),
    sameKey: db.prepare(
      `SELECT ${CANDIDATE} FROM ${table}
       WHERE seq > ? AND ${IS_MESSAGE} AND type = ? AND camera_id IS ? ORDER BY seq`,
    ),
    deleteThrough: db.prepare(`DELETE FROM ${table} WHERE seq <= ?`),
    deleteRange: db.prepare(`DELETE FROM ${table} WHERE seq BETWEEN ? AND ?`),
    undeflated: db.prepare(
      `SELECT ${COLUMNS}, epoch_id FROM ${table}
       WHERE seq > ? AND flags & ${ROW_FLAGS.gap | ROW_FLAGS.deflated} = 0 AND bytes > 200
       ORDER BY seq LIMIT ?`,
    ),
    holding: db.prepare(
      `SELECT ${COLUMNS}, epoch_id FROM ${table}
       WHERE seq > @afterSeq AND ${IS_MESSAGE} AND (flags & ${ROW_FLAGS.deflated} <> 0
         OR EXISTS (SELECT 1 FROM json_each(@texts) WHERE instr(body, CAST(value AS BLOB)) > 0))
       ORDER BY seq LIMIT @limit`,
    ),
    adopt: db.prepare(
      `UPDATE ${table} SET epoch_id = (SELECT max(epoch_id) FROM epoch)
       WHERE epoch_id = @ended AND seq >= @from`,
    ),
  };
}
