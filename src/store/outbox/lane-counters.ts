import type { Database, Statement } from 'better-sqlite3';
import type { Lane } from '../../protocol/lanes.ts';
import type { LaneTable, Sum } from './lane-table.ts';

const SINK = 'ws';

/** What the file keeps of a lane beside its rows and its cursor. */
interface LaneState {
  nextSeq: number;
  evictedCount: number;
  evictedBytes: number;
  gapCount: number;
}

interface Counts extends LaneState {
  ackedSeq: number;
  /** As far as the file knows it. */
  savedAckedSeq: number;
  savedNextSeq: number;
  /** On disk and not acknowledged. */
  depth: number;
  bytes: number;
  /** On disk and acknowledged. */
  retainedBytes: number;
}

/** What is counted of one lane, and how far the file knows it. Methods that save run within a transaction. */
export class LaneCounters {
  readonly #lane: Lane;
  readonly #saveState: Statement<[Record<string, unknown>]>;
  readonly #saveCursor: Statement<[string, number, number]>;
  #is: Counts;

  constructor(db: Database, lane: Lane, table: LaneTable) {
    this.#lane = lane;
    this.#is = readCounts(db, lane, table);
    this.#saveState = db.prepare(
      `UPDATE lane_state SET next_seq = @nextSeq, evicted_count = @evictedCount,
         evicted_bytes = @evictedBytes, gap_count = @gapCount WHERE lane = @lane`,
    );
    this.#saveCursor = db.prepare(
      `INSERT INTO sink_cursor(sink, lane, acked_seq) VALUES (?, ?, ?)
       ON CONFLICT(sink, lane) DO UPDATE SET acked_seq = excluded.acked_seq`,
    );
  }

  get now(): Readonly<Counts> {
    return this.#is;
  }

  /** To be given back to `restore` where a transaction fails. */
  snapshot(): Readonly<Counts> {
    return { ...this.#is };
  }

  restore(counts: Readonly<Counts>): void {
    this.#is = { ...counts };
  }

  numberGiven(): void {
    this.#is.nextSeq++;
  }

  /** Rows on disk that wait for the hub became more, or fewer where the sum is negative. */
  grow({ depth, bytes }: Sum): void {
    this.#is.depth += depth;
    this.#is.bytes += bytes;
  }

  growRetained(bytes: number): void {
    this.#is.retainedBytes += bytes;
  }

  /** Everything up to `through` is the hub's, and so are these rows on disk. */
  acknowledge(through: number, passed: Sum): void {
    this.#is.ackedSeq = through;
    this.grow({ depth: -passed.depth, bytes: -passed.bytes });
  }

  countGap(): void {
    this.#is.gapCount++;
  }

  countEvicted(count: number, bytes: number): void {
    this.#is.evictedCount += count;
    this.#is.evictedBytes += bytes;
  }

  /** Saves how far the hub has acknowledged. */
  saveCursor(through: number): void {
    if (through === this.#is.savedAckedSeq) return;
    this.#saveCursor.run(SINK, this.#lane, through);
    this.#is.savedAckedSeq = through;
  }

  /** Saves the rest of what is counted, where it is not as it was before the transaction. */
  saveState(before: Readonly<Counts>): void {
    const { nextSeq, evictedCount, evictedBytes, gapCount } = this.#is;
    const isSame =
      nextSeq === this.#is.savedNextSeq &&
      evictedCount === before.evictedCount &&
      gapCount === before.gapCount;
    if (isSame) return;
    this.#saveState.run({ lane: this.#lane, nextSeq, evictedCount, evictedBytes, gapCount });
    this.#is.savedNextSeq = nextSeq;
  }
}

function readCounts(db: Database, lane: Lane, table: LaneTable): Counts {
  const state = db
    .prepare<[number], LaneState>(
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
  // Storage that lost some writes and kept others must not make two messages share a number.
  const nextSeq = Math.max(state.nextSeq, ackedSeq + 1, table.lastSeq() + 1);
  return {
    ...state,
    nextSeq,
    ackedSeq,
    savedAckedSeq: ackedSeq,
    savedNextSeq: state.nextSeq,
    depth: left.depth,
    bytes: left.bytes,
    retainedBytes: table.sum(0, ackedSeq).bytes,
  };
}
