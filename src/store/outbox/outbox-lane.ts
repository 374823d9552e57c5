import { deflateRawSync } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import type { Lane } from '../../protocol/lanes.ts';
import type { NewRow, RawLaneQueue } from '../requests.ts';
import { rowChecksum } from './checksum.ts';
import type { GapReason } from './gap-body.ts';
import { gapRow, type HeldRow, HeldRows, messageRow } from './held-rows.ts';
import type { LaneClass } from './lane-class.ts';
import { LaneCounters } from './lane-counters.ts';
import { LaneLosses } from './lane-losses.ts';
import { LaneRetention } from './lane-retention.ts';
import { LaneTable, type StoredRow } from './lane-table.ts';
import type { Moment } from './moment.ts';
import {
  assembleBatch,
  isIntact,
  type OutboxBatch,
  type OutboxRow,
  type ReadLimits,
} from './outbox-rows.ts';
import { ROW_FLAGS } from './outbox-schema.ts';

/** A message that waits longer for its acknowledgement is written to disk. */
const SPILL_MS = 250;

interface LaneSnapshot {
  readonly counts: ReturnType<LaneCounters['snapshot']>;
  readonly held: readonly HeldRow[];
}

/** One lane: its numbers, its rows in memory and on disk. Methods that write run within a transaction. */
export class OutboxLane {
  readonly lane: Lane;
  readonly kind: LaneClass;
  readonly losses: LaneLosses;
  readonly retention: LaneRetention;
  readonly #table: LaneTable;
  readonly #held: HeldRows;
  readonly #counters: LaneCounters;

  constructor(db: Database, lane: Lane, kind: LaneClass) {
    this.lane = lane;
    this.kind = kind;
    this.#table = new LaneTable(db, lane);
    this.#held = new HeldRows(kind.heldBytes);
    this.#counters = new LaneCounters(db, lane, this.#table);
    this.losses = new LaneLosses(this.#table, this.#held, this.#counters);
    this.retention = new LaneRetention(kind, this.#table, this.#counters);
  }

  get nextSeq(): number {
    return this.#counters.now.nextSeq;
  }

  get ackedSeq(): number {
    return this.#counters.now.ackedSeq;
  }

  /** Bytes of rows on disk that the hub has not acknowledged. */
  get bytesOnDisk(): number {
    return this.#counters.now.bytes;
  }

  get held(): readonly HeldRow[] {
    return this.#held.all();
  }

  /** Rows in memory have waited long enough, or are too many. */
  isSpillDue(monoMs: number): boolean {
    const { first } = this.#held;
    if (first === null) return false;
    return this.#held.isLarge || monoMs - first.taken_ms >= SPILL_MS;
  }

  snapshot(): LaneSnapshot {
    return { counts: this.#counters.snapshot(), held: this.#held.snapshot() };
  }

  restore({ counts, held }: LaneSnapshot): void {
    this.#counters.restore(counts);
    this.#held.restore(held);
  }

  /** Takes a message: into memory or, within a transaction, to disk. */
  put(row: NewRow, epochId: number, monoMs: number): void {
    const message = messageRow(row, this.#counters.now.nextSeq, monoMs);
    this.#place(message, epochId);
    if (this.kind.isHeld && this.kind.isLatest) this.#held.supersedeByLast();
  }

  /** A gap that takes a number of its own, for messages of which nobody knows the numbers. */
  putGap(
    gap: { count: number; reason: GapReason; firstMs: number; lastMs: number; isLowerBound: true },
    epochId: number,
    monoMs: number,
  ): void {
    const seq = this.#counters.now.nextSeq;
    const body = {
      from_seq: seq,
      to_seq: seq,
      count: gap.count,
      is_lower_bound: gap.isLowerBound,
      reason: gap.reason,
      first_wall_ms: Math.min(gap.firstMs, gap.lastMs),
      last_wall_ms: gap.lastMs,
    };
    this.#counters.countGap();
    this.#place(gapRow(body, { monoMs }), epochId);
  }

  #place(row: HeldRow, epochId: number): void {
    this.#counters.numberGiven();
    if (this.kind.isHeld) {
      this.#held.add(row);
      return;
    }
    this.#write(row, epochId);
  }

  #write(row: HeldRow, epochId: number): void {
    this.#table.add(row, epochId);
    this.#counters.grow({ depth: 1, bytes: row.bytes });
  }

  /** Writes the rows in memory to disk. */
  spill(epochId: number, at: Moment): void {
    const rows = this.#held.snapshot();
    if (this.kind.isLatest) for (const row of rows) this.losses.supersede(row, at);
    for (const row of rows) this.#write(row, epochId);
    this.#held.clear();
  }

  /** Everything up to `through` is the hub's. Numbers that were not given out have been ruled out. */
  ack(through: number): void {
    const passed = this.#table.sum(this.#counters.now.ackedSeq, through);
    this.#counters.acknowledge(through, passed);
    if (this.kind.isRetained) this.#counters.growRetained(passed.bytes);
    this.#held.dropThrough(through);
  }

  read(span: { readonly afterSeq: number; readonly lastSeq: number } & ReadLimits): OutboxBatch {
    return assembleBatch(this.#rows(span), {
      ...span,
      ackedSeq: this.#counters.now.ackedSeq,
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

  /** Messages on disk whose bodies may hold one of the texts; see `LaneTable.holding`. */
  holding(texts: readonly string[], afterSeq: number, limit: number): StoredRow[] {
    return this.#table.holding(texts, afterSeq, limit);
  }

  /** Writes messages on disk anew with other bodies: JSON texts by their numbers. */
  rewrite(rows: readonly StoredRow[], bodies: ReadonlyMap<number, string>): void {
    const changed = rows.flatMap((row) => {
      const text = bodies.get(row.seq);
      return text === undefined ? [] : [rewritten(row, text)];
    });
    this.#table.replace(changed);
    for (const { seq, bytes } of changed) {
      const grown = bytes - (rows.find((row) => row.seq === seq)?.bytes ?? bytes);
      if (seq > this.ackedSeq) this.#counters.grow({ depth: 0, bytes: grown });
      else if (this.kind.isRetained) this.#counters.growRetained(grown);
    }
  }

  /** Saves what is counted. A cursor on disk is never beyond the number on disk, since both are saved together. */
  save(before: LaneSnapshot): void {
    // Nothing of a lane in memory is to be deleted, so its cursor waits for a commit that is made anyway.
    if (this.kind.isHeld && !this.retention.isUntidy) this.#counters.saveCursor(this.ackedSeq);
    this.#counters.saveState(before.counts);
  }

  adopt(endedEpochId: number, from: number): void {
    this.#table.adopt(endedEpochId, from);
  }

  queue(isSameBoot: (bootId: string | null) => boolean): RawLaneQueue {
    const { nextSeq, ackedSeq, depth, bytes, evictedCount, evictedBytes, gapCount } =
      this.#counters.now;
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

/** The row with another body, deflated where it was; as damaged as it was, too: its number must go out as a gap. */
function rewritten(row: StoredRow, text: string): StoredRow {
  const body = Buffer.from(text);
  const isDeflated = (row.flags & ROW_FLAGS.deflated) !== 0;
  const stored = isDeflated ? deflateRawSync(body) : body;
  const flags = row.flags | ROW_FLAGS.wholeChecksum;
  const changed = { ...row, flags, bytes: body.length, body: stored };
  const crc = rowChecksum(changed);
  return { ...changed, crc32: isIntact(row) ? crc : (crc ^ 1) >>> 0 };
}
