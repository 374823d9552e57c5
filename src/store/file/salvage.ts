import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { DELIVERED_TYPES, type DeliveredType, laneOf } from '../../protocol/lanes.ts';
import { bodyText, isIntact, type OutboxRow, uuidText } from '../outbox/outbox-rows.ts';
import { ROW_FLAGS } from '../outbox/outbox-schema.ts';
import type { NewRow } from '../requests.ts';
import { leafRecords, type PageSource, type SqliteValue } from './sqlite-pages.ts';

const PAGE_BYTES = 4096;
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const CHUNK_PAGES = 256;
/** The daemon must be back soon; what is not read by then stays in the file that is put aside. */
const SALVAGE_MS = 2_000;
const COLUMN_COUNT = 13;

/** Messages of the lanes that are worth it: alerts first. */
export interface Salvage {
  readonly rows: readonly NewRow[];
  /** Not everything could be looked at in time. */
  readonly isPartial: boolean;
}

/**
 * Reads messages of lanes 0 and 1 out of a damaged outbox, page by page and without SQLite, which gives up at the
 * first page that makes no sense. A row counts only where its own checksum holds. Messages that the hub had already
 * acknowledged may be among them: they keep their message ids, by which the hub knows them.
 * File format: sqlite.org/fileformat2.html.
 */
export function salvageOutbox(path: string, nowMs: () => number): Salvage {
  const deadline = nowMs() + SALVAGE_MS;
  const found = new Map<string, { readonly seq: number; readonly row: NewRow }>();
  const source = new DamagedFile(path);
  let isPartial = false;
  try {
    for (const page of source.pages()) {
      if (nowMs() > deadline) {
        isPartial = true;
        break;
      }
      for (const record of leafRecords(page, source)) {
        const row = messageOf(record.rowId, record.values);
        if (row !== null) found.set(row.messageId, { seq: record.rowId, row });
      }
    }
  } finally {
    source.close();
  }
  const rows = [...found.values()]
    .sort((a, b) => a.row.lane - b.row.lane || a.seq - b.seq)
    .map(({ row }) => row);
  return { rows, isPartial };
}

/** Null where the record is no intact message of lanes 0 and 1. */
function messageOf(rowId: number, values: readonly SqliteValue[]): NewRow | null {
  if (values.length !== COLUMN_COUNT) return null;
  const [, , id, type, version, camera, wall, mono, , flags, bytes, crc, body] = values;
  if (!Buffer.isBuffer(id) || !Buffer.isBuffer(body) || typeof type !== 'string') return null;
  if (!isDelivered(type) || laneOf(type) > 1 || id.length !== 16) return null;
  const numbers = [version, wall, mono, flags, bytes, crc];
  if (!numbers.every((value) => typeof value === 'number')) return null;
  const row: OutboxRow = {
    seq: rowId,
    message_id: id,
    type,
    schema_version: version as number,
    camera_id: typeof camera === 'string' ? camera : null,
    wall_ms: wall as number,
    mono_ms: mono as number,
    flags: flags as number,
    bytes: bytes as number,
    crc32: crc as number,
    body,
  };
  if ((row.flags & ROW_FLAGS.gap) !== 0 || !isIntact(row)) return null;
  return {
    lane: laneOf(type),
    messageId: uuidText(id),
    type,
    schemaVersion: row.schema_version,
    cameraId: row.camera_id,
    wallMs: row.wall_ms,
    monoMs: row.mono_ms,
    body: bodyText(row),
  };
}

function isDelivered(type: string): type is DeliveredType {
  return (DELIVERED_TYPES as readonly string[]).includes(type);
}

/** The pages of a database file and of its log. */
class DamagedFile implements PageSource {
  readonly #main: number | null;
  readonly #log: number | null;
  /** Where the log has the newest form of a page. */
  readonly #logged = new Map<number, number>();

  constructor(path: string) {
    this.#main = openIfThere(path);
    this.#log = openIfThere(`${path}-wal`);
    this.#indexLog();
  }

  *pages(): Generator<Buffer> {
    if (this.#log !== null)
      for (const offset of this.#frames()) {
        const page = read(this.#log, offset + FRAME_HEADER_BYTES, PAGE_BYTES);
        if (page !== null) yield page;
      }
    if (this.#main === null) return;
    const size = fstatSync(this.#main).size;
    for (let offset = 0; offset < size; offset += CHUNK_PAGES * PAGE_BYTES) {
      const chunk = read(this.#main, offset, CHUNK_PAGES * PAGE_BYTES);
      if (chunk === null) continue;
      for (let at = 0; at + PAGE_BYTES <= chunk.length; at += PAGE_BYTES)
        yield chunk.subarray(at, at + PAGE_BYTES);
    }
  }

  /** By number, from 1; the newest form. */
  page(number: number): Buffer | null {
    const logged = this.#logged.get(number);
    if (logged !== undefined && this.#log !== null)
      return read(this.#log, logged + FRAME_HEADER_BYTES, PAGE_BYTES);
    return this.#main === null ? null : read(this.#main, (number - 1) * PAGE_BYTES, PAGE_BYTES);
  }

  close(): void {
    for (const file of [this.#main, this.#log]) if (file !== null) closeSync(file);
  }

  *#frames(): Generator<number> {
    if (this.#log === null) return;
    const size = fstatSync(this.#log).size;
    const step = FRAME_HEADER_BYTES + PAGE_BYTES;
    for (let offset = WAL_HEADER_BYTES; offset + step <= size; offset += step) yield offset;
  }

  #indexLog(): void {
    if (this.#log === null) return;
    const header = read(this.#log, 0, WAL_HEADER_BYTES);
    if (header === null || header.length < WAL_HEADER_BYTES) return;
    const salt = header.subarray(16, 24);
    for (const offset of this.#frames()) {
      const frame = read(this.#log, offset, FRAME_HEADER_BYTES);
      // A frame with another salt is left over from before the log was begun anew.
      if (frame?.subarray(8, 16).equals(salt)) this.#logged.set(frame.readUInt32BE(0), offset);
    }
  }
}

function openIfThere(path: string): number | null {
  return existsSync(path) ? openSync(path, 'r') : null;
}

/** Null where the disk does not give it. */
function read(file: number, offset: number, length: number): Buffer | null {
  const buffer = Buffer.alloc(length);
  try {
    return buffer.subarray(0, readSync(file, buffer, 0, length, offset));
  } catch {
    return null;
  }
}
