import { existsSync, type FSWatcher, mkdirSync, rmSync, watch } from 'node:fs';
import { readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';

/** `<connection>-<number>.ts`; a connection is `<milliseconds>_<codec>_<width>x<height>`. */
const SEGMENT = /^((?:\d+_)?(.*))-\d+\.ts$/;
/** Of a block of a file system, as `stat` counts them. */
const BLOCK_BYTES = 512;

/** Packets of some seconds that can be joined to those of the same form. */
export interface RingSegment {
  readonly path: string;
  /** When its first packet came, monotonic milliseconds. */
  readonly startMs: number;
  /** `<codec>_<width>x<height>`, as far as it is known. */
  readonly form: string;
}

export interface PacketRingOptions {
  /** Folder of this camera's segments alone; emptied at the start. */
  dir: string;
  /** Segments that ended longer ago are deleted, milliseconds. */
  keepMs: number;
  /** All segments together stay within this, whatever is asked for. */
  budgetBytes: number;
  clock: Clock;
  log: Logger;
}

interface Segment extends RingSegment {
  /** Which connection wrote it. */
  readonly connection: string;
  bytes: number;
  /** When it was last seen to grow, monotonic. */
  grewMs: number;
  /** Its beginning was given up while it was written. */
  isHeadless: boolean;
}

/**
 * The newest encoded packets of a camera, in segments that ffmpeg cuts at key frames and writes one after the other. A
 * segment ends where the next one of its connection begins, and the last one of a connection where it grew last.
 */
export class PacketRing {
  readonly #options: PacketRingOptions;
  /** Oldest first. */
  #segments: Segment[] = [];
  readonly #inDeletion = new Set<string>();
  #watcher: FSWatcher | null = null;
  #pruning: Promise<void> = Promise.resolve();
  #isToldFull = false;

  constructor(options: PacketRingOptions) {
    this.#options = options;
  }

  /** @throws Error when the folder cannot be made */
  open(): void {
    const { dir, log } = this.#options;
    // At once: an ffmpeg that finds no folder goes on without.
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#watcher = watch(dir, (_event, name) => {
      if (name !== null) this.#seen(name);
    });
    this.#watcher.on('error', (error) => log.warn({ err: error }, 'ring is not watched any more'));
  }

  /**
   * The segments with the packets from one time to another, oldest first.
   * @param fromMs monotonic
   */
  covering(fromMs: number, toMs: number): RingSegment[] {
    return this.#segments
      .filter(({ startMs }, index) => startMs < toMs && this.#endMs(index) > fromMs)
      .filter(({ isHeadless }) => !isHeadless);
  }

  /** Whether everything up to a time has been written: a later segment has begun. */
  isComplete(toMs: number): boolean {
    return (this.#segments.at(-1)?.startMs ?? Number.NEGATIVE_INFINITY) >= toMs;
  }

  /**
   * Deletes what is too old. To be called about every second.
   * @param neededFromMs packets from then on are kept; null for none
   */
  prune(nowMs: number, neededFromMs: number | null): void {
    const until = Math.min(nowMs - this.#options.keepMs, neededFromMs ?? Number.POSITIVE_INFINITY);
    const old = this.#segments.filter((_, index) => this.#endMs(index) <= until);
    this.#pruning = this.#pruning.then(() => this.#delete(old)).then(() => this.#keepBudget(nowMs));
  }

  async close(): Promise<void> {
    this.#watcher?.close();
    await this.#pruning;
    // Not the folder: the camera may have begun anew in it.
    await this.#delete(this.#segments);
  }

  #seen(name: string): void {
    const [, connection, form = ''] = SEGMENT.exec(name) ?? [];
    if (connection === undefined) return;
    const { dir, clock } = this.#options;
    const path = join(dir, name);
    const isKnown = this.#segments.some((segment) => segment.path === path);
    // A deletion is told just as a beginning is.
    if (isKnown || this.#inDeletion.has(path) || !existsSync(path)) return;
    const startMs = clock.monotonicMs();
    const grown = { bytes: 0, grewMs: startMs, isHeadless: false };
    this.#segments.push({ path, startMs, connection, form, ...grown });
  }

  /** The newest one goes on. What came before an outage has ended with it. */
  #endMs(index: number): number {
    const next = this.#segments[index + 1];
    const segment = this.#segments[index];
    if (next === undefined || segment === undefined) return Number.POSITIVE_INFINITY;
    return next.connection === segment.connection ? next.startMs : segment.grewMs;
  }

  async #delete(segments: readonly Segment[]): Promise<void> {
    this.#segments = this.#segments.filter((segment) => !segments.includes(segment));
    for (const { path } of segments) this.#inDeletion.add(path);
    for (const { path } of segments) {
      await rm(path, { force: true }).catch((error: unknown) =>
        this.#options.log.warn({ err: error, path }, 'segment could not be deleted'),
      );
      this.#inDeletion.delete(path);
    }
  }

  /** A camera with a bit rate beyond all expectation must not fill the memory. */
  async #keepBudget(nowMs: number): Promise<void> {
    const { dir, budgetBytes } = this.#options;
    const names = await readdir(dir).catch((): string[] => []);
    const sizes = await Promise.all(
      names.map((name) =>
        stat(join(dir, name)).then(
          // Of one without its beginning the size says nothing.
          ({ size, blocks }) => Math.min(size, blocks * BLOCK_BYTES),
          () => 0,
        ),
      ),
    );
    this.#measure(nowMs, new Map(names.map((name, index) => [join(dir, name), sizes[index] ?? 0])));
    let excess = sizes.reduce((sum, size) => sum + size, 0) - budgetBytes;
    if (excess <= 0) return;
    const given: Segment[] = [];
    // The newest one is being written.
    for (const segment of this.#segments.slice(0, -1)) {
      if (excess <= 0) break;
      excess -= sizes[names.indexOf(segment.path.slice(dir.length + 1))] ?? 0;
      given.push(segment);
    }
    this.#tellFull(given.length > 0);
    await this.#delete(given);
    if (excess > 0) await this.#behead(this.#segments.at(-1));
  }

  /** Frees what was written so far, of a file that goes on: a camera may send key frames hours apart, or none. */
  async #behead(segment: Segment | undefined): Promise<void> {
    if (segment === undefined) return;
    if (!segment.isHeadless)
      this.#options.log.warn(
        { budget_bytes: this.#options.budgetBytes },
        'ring is full before a key frame came: no clips of this camera until the next one',
      );
    segment.isHeadless = true;
    await truncate(segment.path).catch((error: unknown) =>
      this.#options.log.warn({ err: error, path: segment.path }, 'segment not made smaller'),
    );
  }

  /** Once, not with every second that it lasts. */
  #tellFull(isGivingUp: boolean): void {
    if (!isGivingUp || this.#isToldFull) return;
    this.#isToldFull = true;
    const { budgetBytes, log } = this.#options;
    log.warn({ budget_bytes: budgetBytes }, 'ring is full: clips of this camera begin later');
  }

  #measure(nowMs: number, sizes: ReadonlyMap<string, number>): void {
    for (const segment of this.#segments) {
      const bytes = sizes.get(segment.path) ?? segment.bytes;
      if (bytes !== segment.bytes) segment.grewMs = nowMs;
      segment.bytes = bytes;
    }
  }
}
