import { crc32 } from 'node:zlib';

export interface ChecksummedRow {
  readonly seq: number;
  readonly message_id: Buffer;
  readonly type: string;
  readonly schema_version: number;
  readonly wall_ms: number;
  readonly mono_ms: number;
  readonly flags: number;
  readonly body: Buffer;
}

/**
 * CRC-32 over a row of the outbox, since SQLite has no checksums of its pages. The epoch is left out: a row keeps
 * its number when another epoch adopts it.
 */
export function rowChecksum(row: ChecksummedRow): number {
  const { seq, type, schema_version: version, wall_ms: wallMs, mono_ms: monoMs, flags } = row;
  const head = `${seq} ${type} ${version} ${wallMs} ${monoMs} ${flags} `;
  return [row.message_id, row.body].reduce(continued, crc32(head));
}

/** zlib begins anew where it is given nothing (zlib.h: a null buffer returns the initial value). */
function continued(sum: number, bytes: Buffer): number {
  return bytes.length === 0 ? sum : crc32(bytes, sum);
}
