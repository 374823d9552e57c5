import { deflateRawSync } from 'node:zlib';
import type { Database, Statement } from 'better-sqlite3';
import type { Lane } from '../protocol/lanes.ts';
import { rowChecksum } from './checksum.ts';
import type { GapReason } from './gap-body.ts';
import { gapRow, type HeldRow, HeldRows, isGapRow, messageRow } from './held-rows.ts';
import { type Candidate, LaneTable, type StoredRow, type Sum } from './lane-table.ts';
import {
  assembleBatch,
  isIntact,
  type OutboxBatch,
  type OutboxRow,
  type ReadLimits,
} from './outbox-rows.ts';
import { ROW_FLAGS } from './outbox-schema.ts';
import type { NewRow, RawLaneQueue } from './requests.ts';

/** Acknowledged rows that one transaction deletes; the rest waits for the next. */
const TRIM_ROWS = 512;
/** A message that waits longer for its acknowledgement is written to disk. */
const SPILL_MS = 250;
const HELD_ROWS = 2000;
/** Acknowledged alerts stay for a hub that is put back to an older state: so long, or so many bytes. */
const RETAINED_MS = 24 * 60 * 60_000;
const RETAINED_BYTES = 16 * 1024 * 1024;

const SINK = 'ws';

export interface LaneClass {
  /** Kept in memory until it is due to be written; otherwise written at once. */
  readonly isHeld: boolean;
  /** Bytes of bodies that may be kept in memory. */
  readonly heldBytes: number;
  /** A newer message of the same type and camera takes the place of the older. */
  readonly isLatest: boolean;
  /** Acknowledged rows are kept for a while. */
  readonly isRetained: boolean;
}

interface Counters {
  nextSeq: number;
  ackedSeq: number;
  /** As far as the file knows it. */
  savedAckedSeq: number;
  savedNextSeq: number;
  /** On disk and not acknowledged. */
  depth: number;
  bytes: number;
  /** On disk and acknowledged. */
  retainedBytes: number;
  evictedCount: number;
  evictedBytes: number;
  gapCount: number;
}

export interface Moment {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** One lane: its numbers, its rows in memory and on disk. Methods that write run within a transaction. */
export class OutboxLane {
  readonly lane: Lane;
  readonly kind: LaneClass;
  readonly #table: LaneTable;
  readonly #held = new HeldRows();
  readonly #saveState: Statement<[Record<string, unknown>]>;
  readonly #saveCursor: Statement<[string, number, number]>;
  #is: Counters;

  constructor(db: Database, lane: Lane, kind: LaneClass) {
    this.lane = lane;
    this.kind = kind;
    this.#table = new LaneTable(db, lane);
    this.#is = readCounters(db, lane, this.#table);
    this.#saveState = db.prepare(
      `UPDATE lane_state SET next_seq = @nextSeq, evicted_count = @evictedCount,
         evicted_bytes = @evictedBytes, gap_count = @gapCount WHERE lane = @lane`,
    );
    this.#saveCursor = db.prepare(
      `INSERT INTO sink_cursor(sink, lane, acked_seq) VALUES (?, ?, ?)
       ON CONFLICT(sink, lane) DO UPDATE SET acked_seq = excluded.acked_seq`,
    );
  }

  get nextSeq(): number {
    return this.#is.nextSeq;
  }

  get ackedSeq(): number {
    return this.#is.ackedSeq;
  }

  /** Bytes of rows on disk that the hub has not acknowledged. */
  get bytesOnDisk(): number {
    return this.#is.bytes;
  }

  get held(): readonly HeldRow[] {
    return this.#held.all();
  }

  /** Rows in memory have waited long enough, or are too many. */
  isSpillDue(monoMs: number): boolean {
    const { first } = this.#held;
    if (first === null) return false;
    return this.#isHeldLarge || monoMs - first.taken_ms >= SPILL_MS;
  }

  get #isHeldLarge(): boolean {
    return this.#held.count > HELD_ROWS || this.#held.bytes > this.kind.heldBytes;
  }

  /** There are rows on disk that are to be deleted. */
  get isUntidy(): boolean {
    const { ackedSeq, savedAckedSeq } = this.#is;
    if (this.kind.isRetained && this.#is.retainedBytes > RETAINED_BYTES) return true;
    if (ackedSeq <= savedAckedSeq) return false;
    // Where nothing was written there is nothing to delete, and the hub itself tells where to go on.
    return !this.kind.isHeld || this.#table.hasRows(savedAckedSeq + 1, ackedSeq);
  }

  snapshot(): { counters: Counters; held: readonly HeldRow[] } {
    return { counters: { ...this.#is }, held: this.#held.snapshot() };
  }

  restore({ counters, held }: { counters: Counters; held: readonly HeldRow[] }): void {
    this.#is = counters;
    this.#held.restore(held);
  }

  /** Takes a message: into memory or, within a transaction, to disk. */
  put(row: NewRow, epochId: number, monoMs: number): void {
    const message = messageRow(row, this.#is.nextSeq, monoMs);
    this.#place(message, epochId);
    if (this.kind.isHeld && this.kind.isLatest) this.#held.supersedeByLast();
  }

  /** A gap that takes a number of its own, for messages of which nobody knows the numbers. */
  putGap(
    gap: { count: number; reason: GapReason; firstMs: number; lastMs: number; isLowerBound: true },
    epochId: number,
    monoMs: number,
  ): void {
    const seq = this.#is.nextSeq;
    const body = {
      from_seq: seq,
      to_seq: seq,
      count: gap.count,
      is_lower_bound: gap.isLowerBound,
      reason: gap.reason,
      first_wall_ms: Math.min(gap.firstMs, gap.lastMs),
      last_wall_ms: gap.lastMs,
    };
    this.#is.gapCount++;
    this.#place(gapRow(body, { monoMs }), epochId);
  }

  #place(row: HeldRow, epochId: number): void {
    this.#is.nextSeq++;
    if (this.kind.isHeld) {
      this.#held.add(row);
      return;
    }
    this.#write(row, epochId);
  }

  #write(row: HeldRow, epochId: number): void {
    this.#table.add(row, epochId);
    this.#is.depth++;
    this.#is.bytes += row.bytes;
  }

  /** Writes the rows in memory to disk. */
  spill(epochId: number, at: Moment): void {
    const rows = this.#held.snapshot();
    if (this.kind.isLatest) for (const row of rows) this.#supersedeOnDisk(row, at);
    for (const row of rows) this.#write(row, epochId);
    this.#held.clear();
  }

  #supersedeOnDisk(row: HeldRow, at: Moment): void {
    if (isGapRow(row)) return;
    for (const older of this.#table.newestOf(this.#is.ackedSeq, row.type, row.camera_id))
      this.#giveUp([older], 'superseded', at);
  }

  /** Everything up to `through` is the hub's. Numbers that were not given out have been ruled out. */
  ack(through: number): void {
    const passed = this.#table.sum(this.#is.ackedSeq, through);
    this.#is.ackedSeq = through;
    this.#is.depth -= passed.depth;
    this.#is.bytes -= passed.bytes;
    if (this.kind.isRetained) this.#is.retainedBytes += passed.bytes;
    this.#held.dropThrough(through);
  }

  read(span: { readonly afterSeq: number; readonly lastSeq: number } & ReadLimits): OutboxBatch {
    return assembleBatch(this.#rows(span), {
      ...span,
      ackedSeq: this.#is.ackedSeq,
      holeReason: this.kind.isHeld ? 'unclean_shutdown' : 'storage_corruption',
    });
  }

  *#rows({ afterSeq, lastSeq, maxItems }: Parameters<OutboxLane['read']>[0]) {
    let count = 0;
    for (const row of this.#table.read(afterSeq, lastSeq, maxItems + 1)) {
      count++;
      yield row;
    }
    // Stopped by its limit, the table may have more in front of the rows in memory.
    if (count > maxItems) return;
    for (const row of this.#held.after(afterSeq)) if (row.seq <= lastSeq) yield row;
  }

  row(seq: number): OutboxRow | null {
    return this.held.find((row) => row.seq === seq) ?? this.#table.row(seq);
  }

  /** Puts a declared gap in the place of one message that was not acknowledged. */
  declareLost(seq: number, reason: GapReason, at: Moment): void {
    if (seq <= this.#is.ackedSeq) return;
    const index = this.held.findIndex((row) => row.seq === seq && !isGapRow(row));
    if (index >= 0) {
      this.#is.gapCount++;
      this.#held.giveUp(index, 1, reason);
      return;
    }
    const [found] = this.#table.candidates(seq - 1, 1);
    if (found?.seq === seq) this.#giveUp([found], reason, at);
  }

  /** Gives up the oldest messages on disk for which `isLost` holds, at most so many. How many. */
  evict(
    limit: number,
    reason: GapReason,
    at: Moment,
    isLost: (row: Candidate) => boolean = () => true,
  ): number {
    const run = firstRun(this.#table.candidates(this.#is.ackedSeq, limit), isLost);
    this.#giveUp(run, reason, at);
    this.#countEvicted(
      run.length,
      run.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    return run.length;
  }

  /** Gives up the older half of the messages in memory where they are too many: the disk does not take them. */
  evictHeld(reason: GapReason): number {
    if (!this.#isHeldLarge) return 0;
    const count = Math.ceil(this.#held.count / 2);
    const before = this.#held.bytes;
    const lost = this.#held.giveUp(0, count, reason);
    if (lost > 0) this.#is.gapCount++;
    this.#countEvicted(lost, Math.max(0, before - this.#held.bytes));
    return lost;
  }

  #countEvicted(count: number, bytes: number): void {
    this.#is.evictedCount += count;
    this.#is.evictedBytes += bytes;
  }

  #giveUp(lost: readonly Candidate[], reason: GapReason, at: Moment): void {
    if (lost.length === 0) return;
    const { ackedSeq } = this.#is;
    this.#grow(this.#table.giveUp(lost, reason, { ackedSeq, monoMs: at.monoMs }));
    this.#is.gapCount++;
  }

  /** Makes bodies smaller where room is short. How many. */
  deflate(limit: number): number {
    const rows = this.#table
      .undeflated(0, limit)
      .filter(isIntact)
      .map((row): StoredRow => {
        const body = deflateRawSync(row.body);
        const flags = row.flags | ROW_FLAGS.deflated | ROW_FLAGS.wholeChecksum;
        return { ...row, flags, body, crc32: rowChecksum({ ...row, flags, body }) };
      });
    this.#table.replace(rows);
    return rows.length;
  }

  /** Deletes acknowledged rows that nobody needs any more, and saves the cursor as far as that. */
  tidy(at: Moment): void {
    const { ackedSeq } = this.#is;
    if (this.kind.isRetained) {
      this.#saveAcked(ackedSeq);
      this.dropRetained(TRIM_ROWS, at);
      return;
    }
    const from = Math.max(this.#table.firstSeq() ?? ackedSeq, this.#is.savedAckedSeq);
    const through = Math.min(ackedSeq, from + TRIM_ROWS);
    const rest = this.#table.deleteThrough(through, at);
    // What is left of a gap that is acknowledged in whole no longer waits for the hub.
    if (through === ackedSeq) this.#grow(rest);
    this.#saveAcked(through);
  }

  #grow({ depth, bytes }: Sum): void {
    this.#is.depth += depth;
    this.#is.bytes += bytes;
  }

  /** Deletes acknowledged rows that were kept longer, or are more, than is promised. */
  dropRetained(limit: number, at: Moment, isAll = false): number {
    const first = this.#table.firstSeq();
    const { ackedSeq } = this.#is;
    if (first === null || first > ackedSeq) return 0;
    const oldest = this.#table.row(first);
    const isOld = oldest !== null && at.wallMs - oldest.wall_ms > RETAINED_MS;
    if (!isAll && !isOld && this.#is.retainedBytes <= RETAINED_BYTES) return 0;
    const through = Math.min(first - 1 + limit, ackedSeq);
    const { depth, bytes } = this.#table.sum(first - 1, through);
    this.#grow(this.#table.deleteThrough(through, at));
    this.#is.retainedBytes -= bytes;
    return depth;
  }

  #saveAcked(through: number): void {
    if (through === this.#is.savedAckedSeq) return;
    this.#saveCursor.run(SINK, this.lane, through);
    this.#is.savedAckedSeq = through;
  }

  /** Saves the cursor although rows may be left: at the end of the daemon. */
  saveCursor(at: Moment): void {
    const { ackedSeq, savedAckedSeq } = this.#is;
    if (ackedSeq <= savedAckedSeq) return;
    if (!this.kind.isRetained) this.#grow(this.#table.deleteThrough(ackedSeq, at));
    this.#saveAcked(ackedSeq);
  }

  /** Saves what is counted. A cursor on disk is never beyond the number on disk, since both are saved together. */
  save(before: { readonly counters: Counters }): void {
    // Nothing of a lane in memory is to be deleted, so its cursor waits for a commit that is made anyway.
    if (this.kind.isHeld && !this.isUntidy) this.#saveAcked(this.#is.ackedSeq);
    const { nextSeq, evictedCount, evictedBytes, gapCount } = this.#is;
    const isSame =
      nextSeq === this.#is.savedNextSeq &&
      evictedCount === before.counters.evictedCount &&
      gapCount === before.counters.gapCount;
    if (isSame) return;
    this.#saveState.run({ lane: this.lane, nextSeq, evictedCount, evictedBytes, gapCount });
    this.#is.savedNextSeq = nextSeq;
  }

  adopt(endedEpochId: number, from: number): void {
    this.#table.adopt(endedEpochId, from);
  }

  hasRetained(fromSeq: number, toSeq: number): boolean {
    return this.kind.isRetained && this.#table.hasRows(fromSeq, toSeq);
  }

  queue(isSameBoot: (bootId: string | null) => boolean): RawLaneQueue {
    const { nextSeq, ackedSeq, depth, bytes, evictedCount, evictedBytes, gapCount } = this.#is;
    const onDisk = this.#table.oldest(ackedSeq);
    const { first } = this.#held;
    const oldest = onDisk ?? (first && { ...first, boot_id: null });
    return {
      depth: depth + this.#held.count,
      bytes: bytes + this.#held.bytes,
      inMemory: this.#held.count,
      ackedSeq,
      nextSeq,
      evictedCount,
      evictedBytes,
      gapCount,
      oldest: oldest && {
        wallMs: oldest.wall_ms,
        monoMs: oldest.mono_ms,
        isSameBoot: onDisk === null || isSameBoot(oldest.boot_id),
      },
    };
  }
}

/** Messages from the front that follow each other within one epoch. */
function firstRun(
  candidates: readonly Candidate[],
  isLost: (row: Candidate) => boolean,
): Candidate[] {
  const run: Candidate[] = [];
  for (const row of candidates) {
    const before = run.at(-1);
    const follows =
      before === undefined || (row.seq === before.seq + 1 && row.epoch_id === before.epoch_id);
    if (!follows || !isLost(row)) break;
    run.push(row);
  }
  return run;
}

function readCounters(db: Database, lane: Lane, table: LaneTable): Counters {
  const state = db
    .prepare<[number], Pick<Counters, 'nextSeq' | 'evictedCount' | 'evictedBytes' | 'gapCount'>>(
      `SELECT next_seq AS nextSeq, evicted_count AS evictedCount, evicted_bytes AS evictedBytes,
         gap_count AS gapCount FROM lane_state WHERE lane = ?`,
    )
    .get(lane) ?? { nextSeq: 1, evictedCount: 0, evictedBytes: 0, gapCount: 0 };
  const ackedSeq =
    db
      .prepare<[string, number], number>(
        'SELECT acked_seq FROM sink_cursor WHERE sink = ? AND lane = ?',
      )
      .pluck()
      .get(SINK, lane) ?? 0;
  const left = table.sum(ackedSeq, Number.MAX_SAFE_INTEGER);
  return {
    ...state,
    ackedSeq,
    savedAckedSeq: ackedSeq,
    savedNextSeq: state.nextSeq,
    depth: left.depth,
    bytes: left.bytes,
    retainedBytes: table.sum(0, ackedSeq).bytes,
  };
}
