import { constants } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { dayOfEvent } from '../events/event-id.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { BarredIds } from './barred-ids.ts';

const CAMERA_ID = /^[a-z0-9][a-z0-9_-]*$/;
/** A name that no finished file has; left behind only by a power cut. */
const UNFINISHED = '.part';

/** Kinds of evidence, each with a folder and a budget of its own. */
export type EvidenceClass = 'snapshot' | 'face' | 'thumbnail' | 'clip';

/** A file that was given up for newer ones. */
export interface Eviction {
  readonly evidence: EvidenceClass;
  readonly cameraId: string;
  /** Event, or alert, that it showed. */
  readonly id: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly writtenAt: number;
}

export interface EvidenceFilesOptions {
  evidence: EvidenceClass;
  /** Folder of nothing but these files: `<data_dir>/snapshots`. */
  dir: string;
  /** All files together stay within this; the newest one is always kept. */
  budgetBytes: number;
  onEvicted: (eviction: Eviction) => void;
  /** Free on the file system of `dir`; null where that cannot be read. */
  freeBytes?: (dir: string) => Promise<number | null>;
  log: Logger;
}

/** Left free for what matters more: evidence is given up before an alert finds no room. */
const RESERVE_BYTES = 64_000_000;

const ENDINGS: Readonly<Record<EvidenceClass, string>> = {
  ...{ snapshot: '.jpg', face: '.jpg', thumbnail: '.jpg', clip: '.mp4' },
};

interface Kept {
  readonly bytes: number;
  readonly writtenMs: number;
}

/**
 * Evidence of one class, as `<dir>/<camera>/<yyyy-mm-dd>/<id>.<ending>`; the day is the UTC day on which the event
 * began.
 *
 * A file is either wholly there or not at all, also after a power cut. The oldest go first when the budget is spent,
 * in the order in which they were written, so a clock set wrong deletes nothing new; the hub takes events in that
 * order too, so what it has goes before what it has not. Calls are worked off one after the other.
 */
export class EvidenceFiles {
  readonly #options: EvidenceFilesOptions;
  /** By path, oldest first; null until the folder has been read. */
  #files: Map<string, Kept> | null = null;
  #bytes = 0;
  #queue: Promise<unknown> = Promise.resolve();
  /** Of these nothing is kept any more: what is still being made must not come afterwards. */
  readonly #barred = new BarredIds();

  constructor(options: EvidenceFilesOptions) {
    this.#options = options;
  }

  /** All files together. Zero until the first one of this run is stored. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Where the file of an event is if it has one; null for what is not a camera's event. */
  pathOf(cameraId: string, eventId: string): string | null {
    const day = dayOfEvent(eventId);
    if (day === null || !CAMERA_ID.test(cameraId)) return null;
    const name = `${eventId}${ENDINGS[this.#options.evidence]}`;
    return join(this.#options.dir, cameraId, day, name);
  }

  /**
   * Stores the file of an event in place of an earlier one, and keeps the budget.
   * @param content bytes, or the path of a finished file on the same file system, which is moved
   * @returns its path
   * @throws ApexError EVENTS_SNAPSHOT_WRITE_FAILED; an earlier file is still there then. EVIDENCE_FORGOTTEN: see `remove`
   */
  save(
    event: { cameraId: string; eventId: string },
    content: Uint8Array | string,
  ): Promise<string> {
    const saved = this.#queue
      .then(() => this.#save(event, content))
      .catch((cause: unknown) => {
        if (cause instanceof ApexError) throw cause;
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ApexError('EVENTS_SNAPSHOT_WRITE_FAILED', reason, { cause });
      });
    // The failure is the caller's; the next call does not wait for it in vain.
    this.#queue = saved.catch(() => undefined);
    return saved;
  }

  /**
   * The file of an event for reading, whatever becomes of its name meanwhile; null where there is none. To be closed.
   * @throws Error where it cannot be read
   */
  async open(cameraId: string, eventId: string): Promise<FileHandle | null> {
    const path = this.#barred.has(eventId) ? null : this.pathOf(cameraId, eventId);
    if (path === null) return null;
    try {
      return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return null;
      throw error;
    }
  }

  /** Whether nothing is kept of an event any more. */
  isBarred(eventId: string): boolean {
    return this.#barred.has(eventId);
  }

  /**
   * Deletes the files of events, and keeps none of these from now on.
   * @returns how many there were
   * @throws Error where one could not be deleted; to be called again then
   */
  remove(eventIds: readonly string[]): Promise<number> {
    // At once: what is asked to be saved from now on comes behind.
    this.#barred.add(eventIds);
    const removed = this.#queue.then(() => this.#removeAll(new Set(eventIds)));
    this.#queue = removed.catch(() => undefined);
    return removed;
  }

  async #removeAll(eventIds: ReadonlySet<string>): Promise<number> {
    if (eventIds.size === 0) return 0;
    this.#files ??= await readFiles(this.#options);
    let removed = 0;
    for (const path of [...this.#files.keys()]) {
      if (!eventIds.has(basename(path, ENDINGS[this.#options.evidence]))) continue;
      await rm(path, { force: true });
      this.#files.delete(path);
      removed++;
      await removeIfEmpty(dirname(path));
    }
    this.#bytes = this.#sum(this.#files);
    return removed;
  }

  async #save(
    { cameraId, eventId }: { cameraId: string; eventId: string },
    content: Uint8Array | string,
  ): Promise<string> {
    if (this.#barred.has(eventId)) {
      if (typeof content === 'string') await rm(content, { force: true });
      throw new ApexError('EVIDENCE_FORGOTTEN', `${eventId} shows somebody who is forgotten`);
    }
    const path = this.pathOf(cameraId, eventId);
    if (path === null) throw new TypeError(`not an event of a camera: ${cameraId}, ${eventId}`);
    this.#files ??= await readFiles(this.#options);
    await this.#makeRoom(this.#files);
    await mkdir(dirname(path), { recursive: true });
    if (typeof content === 'string') await moveFile(content, path);
    else await replaceFile(path, content);
    const { size, mtimeMs } = await stat(path);
    this.#files.delete(path);
    this.#files.set(path, { bytes: size, writtenMs: mtimeMs });
    await this.#keepBudget(this.#files);
    return path;
  }

  /** @throws Error where even without this evidence the disk would be too full */
  async #makeRoom(files: Map<string, Kept>): Promise<void> {
    const { dir, freeBytes = freeOnDisk } = this.#options;
    const free = await freeBytes(dir);
    if (free === null || free >= RESERVE_BYTES) return;
    await this.#keepBudget(files, this.#sum(files) + free - RESERVE_BYTES);
    const after = await freeBytes(dir);
    if (after !== null && after < RESERVE_BYTES)
      throw new Error(`only ${after} bytes are free, which are kept for alerts and events`);
  }

  #sum(files: Map<string, Kept>): number {
    return [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #keepBudget(
    files: Map<string, Kept>,
    budgetBytes = this.#options.budgetBytes,
  ): Promise<void> {
    this.#bytes = this.#sum(files);
    for (const [path, kept] of files) {
      if (this.#bytes <= budgetBytes || files.size === 1) return;
      // Forgotten even when it resists: one file that cannot be removed must not keep the others.
      files.delete(path);
      this.#bytes -= kept.bytes;
      await this.#remove(path);
      this.#tellEvicted(path, kept);
    }
  }

  #tellEvicted(path: string, { bytes, writtenMs }: Kept): void {
    const { evidence, onEvicted } = this.#options;
    const id = basename(path, ENDINGS[evidence]);
    const cameraId = basename(dirname(dirname(path)));
    onEvicted({ evidence, cameraId, id, bytes, writtenAt: Math.round(writtenMs) });
  }

  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { force: true });
      await removeIfEmpty(dirname(path));
    } catch (error) {
      this.#options.log.warn({ err: error, path }, 'evidence could not be removed');
    }
  }
}

async function freeOnDisk(dir: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  } catch {
    // Unknown is no reason to keep nothing.
    return null;
  }
}

/** Files of earlier runs, oldest first; unfinished ones are removed. */
async function readFiles({
  dir,
  evidence,
}: Pick<EvidenceFilesOptions, 'dir' | 'evidence'>): Promise<Map<string, Kept>> {
  await mkdir(dir, { recursive: true });
  const found: [string, Kept][] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (entry.name.endsWith(UNFINISHED)) await rm(path, { force: true });
    if (!entry.name.endsWith(ENDINGS[evidence])) continue;
    const { size, mtimeMs } = await stat(path);
    found.push([path, { bytes: size, writtenMs: mtimeMs }]);
  }
  return new Map(found.sort(([, a], [, b]) => a.writtenMs - b.writtenMs));
}

/** Flushed before it gets its name: after a power cut it is whole or not there. */
async function moveFile(from: string, path: string): Promise<void> {
  const file = await open(from, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(from, path);
}

/** Written beside its place, flushed, then renamed: readers see the old file or the new one. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${path}${UNFINISHED}`;
  try {
    const file = await open(unfinished, 'w', 0o640);
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    // Other files of the day are the usual case; somebody may have tidied up before.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}
