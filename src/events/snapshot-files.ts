import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { dayOfEvent } from './event-id.ts';

const CAMERA_ID = /^[a-z0-9][a-z0-9_-]*$/;
/** A name that no finished picture has; left behind only by a power cut. */
const UNFINISHED = '.part';

export interface SnapshotFilesOptions {
  dataDir: string;
  /** All pictures together stay within this; the newest one is always kept. */
  budgetBytes: number;
  logger: Logger;
}

/**
 * The best picture of each event, as `<data_dir>/snapshots/<camera>/<yyyy-mm-dd>/<event_id>.jpg`; the day is the
 * UTC day on which the event began.
 *
 * A picture is either wholly there or not at all, also after a power cut. The oldest go first when the budget is
 * spent, in the order in which they were written, so a clock set wrong deletes nothing new. Calls are worked off
 * one after the other.
 */
export class SnapshotFiles {
  readonly #root: string;
  readonly #budgetBytes: number;
  readonly #logger: Logger;
  /** Bytes of each file, oldest first. */
  readonly #files = new Map<string, number>();
  #bytes = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: SnapshotFilesOptions) {
    this.#root = join(options.dataDir, 'snapshots');
    this.#budgetBytes = options.budgetBytes;
    this.#logger = options.logger;
  }

  /** Bytes of all pictures. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Finds the pictures of earlier runs. To be called once, before the first `save`. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      await mkdir(this.#root, { recursive: true });
      const found: { path: string; bytes: number; writtenMs: number }[] = [];
      for (const entry of await readdir(this.#root, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        if (entry.name.endsWith(UNFINISHED)) await rm(path, { force: true });
        if (!entry.name.endsWith('.jpg')) continue;
        const { size, mtimeMs } = await stat(path);
        found.push({ path, bytes: size, writtenMs: mtimeMs });
      }
      found.sort((a, b) => a.writtenMs - b.writtenMs);
      for (const { path, bytes } of found) this.#count(path, bytes);
      await this.#keepBudget();
    });
  }

  /** Where the picture of an event is if it has one; null for what is not a camera's event. */
  pathOf(cameraId: string, eventId: string): string | null {
    const day = dayOfEvent(eventId);
    if (day === null || !CAMERA_ID.test(cameraId)) return null;
    return join(this.#root, cameraId, day, `${eventId}.jpg`);
  }

  /**
   * Stores the picture of an event in place of an earlier one.
   * @returns its path
   * @throws ApexError EVENTS_SNAPSHOT_WRITE_FAILED; nothing has changed then
   */
  save(cameraId: string, eventId: string, jpeg: Uint8Array): Promise<string> {
    return this.#inTurn(async () => {
      const path = this.pathOf(cameraId, eventId);
      if (path === null) throw new TypeError(`not an event of a camera: ${cameraId}, ${eventId}`);
      await mkdir(dirname(path), { recursive: true });
      await replaceFile(path, jpeg);
      this.#count(path, jpeg.byteLength);
      await this.#keepBudget();
      return path;
    });
  }

  /** Waits for the calls so far. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ApexError('EVENTS_SNAPSHOT_WRITE_FAILED', reason, { cause });
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #count(path: string, bytes: number): void {
    this.#forget(path);
    this.#files.set(path, bytes);
    this.#bytes += bytes;
  }

  #forget(path: string): void {
    this.#bytes -= this.#files.get(path) ?? 0;
    this.#files.delete(path);
  }

  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { force: true });
      await removeIfEmpty(dirname(path));
    } catch (error) {
      this.#logger.warn({ path, reason: String(error) }, 'snapshot could not be removed');
    }
  }

  async #keepBudget(): Promise<void> {
    const bytesBefore = this.#bytes;
    let files = 0;
    for (const path of this.#files.keys()) {
      if (this.#bytes <= this.#budgetBytes || this.#files.size === 1) break;
      // Forgotten even when it resists: one file that cannot be removed must not stop the others.
      this.#forget(path);
      await this.#remove(path);
      files++;
    }
    if (files > 0) {
      const fields = { files, bytes: bytesBefore - this.#bytes, budget_bytes: this.#budgetBytes };
      this.#logger.info(fields, 'oldest snapshots removed to stay within the budget');
    }
  }
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
