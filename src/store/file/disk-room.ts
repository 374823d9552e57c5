import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from '../../system/logger.ts';

const MIB = 1024 * 1024;
const DEFAULT_BUDGET = 256 * MIB;
const WAL_BYTES = 4 * MIB;
const BALLAST_BYTES = 8 * MIB;
/** Below so much free room, or a twentieth of a small disk, only alerts and events are written. */
const LOW_BYTES = 64 * MIB;
const REFRESH_MS = 1_000;

/** What the parts of the outbox may take; together never more than the budget. */
export interface Shares {
  /** The main file. */
  readonly main: number;
  /** The write-ahead log, as far as it is kept between checkpoints. */
  readonly wal: number;
  readonly ballast: number;
  /** What a lane may keep in memory, so that the log can take it as one transaction. */
  readonly held: number;
}

export function sharesOf(budgetBytes: number): Shares {
  const wal = Math.min(WAL_BYTES, Math.floor(budgetBytes / 4));
  const ballast = Math.min(BALLAST_BYTES, Math.floor(budgetBytes / 16));
  return { main: budgetBytes - wal - ballast, wal, ballast, held: Math.floor(wal / 4) };
}

/** A tenth of the file system, at most 256 MiB. */
export function defaultBudget(dir: string): number {
  try {
    const { blocks, bsize } = statfsSync(dir);
    return Math.min(DEFAULT_BUDGET, Math.floor((blocks * bsize) / 10));
  } catch {
    // Not made yet: it will be on the file system of the folder around it.
    return dir === dirname(dir) ? DEFAULT_BUDGET : defaultBudget(dirname(dir));
  }
}

/**
 * Room on the file system around the outbox, and the ballast: a file that is given up when the disk is full,
 * because not even deleting works there (SQLite needs room in its log for it).
 */
export class DiskRoom {
  readonly #dir: string;
  readonly #path: string;
  readonly #ballastBytes: number;
  readonly #log: Logger;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #free: number | null = null;
  #size = 0;
  #hasBallast = false;

  constructor(dir: string, ballastBytes: number, log: Logger) {
    this.#dir = dir;
    this.#path = join(dir, 'ballast.bin');
    this.#ballastBytes = ballastBytes;
    this.#log = log;
    this.#hasBallast = this.#ballastSize() === ballastBytes;
  }

  /** Bytes that the ballast takes now. */
  get ballastBytes(): number {
    return this.#hasBallast ? this.#ballastBytes : 0;
  }

  /** What the ballast takes when there is one. */
  get fullBallastBytes(): number {
    return this.#ballastBytes;
  }

  get hasBallast(): boolean {
    return this.#hasBallast;
  }

  /** Bytes that are free for this user; null where the file system does not say. At most a second old. */
  free(monoMs: number): number | null {
    if (monoMs - this.#readAtMs >= REFRESH_MS) this.#read(monoMs);
    return this.#free;
  }

  /** Others have nearly filled the disk. */
  isLow(monoMs: number): boolean {
    const free = this.free(monoMs);
    return free !== null && free < Math.min(LOW_BYTES, this.#size / 20);
  }

  /** Gives the ballast up. False where there was none. */
  spendBallast(): boolean {
    const had = this.#ballastSize() > 0;
    rmSync(this.#path, { force: true });
    if (this.#hasBallast)
      this.#log.error({ bytes: this.#ballastBytes }, 'disk full: ballast spent');
    this.#hasBallast = false;
    this.#readAtMs = Number.NEGATIVE_INFINITY;
    return had;
  }

  /** Makes the ballast where it is missing and there is room for four of it. */
  restoreBallast(monoMs: number): void {
    if (this.#hasBallast) return;
    const free = this.free(monoMs);
    if (free !== null && free < 4 * this.#ballastBytes) return;
    try {
      this.#write();
      this.#hasBallast = true;
    } catch (error) {
      rmSync(this.#path, { force: true });
      this.#log.debug({ err: error }, 'no ballast for now');
    }
  }

  /** Written, not sparse: only so it holds the room that it is to give back. */
  #write(): void {
    const file = openSync(this.#path, 'w', 0o600);
    try {
      const chunk = Buffer.alloc(Math.min(MIB, this.#ballastBytes), 0xa5);
      for (let written = 0; written < this.#ballastBytes; ) {
        const length = Math.min(chunk.length, this.#ballastBytes - written);
        written += writeSync(file, chunk, 0, length);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  #ballastSize(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  #read(monoMs: number): void {
    this.#readAtMs = monoMs;
    try {
      const { bavail, blocks, bsize } = statfsSync(this.#dir);
      this.#free = bavail * bsize;
      this.#size = blocks * bsize;
    } catch {
      this.#free = null;
    }
  }
}
