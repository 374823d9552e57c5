import type { LaneClass } from './lane-class.ts';
import type { LaneCounters } from './lane-counters.ts';
import type { LaneTable } from './lane-table.ts';
import type { Moment } from './moment.ts';

/** Acknowledged rows that one transaction deletes; the rest waits for the next. */
const TRIM_ROWS = 512;
/** Acknowledged alerts stay for a hub that is put back to an older state: so long, or so many bytes. */
const RETAINED_MS = 24 * 60 * 60_000;
const RETAINED_BYTES = 16 * 1024 * 1024;

/** How long a lane's acknowledged rows stay on disk. The saved cursor goes as far as the deletion. */
export class LaneRetention {
  readonly #kind: LaneClass;
  readonly #table: LaneTable;
  readonly #counters: LaneCounters;

  constructor(kind: LaneClass, table: LaneTable, counters: LaneCounters) {
    this.#kind = kind;
    this.#table = table;
    this.#counters = counters;
  }

  /** There are rows on disk that are to be deleted. */
  get isUntidy(): boolean {
    const { ackedSeq, savedAckedSeq, retainedBytes } = this.#counters.now;
    if (this.#kind.isRetained && retainedBytes > RETAINED_BYTES) return true;
    if (ackedSeq <= savedAckedSeq) return false;
    // Where nothing was written there is nothing to delete, and the hub itself tells where to go on.
    return !this.#kind.isHeld || this.#table.hasRows(savedAckedSeq + 1, ackedSeq);
  }

  /** Whether acknowledged rows of the range are kept. */
  hasRetained(fromSeq: number, toSeq: number): boolean {
    return this.#kind.isRetained && this.#table.hasRows(fromSeq, toSeq);
  }

  /** Deletes acknowledged rows that nobody needs any more, and saves the cursor as far as that. */
  tidy(at: Moment): void {
    const { ackedSeq, savedAckedSeq } = this.#counters.now;
    if (this.#kind.isRetained) {
      this.#counters.saveCursor(ackedSeq);
      this.dropRetained(TRIM_ROWS, at);
      return;
    }
    const from = Math.max(this.#table.firstSeq() ?? ackedSeq, savedAckedSeq);
    const through = Math.min(ackedSeq, from + TRIM_ROWS);
    const rest = this.#table.deleteThrough(through, at);
    // What is left of a gap that is acknowledged in whole no longer waits for the hub.
    if (through === ackedSeq) this.#counters.grow(rest);
    this.#counters.saveCursor(through);
  }

  /** Deletes acknowledged rows that were kept longer, or are more, than is promised. How many. */
  dropRetained(limit: number, at: Moment, isAll = false): number {
    const first = this.#table.firstSeq();
    const { ackedSeq, retainedBytes } = this.#counters.now;
    if (first === null || first > ackedSeq) return 0;
    const oldest = this.#table.row(first);
    const isOld = oldest !== null && at.wallMs - oldest.wall_ms > RETAINED_MS;
    if (!isAll && !isOld && retainedBytes <= RETAINED_BYTES) return 0;
    const through = Math.min(first - 1 + limit, ackedSeq);
    const { depth, bytes } = this.#table.sum(first - 1, through);
    this.#counters.grow(this.#table.deleteThrough(through, at));
    this.#counters.growRetained(-bytes);
    return depth;
  }

  /** Saves the cursor although rows may be left: at the end of the daemon. */
  saveCursor(at: Moment): void {
    const { ackedSeq, savedAckedSeq } = this.#counters.now;
    if (ackedSeq <= savedAckedSeq) return;
    if (!this.#kind.isRetained) this.#counters.grow(this.#table.deleteThrough(ackedSeq, at));
    this.#counters.saveCursor(ackedSeq);
  }
}
