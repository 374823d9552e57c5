import type { Gap } from '../../protocol/batch.ts';
import type { NewRow } from '../requests.ts';
import { rowChecksum } from './checksum.ts';
import { type GapReason, gapBody, gapOver, mergedGap, parseGap } from './gap-body.ts';
import { type OutboxRow, uuidBytes } from './outbox-rows.ts';
import { ROW_FLAGS } from './outbox-schema.ts';

/** A row that is not on disk, or not yet. */
export interface HeldRow extends OutboxRow {
  /** Last number that it stands for. */
  readonly to_seq: number;
  /** Monotonic time when it was taken. */
  readonly taken_ms: number;
}

const NO_ID = Buffer.alloc(0);
/** More rows in memory than this are too many. */
const MANY_ROWS = 2000;

/** A message as a row, under the number it was given. */
export function messageRow(row: NewRow, seq: number, takenMs: number): HeldRow {
  return checked({
    seq,
    to_seq: seq,
    message_id: uuidBytes(row.messageId),
    type: row.type,
    schema_version: row.schemaVersion,
    camera_id: row.cameraId,
    wall_ms: Math.round(row.wallMs),
    mono_ms: Math.round(row.monoMs),
    flags: ROW_FLAGS.wholeChecksum,
    body: Buffer.from(row.body),
    taken_ms: takenMs,
  });
}

/** A declared gap as a row, in the place of the numbers that it declares lost. */
export function gapRow(gap: Gap, at: { readonly monoMs: number }): HeldRow {
  return checked({
    seq: gap.from_seq,
    to_seq: gap.to_seq,
    message_id: NO_ID,
    type: 'gap',
    schema_version: 1,
    camera_id: null,
    wall_ms: Math.round(gap.first_wall_ms ?? 0),
    mono_ms: Math.round(at.monoMs),
    flags: ROW_FLAGS.wholeChecksum | ROW_FLAGS.gap,
    body: gapBody(gap),
    taken_ms: at.monoMs,
  });
}

function checked(row: Omit<HeldRow, 'bytes' | 'crc32'>): HeldRow {
  return { ...row, bytes: row.body.length, crc32: rowChecksum(row) };
}

export function isGapRow({ flags }: { readonly flags: number }): boolean {
  return (flags & ROW_FLAGS.gap) !== 0;
}

/** Rows of one lane that wait in memory, ascending and without holes between their numbers. */
export class HeldRows {
  readonly #maxBytes: number;
  #rows: HeldRow[] = [];
  #bytes = 0;

  /** @param maxBytes of bodies; more are too many */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** They are too many to stay in memory. */
  get isLarge(): boolean {
    return this.#rows.length > MANY_ROWS || this.#bytes > this.#maxBytes;
  }

  get count(): number {
    return this.#rows.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): HeldRow | null {
    return this.#rows[0] ?? null;
  }

  add(row: HeldRow): void {
    this.#rows.push(row);
    this.#bytes += row.bytes;
  }

  all(): readonly HeldRow[] {
    return this.#rows;
  }

  /** To be given back to `restore` where a transaction fails. */
  snapshot(): readonly HeldRow[] {
    return [...this.#rows];
  }

  restore(rows: readonly HeldRow[]): void {
    this.#set([...rows]);
  }

  clear(): void {
    this.#set([]);
  }

  /** Rows that reach beyond `afterSeq`. */
  after(afterSeq: number): readonly HeldRow[] {
    const from = this.#rows.findIndex(({ to_seq: toSeq }) => toSeq > afterSeq);
    return from < 0 ? [] : this.#rows.slice(from);
  }

  /** Takes out what ends at or before `through`. */
  dropThrough(through: number): void {
    const from = this.#rows.findIndex(({ to_seq: toSeq }) => toSeq > through);
    if (from !== 0) this.#set(from < 0 ? [] : this.#rows.slice(from));
  }

  /** Declares an older message of the same type and camera superseded by the newest row. */
  supersedeByLast(): void {
    const newest = this.#rows.at(-1);
    if (newest === undefined) return;
    const index = this.#rows.findIndex(
      (row) =>
        row !== newest &&
        !isGapRow(row) &&
        row.type === newest.type &&
        row.camera_id === newest.camera_id,
    );
    if (index >= 0) this.giveUp(index, 1, 'superseded');
  }

  /** Puts one declared gap in the place of so many rows, and joins it with its neighbours. Messages lost. */
  giveUp(index: number, count: number, reason: GapReason): number {
    const given = this.#rows.slice(index, index + count);
    const gaps = runsOf(given).map((run) => this.#declared(run, reason));
    const rows = [...this.#rows.slice(0, index), ...gaps, ...this.#rows.slice(index + count)];
    this.#set(joined(rows));
    return given.filter((row) => !isGapRow(row)).length;
  }

  #declared(run: readonly HeldRow[], reason: GapReason): HeldRow {
    const [first] = run;
    const last = run.at(-1);
    if (first === undefined || last === undefined) throw new Error('an empty run');
    if (isGapRow(first)) return first;
    const lost = run.map((row) => ({
      bytes: row.bytes,
      wallMs: row.wall_ms,
      cameraId: row.camera_id,
    }));
    const gap = gapOver({ fromSeq: first.seq, toSeq: last.to_seq }, reason, lost);
    return gapRow(gap, { monoMs: first.taken_ms });
  }

  #set(rows: HeldRow[]): void {
    this.#rows = rows;
    this.#bytes = rows.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** Messages that follow each other, and each gap alone. */
function runsOf(rows: readonly HeldRow[]): HeldRow[][] {
  const runs: HeldRow[][] = [];
  for (const row of rows) {
    const run = runs.at(-1);
    const goesOn = run?.[0] !== undefined && !isGapRow(run[0]) && !isGapRow(row);
    if (goesOn) run?.push(row);
    else runs.push([row]);
  }
  return runs;
}

function joined(rows: readonly HeldRow[]): HeldRow[] {
  const result: HeldRow[] = [];
  for (const row of rows) {
    const before = result.at(-1);
    const merged = before && isGapRow(before) && isGapRow(row) ? mergedRow(before, row) : null;
    if (merged === null) result.push(row);
    else result[result.length - 1] = merged;
  }
  return result;
}

function mergedRow(before: HeldRow, after: HeldRow): HeldRow | null {
  const gaps = [parseGap(before.body), parseGap(after.body)] as const;
  const merged = gaps[0] && gaps[1] ? mergedGap(gaps[0], gaps[1]) : null;
  return merged && gapRow(merged, { monoMs: before.taken_ms });
}
