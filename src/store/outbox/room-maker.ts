import type { Database } from 'better-sqlite3';
import { evictEvents } from './event-rows.ts';
import type { GapReason } from './gap-body.ts';
import type { Candidate } from './lane-table.ts';
import type { Moment } from './moment.ts';
import type { Outbox } from './outbox.ts';

/** Rows that one transaction gives up: a few milliseconds. */
const SLICE_ROWS = 500;
const DEFLATE_ROWS = 200;
/** Above the first share of the room something is given up, down to the second. */
const HIGH = 0.9;
const LOW = 0.8;
/** All but alerts may have so much of the room. */
const OTHERS = 0.75;
/** What a row takes on disk beside its body, about. */
const OVERHEAD = 1.15;

const DAY_MS = 24 * 60 * 60_000;
const TTL_MS = { 1: 7 * DAY_MS, 2: DAY_MS } as const;
/** A wall clock before this was not set. */
const PLAUSIBLE_MS = Date.UTC(2024, 0, 1);

export interface RoomMakerOptions {
  readonly db: Database;
  readonly outbox: Outbox;
  /** Bytes that the main file may have. */
  readonly mainBytes: number;
  /** Why messages are given up. */
  readonly reason: GapReason;
  /** Of an epoch: whether it is of this run of the kernel. */
  readonly isSameBoot: (epochId: number) => boolean;
  /** Whether the wall clock was set from the network. */
  readonly isWallTrusted: () => boolean;
}

/**
 * Keeps the file within its room: expired messages first, then states, detections, the history of ended events,
 * and events that wait for the hub. Alerts are never given up. Each step is one short transaction.
 */
export class RoomMaker {
  readonly #options: RoomMakerOptions;
  #isEvicting = false;

  constructor(options: RoomMakerOptions) {
    this.#options = options;
  }

  get usedBytes(): number {
    const { db } = this.#options;
    const pages = Number(db.pragma('page_count', { simple: true }));
    const free = Number(db.pragma('freelist_count', { simple: true }));
    return (pages - free) * Number(db.pragma('page_size', { simple: true }));
  }

  /** Of the file, and in no use. */
  get freeBytes(): number {
    const { db } = this.#options;
    const free = Number(db.pragma('freelist_count', { simple: true }));
    return free * Number(db.pragma('page_size', { simple: true }));
  }

  /** More than the high mark is used, or more than the low one since. */
  get isCrowded(): boolean {
    const mark = this.#isEvicting ? LOW : HIGH;
    this.#isEvicting = this.#isAbove(mark);
    return this.#isEvicting;
  }

  /** What is used up is the room itself, and not the disk around it. */
  get isFull(): boolean {
    return this.usedBytes > LOW * this.#options.mainBytes;
  }

  #isAbove(mark: number): boolean {
    const { mainBytes, outbox } = this.#options;
    const used = this.usedBytes;
    const others = used - outbox.lane(0).bytesOnDisk * OVERHEAD;
    return used > mark * mainBytes || others > (mark / HIGH) * OTHERS * mainBytes;
  }

  /** Gives up one slice of what matters least. The log of a full disk may only have room for a small one. False where there is nothing left to give up. */
  giveUpSome(at: Moment, rows = SLICE_ROWS): boolean {
    const { outbox, db, reason } = this.#options;
    let count = 0;
    outbox.commit(
      at,
      () => {
        const steps = [
          () => outbox.lane(0).retention.dropRetained(rows, at, true),
          () => this.#expire(at, rows),
          () => outbox.lane(3).losses.evict(rows, reason, at),
          () => outbox.lane(2).losses.evict(rows, reason, at),
          () => evictEvents(db, rows),
          () => outbox.lane(1).losses.evict(rows, reason, at),
        ];
        for (const step of steps) if (count === 0) count = step();
      },
      'none',
    );
    return count > 0;
  }

  /** Makes the bodies of alerts smaller: the last that can be done for them. */
  deflateAlerts(at: Moment): boolean {
    const { outbox } = this.#options;
    let count = 0;
    outbox.commit(
      at,
      () => {
        count = outbox.lane(0).deflate(DEFLATE_ROWS);
      },
      'none',
    );
    return count > 0;
  }

  /** Gives up what is older than its lane keeps messages. False where nothing is. */
  expireSome(at: Moment): boolean {
    let count = 0;
    this.#options.outbox.commit(
      at,
      () => {
        count = this.#expire(at);
      },
      'none',
    );
    return count > 0;
  }

  #expire(at: Moment, rows = SLICE_ROWS): number {
    const { outbox } = this.#options;
    return (
      outbox.lane(2).losses.evict(rows, 'ttl', at, (row) => this.#isOld(row, at, TTL_MS[2])) ||
      outbox.lane(1).losses.evict(rows, 'ttl', at, (row) => this.#isOld(row, at, TTL_MS[1]))
    );
  }

  /** By the monotonic clock where it can be had: a wall clock that jumps must not expire the whole outbox. */
  #isOld(row: Candidate, at: Moment, ttlMs: number): boolean {
    const { isSameBoot, isWallTrusted } = this.#options;
    if (isSameBoot(row.epoch_id)) return at.monoMs - row.mono_ms > ttlMs;
    return (
      row.wall_ms > PLAUSIBLE_MS &&
      at.wallMs > PLAUSIBLE_MS &&
      at.wallMs - row.wall_ms > ttlMs &&
      isWallTrusted()
    );
  }
}
