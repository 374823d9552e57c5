/** Reading of SQLite's pages without SQLite: sqlite.org/fileformat2.html, sections 1.6 and 2.1. */

export type SqliteValue = null | number | string | Buffer;

export interface LeafRecord {
  readonly rowId: number;
  readonly values: readonly SqliteValue[];
}

export interface PageSource {
  /** By number, from 1. */
  page(number: number): Buffer | null;
}

const TABLE_LEAF = 0x0d;
const LEAF_HEADER_BYTES = 8;
/** No row of ours is larger; a damaged length must not ask for gigabytes. */
const MAX_PAYLOAD = 4 * 1024 * 1024;

/** Records of a page that is a leaf of a table; none where it is not, and none of cells that make no sense. */
export function leafRecords(page: Buffer, source: PageSource): LeafRecord[] {
  // The first page of a file begins with the file's own header.
  const start = page.toString('latin1', 0, 15) === 'SQLite format 3' ? 100 : 0;
  if (page.length < start + LEAF_HEADER_BYTES || page[start] !== TABLE_LEAF) return [];
  const count = page.readUInt16BE(start + 3);
  const records: LeafRecord[] = [];
  for (let cell = 0; cell < count; cell++) {
    const pointer = start + LEAF_HEADER_BYTES + 2 * cell;
    if (pointer + 2 > page.length) break;
    const record = recordAt(page, page.readUInt16BE(pointer), source);
    if (record !== null) records.push(record);
  }
  return records;
}

function recordAt(page: Buffer, offset: number, source: PageSource): LeafRecord | null {
  try {
    const length = varint(page, offset);
    const rowId = varint(page, offset + length.bytes);
    if (length.value < 2 || length.value > MAX_PAYLOAD) return null;
    const payload = payloadAt(page, offset + length.bytes + rowId.bytes, length.value, source);
    return payload === null ? null : { rowId: rowId.value, values: valuesOf(payload) };
  } catch (error) {
    // Reading beyond the page: the cell is damaged.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The payload, gathered from overflow pages where it does not fit into its cell (section 1.6). */
function payloadAt(
  page: Buffer,
  offset: number,
  length: number,
  source: PageSource,
): Buffer | null {
  const usable = page.length;
  const largest = usable - 35;
  if (length <= largest) {
    if (offset + length > page.length) throw new RangeError('payload beyond the page');
    return page.subarray(offset, offset + length);
  }
  const least = Math.floor(((usable - 12) * 32) / 255 - 23);
  const surplus = least + ((length - least) % (usable - 4));
  const local = surplus <= largest ? surplus : least;
  if (offset + local + 4 > page.length) throw new RangeError('payload beyond the page');
  const parts = [page.subarray(offset, offset + local)];
  let missing = length - local;
  let next = page.readUInt32BE(offset + local);
  while (missing > 0) {
    const overflow = next === 0 ? null : source.page(next);
    if (overflow === null || overflow.length < usable) return null;
    const part = overflow.subarray(4, 4 + Math.min(missing, usable - 4));
    parts.push(part);
    missing -= part.length;
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(parts, length);
}

function valuesOf(payload: Buffer): SqliteValue[] {
  const header = varint(payload, 0);
  const values: SqliteValue[] = [];
  let at = header.bytes;
  let body = header.value;
  while (at < header.value) {
    const serial = varint(payload, at);
    at += serial.bytes;
    const { value, bytes } = valueAt(payload, body, serial.value);
    values.push(value);
    body += bytes;
  }
  return values;
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8] as const;

function valueAt(
  payload: Buffer,
  offset: number,
  serial: number,
): { value: SqliteValue; bytes: number } {
  if (serial === 0) return { value: null, bytes: 0 };
  if (serial === 7) return { value: payload.readDoubleBE(offset), bytes: 8 };
  if (serial === 8 || serial === 9) return { value: serial - 8, bytes: 0 };
  const integerBytes = INTEGER_BYTES[serial];
  if (integerBytes === 8) return { value: Number(payload.readBigInt64BE(offset)), bytes: 8 };
  if (integerBytes !== undefined)
    return { value: payload.readIntBE(offset, integerBytes), bytes: integerBytes };
  if (serial < 12) throw new RangeError('a serial type that is reserved');
  const bytes = (serial - (serial % 2 === 0 ? 12 : 13)) / 2;
  if (offset + bytes > payload.length) throw new RangeError('value beyond the payload');
  const part = payload.subarray(offset, offset + bytes);
  return { value: serial % 2 === 0 ? Buffer.from(part) : part.toString('utf8'), bytes };
}

/** Up to nine bytes, most significant first (section 1.6); beyond 2^53 it makes no sense here. */
function varint(buffer: Buffer, offset: number): { value: number; bytes: number } {
  let value = 0;
  for (let index = 0; index < 8; index++) {
    const byte = buffer.readUInt8(offset + index);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, bytes: index + 1 };
  }
  throw new RangeError('a number that is too large');
}
