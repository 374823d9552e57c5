import { LANES } from '../protocol/lanes.ts';
import type { BackingOptions } from './backing.ts';
import { bytesOf, damagedFiles, deleteDamaged } from './file/outbox-file.ts';
import { faultOf } from './file/sqlite-faults.ts';
import { type Moment, momentOf } from './outbox/moment.ts';
import type { StoreBacking } from './store-backing.ts';

/** Transactions that one call may cost to make room. */
const ROOM_STEPS = 40;
/** A disk with less free room is full. */
const FULL_BYTES = 2 * 1024 * 1024;
/** Rows to give up at once in a full file; fewer where the log has no room for so many. */
const SLICES = [500, 50, 5] as const;
const EXPIRE_EVERY_MS = 60_000;
const BALLAST_EVERY_MS = 2_000;
/** Deletions of their own cost an fsync each; mostly they go along with a commit. */
const DELETE_EVERY_MS = 1_000;

/**
 * Keeps the outbox within its room, on disk and in memory: what is expired or matters least is given up, the ballast
 * is spent and made again, damaged files go when their room is needed.
 */
export class Housekeeping {
  readonly #options: BackingOptions;
  readonly #backing: StoreBacking;
  #expiredAtMs = Number.NEGATIVE_INFINITY;
  #tidiedAtMs = Number.NEGATIVE_INFINITY;
  #ballastAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BackingOptions, backing: StoreBacking) {
    this.#options = options;
    this.#backing = backing;
  }

  /** Commits; in a full file or on a full disk after making room. */
  commit(change: () => void, spill: 'due' | 'all' = 'due'): void {
    const { outbox } = this.#backing.current;
    const isLow = this.#isDiskLow();
    for (let step = 0; ; step++) {
      try {
        outbox.commit(this.#now(), change, isLow && spill === 'due' ? 'none' : spill);
        return;
      } catch (error) {
        if (faultOf(error) !== 'full' || step >= ROOM_STEPS || !this.#makeRoomAtOnce()) throw error;
      }
    }
  }

  /** Writes all that is in memory. */
  spill(): null {
    this.commit(() => {}, 'all');
    return null;
  }

  /** Gives up what is above the marks, in so many steps at most. */
  makeRoom(steps: number): null {
    const { room } = this.#backing.current;
    for (let step = 0; step < steps && (room.isCrowded || this.#isShort()); step++)
      if (!room.giveUpSome(this.#now()) && !room.deflateAlerts(this.#now())) break;
    return null;
  }

  /** Does what is due and nobody waits for. */
  tidy(): null {
    const { outbox } = this.#backing.current;
    const at = this.#now();
    this.#keepHeldSmall();
    const isDeletionDue = at.monoMs - this.#tidiedAtMs >= DELETE_EVERY_MS;
    const isSpillDue = !this.#isDiskLow() && outbox.isSpillDue(at.monoMs);
    if (isSpillDue || (isDeletionDue && outbox.isUntidy)) {
      this.#tidiedAtMs = at.monoMs;
      this.commit(() => {});
    }
    this.makeRoom(4);
    this.#expire();
    this.#careForDisk();
    return null;
  }

  /** Others have nearly filled the disk: what is left is for alerts and events. */
  #isDiskLow(): boolean {
    return this.#backing.current.disk?.isLow(this.#nowMs()) ?? false;
  }

  /** A write failed for want of room: the ballast goes first, then what matters least, then bodies shrink. */
  #makeRoomAtOnce(): boolean {
    const { room, disk, db } = this.#backing.current;
    const free = disk?.free(this.#nowMs()) ?? null;
    // A full budget leaves room on the disk, and then the ballast is of no help.
    const isDiskFull = disk !== null && (free === null || free < FULL_BYTES || !room.isFull);
    const isSpent = isDiskFull && disk.spendBallast();
    if (isDiskFull && !isSpent && this.#deleteDamaged()) return true;
    const at = this.#now();
    const isMade =
      SLICES.some((rows) => ignoringFull(() => room.giveUpSome(at, rows))) ||
      ignoringFull(() => room.deflateAlerts(at));
    if (isDiskFull) ignoringFull(() => db.pragma('wal_checkpoint(TRUNCATE)') !== null);
    return isMade || isSpent;
  }

  /** On a full disk without ballast alerts live on pages that were used before: some must be free at any time. */
  #isShort(): boolean {
    const { disk, room } = this.#backing.current;
    if (disk === null || disk.hasBallast || !this.#isDiskLow()) return false;
    return room.freeBytes < disk.fullBallastBytes;
  }

  /** What the disk does not take must not fill the memory. */
  #keepHeldSmall(): void {
    if (!this.#isDiskLow()) return;
    const { outbox } = this.#backing.current;
    for (const lane of LANES) outbox.lane(lane).losses.evictHeld('disk_budget');
  }

  #expire(): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#expiredAtMs < EXPIRE_EVERY_MS) return;
    this.#expiredAtMs = nowMs;
    while (this.#backing.current.room.expireSome(this.#now())) {}
  }

  #careForDisk(): void {
    const { disk } = this.#backing.current;
    const nowMs = this.#nowMs();
    if (disk === null || nowMs - this.#ballastAtMs < BALLAST_EVERY_MS) return;
    this.#ballastAtMs = nowMs;
    if (disk.isLow(nowMs)) this.#deleteDamaged();
    else disk.restoreBallast(nowMs);
  }

  /** Damaged files are kept for a person to look at, until their room is needed. */
  #deleteDamaged(): boolean {
    const [oldest] = damagedFiles(this.#options.dir);
    if (oldest === undefined) return false;
    this.#options.log.error(
      { file: oldest, bytes: bytesOf(oldest) },
      'damaged outbox deleted for room',
    );
    deleteDamaged(oldest);
    return true;
  }

  #now(): Moment {
    return momentOf(this.#options.clock);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}

function ignoringFull(step: () => boolean): boolean {
  try {
    return step();
  } catch (error) {
    if (faultOf(error) === 'full') return false;
    throw error;
  }
}
