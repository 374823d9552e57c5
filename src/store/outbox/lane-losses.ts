import type { GapReason } from './gap-body.ts';
import { type HeldRow, type HeldRows, isGapRow } from './held-rows.ts';
import type { LaneCounters } from './lane-counters.ts';
import type { Candidate, LaneTable } from './lane-table.ts';
import type { Moment } from './moment.ts';

/** What a lane gives up of messages that are not acknowledged: a declared gap takes the place of each loss. */
export class LaneLosses {
  readonly #table: LaneTable;
  readonly #held: HeldRows;
  readonly #counters: LaneCounters;

  constructor(table: LaneTable, held: HeldRows, counters: LaneCounters) {
    this.#table = table;
    this.#held = held;
    this.#counters = counters;
  }

  /** Gives up the oldest messages on disk for which `isLost` holds, at most so many. How many. */
  evict(
    limit: number,
    reason: GapReason,
    at: Moment,
    isLost: (row: Candidate) => boolean = () => true,
  ): number {
    const run = firstRun(this.#table.candidates(this.#counters.now.ackedSeq, limit), isLost);
    this.#giveUp(run, reason, at);
    this.#counters.countEvicted(
      run.length,
      run.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    return run.length;
  }

  /** Gives up the older half of the messages in memory where they are too many: the disk does not take them. */
  evictHeld(reason: GapReason): number {
    if (!this.#held.isLarge) return 0;
    const count = Math.ceil(this.#held.count / 2);
    const before = this.#held.bytes;
    const lost = this.#held.giveUp(0, count, reason);
    if (lost > 0) this.#counters.countGap();
    this.#counters.countEvicted(lost, Math.max(0, before - this.#held.bytes));
    return lost;
  }

  /** Gives up the messages on disk that a newer one replaces. */
  supersede(row: HeldRow, at: Moment): void {
    if (isGapRow(row)) return;
    const { ackedSeq } = this.#counters.now;
    for (const older of this.#table.newestOf(ackedSeq, row.type, row.camera_id))
      this.#giveUp([older], 'superseded', at);
  }

  /** Puts a declared gap in the place of one message that was not acknowledged. */
  declareLost(seq: number, reason: GapReason, at: Moment): void {
    if (seq <= this.#counters.now.ackedSeq) return;
    const index = this.#held.all().findIndex((row) => row.seq === seq && !isGapRow(row));
    if (index >= 0) {
      this.#counters.countGap();
      this.#held.giveUp(index, 1, reason);
      return;
    }
    const [found] = this.#table.candidates(seq - 1, 1);
    if (found?.seq === seq) this.#giveUp([found], reason, at);
  }

  #giveUp(lost: readonly Candidate[], reason: GapReason, at: Moment): void {
    if (lost.length === 0) return;
    const { ackedSeq } = this.#counters.now;
    this.#counters.grow(this.#table.giveUp(lost, reason, { ackedSeq, monoMs: at.monoMs }));
    this.#counters.countGap();
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
