import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { dayOfEvent } from './event-id.ts';

const CAMERA_ID = /^[a-z0-9][a-z0-9_-]*$/;
/** A name that no finished picture has; left behind only by a power cut. */
const UNFINISHED = '.part';

export interface SnapshotFilesOptions {
  /** Folder of nothing but these pictures: `<data_dir>/snapshots`. */
  dir: string;
  /** All pictures together stay within this; the newest one is always kept. */
  budgetBytes: number;
  log: Logger;
}

/**
 * The best picture of each event, as `<dir>/<camera>/<yyyy-mm-dd>/<event_id>.jpg`; the day is the UTC day on which
 * the event began.
 *
 * A picture is either wholly there or not at all, also after a power cut. The oldest go first when the budget is
 * spent, in the order in which they were written, so a clock set wrong deletes nothing new. Calls are worked off
 * one after the other.
 */
export class SnapshotFiles {
  readonly #options: SnapshotFilesOptions;
  /** Bytes of each file, oldest first; null until the folder has been read. */
  #files: Map<string, number> | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: SnapshotFilesOptions) {
    this.#options = options;
  }

  /** Where the picture of an event is if it has one; null for what is not a camera's event. */
  pathOf(cameraId: string, eventId: string): string | null {
    const day = dayOfEvent(eventId);
    if (day === null || !CAMERA_ID.test(cameraId)) return null;
    return join(this.#options.dir, cameraId, day, `${eventId}.jpg`);
  }

  /**
   * Stores the picture of an event in place of an earlier one, and keeps the budget.
   * @returns its path
   * @throws ApexError EVENTS_SNAPSHOT_WRITE_FAILED; an earlier picture is still there then
   */
  save(event: { cameraId: string; eventId: string }, jpeg: Uint8Array): Promise<string> {
    const saved = this.#queue
      .then(() => this.#save(event, jpeg))
      .catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ApexError('EVENTS_SNAPSHOT_WRITE_FAILED', reason, { cause });
      });
    // The failure is the caller's; the next call does not wait for it in vain.
    this.#queue = saved.catch(() => undefined);
    return saved;
  }

  async #save(
    { cameraId, eventId }: { cameraId: string; eventId: string },
    jpeg: Uint8Array,
  ): Promise<string> {
    const path = this.pathOf(cameraId, eventId);
    if (path === null) throw new TypeError(`not an event of a camera: ${cameraId}, ${eventId}`);
    this.#files ??= await readPictures(this.#options.dir);
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, jpeg);
    this.#files.delete(path);
    this.#files.set(path, jpeg.byteLength);
    await this.#keepBudget(this.#files);
    return path;
  }

  async #keepBudget(files: Map<string, number>): Promise<void> {
    const { budgetBytes, log } = this.#options;
    let excess = -budgetBytes;
    for (const bytes of files.values()) excess += bytes;
    let removed = 0;
    for (const [path, bytes] of files) {
      if (excess <= 0 || files.size === 1) break;
      // Forgotten even when it resists: one file that cannot be removed must not keep the others.
      files.delete(path);
      excess -= bytes;
      removed++;
      await this.#remove(path);
    }
    if (removed > 0) {
      const fields = { files: removed, budget_bytes: budgetBytes };
      log.info(fields, 'oldest snapshots removed to stay within the budget');
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { force: true });
      await removeIfEmpty(dirname(path));
    } catch (error) {
      this.#options.log.warn({ err: error, path }, 'snapshot could not be removed');
    }
  }
}

/** Pictures of earlier runs and their bytes, oldest first; unfinished ones are removed. */
async function readPictures(dir: string): Promise<Map<string, number>> {
  await mkdir(dir, { recursive: true });
  const found: { path: string; bytes: number; writtenMs: number }[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (entry.name.endsWith(UNFINISHED)) await rm(path, { force: true });
    if (!entry.name.endsWith('.jpg')) continue;
    const { size, mtimeMs } = await stat(path);
    found.push({ path, bytes: size, writtenMs: mtimeMs });
  }
  found.sort((a, b) => a.writtenMs - b.writtenMs);
  return new Map(found.map(({ path, bytes }) => [path, bytes]));
}

/** Written beside its place, flushed, then renamed: readers see the old picture or the new one. */
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
    // Other pictures of the day are the usual case; somebody may have tidied up before.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}
