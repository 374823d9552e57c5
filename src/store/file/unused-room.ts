import { fstatSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import type { Database } from 'better-sqlite3';

const PAGE_BYTES = 4096;
/** Reads of a slice: a few milliseconds. */
const SLICE_BYTES = 2 * 1024 * 1024;
const LEAF_OF_TABLE = 0x0d;
const HEADER_BYTES = 8;

/**
 * Descriptors of files that SQLite has open too. They are never closed: with the first descriptor that a process closes
 * it loses all its POSIX locks on the file, those of SQLite among them (sqlite.org/howtocorrupt.html, 2.2).
 */
const descriptors = new Map<string, number>();

/**
 * Overwrites what SQLite leaves in the room between the rows of a page when it moves rows to a neighbour. What is
 * deleted it overwrites by itself (secure_delete), and VACUUM would take hours for a large file.
 *
 * SQLite never reads this room, so that it may change under readers. That no old page comes back out of the memory or
 * the log of the only connection that writes is seen to before each slice. Slices go from the end of the file to its
 * beginning, as pages only ever move towards it.
 */
export class UnusedRoom {
  readonly #db: Database;
  /** Everything behind is done. */
  #from: number;
  readonly #file: number;

  constructor(db: Database) {
    this.#db = db;
    this.#file = descriptorOf(db.name);
    this.#from = fstatSync(this.#file).size;
  }

  /** Does one slice. True once everything is overwritten and on disk. */
  erase(): boolean {
    if (this.#from === 0) return true;
    // Readers that are in the way are gone with the next slice.
    if (!isLogMoved(this.#db)) return false;
    this.#db.pragma('shrink_memory');
    const from = Math.max(0, this.#from - SLICE_BYTES);
    const bytes = Buffer.alloc(this.#from - from);
    const read = readSync(this.#file, bytes, 0, bytes.length, from);
    // The first page begins with the header of the file, and holds no events.
    for (let at = from === 0 ? PAGE_BYTES : 0; at + PAGE_BYTES <= read; at += PAGE_BYTES)
      for (const { begin, end } of unusedRoom(bytes.subarray(at, at + PAGE_BYTES))) {
        if (bytes.subarray(at + begin, at + end).every((byte) => byte === 0)) continue;
        writeSync(this.#file, Buffer.alloc(end - begin), 0, end - begin, from + at + begin);
      }
    this.#from = from;
    if (from > 0) return false;
    fsyncSync(this.#file);
    return true;
  }
}

function descriptorOf(path: string): number {
  const known = descriptors.get(path);
  // A damaged file may have been put aside, and another one be in its place.
  if (known !== undefined && fstatSync(known).ino === statSync(path).ino) return known;
  const opened = openSync(path, 'r+');
  descriptors.set(path, opened);
  return opened;
}

/** Whether everything in the log is in the main file. */
function isLogMoved(db: Database): boolean {
  const [result] = db.pragma('wal_checkpoint(PASSIVE)') as {
    busy: number;
    log: number;
    checkpointed: number;
  }[];
  return result !== undefined && result.busy === 0 && result.log === result.checkpointed;
}

/**
 * Parts of a page that no row takes; none of a page that is no leaf of a table. Every other kind of page begins with
 * another byte in files below 800 GB. Format: sqlite.org/fileformat2.html, section 1.6.
 */
export function unusedRoom(page: Buffer): { readonly begin: number; readonly end: number }[] {
  if (page[0] !== LEAF_OF_TABLE) return [];
  const begin = HEADER_BYTES + 2 * page.readUInt16BE(3);
  const end = page.readUInt16BE(5) || 65_536;
  if (begin > end || end > page.length) return [];
  const parts = [{ begin, end }];
  let block = page.readUInt16BE(1);
  while (block >= end && block + 4 <= page.length) {
    const next = page.readUInt16BE(block);
    const size = page.readUInt16BE(block + 2);
    if (size < 4 || block + size > page.length) return [];
    // Its first four bytes chain the free blocks.
    parts.push({ begin: block + 4, end: block + size });
    if (next <= block) break;
    block = next;
  }
  return parts;
}
