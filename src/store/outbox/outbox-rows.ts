import { crc32, inflateRawSync } from 'node:zlib';
import type { Gap } from '../../protocol/batch.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { rowChecksum } from './checksum.ts';
import { gapBehind, parseGap } from './gap-body.ts';
import { ROW_FLAGS } from './outbox-schema.ts';

/** A row of `outbox_N` as it is read for sending. */
export interface OutboxRow {
  readonly seq: number;
  readonly message_id: Buffer;
  readonly type: string;
  readonly schema_version: number;
  readonly camera_id: string | null;
  readonly wall_ms: number;
  readonly mono_ms: number;
  readonly flags: number;
  /** Of the body as the hub gets it. */
  readonly bytes: number;
  readonly crc32: number;
  readonly body: Buffer;
}

/** One entry of a lane, ready for a `message_batch`. */
export type OutboxItem =
  | {
      readonly kind: 'message';
      readonly seq: number;
      readonly messageId: string;
      readonly type: string;
      readonly schemaVersion: number;
      readonly wallMs: number;
      readonly monoMs: number;
      readonly cameraId: string | null;
      /** JSON text of the payload. */
      readonly body: string;
    }
  | { readonly kind: 'gap'; readonly seq: number; readonly gap: Gap };

export interface ReadLimits {
  readonly maxItems: number;
  /** Of bodies. The first item is read whatever its size. */
  readonly maxBytes: number;
}

export interface ReadSpan extends ReadLimits {
  /** Everything up to here is already sent. */
  readonly afterSeq: number;
  /** Last number that the stream has given out. */
  readonly lastSeq: number;
  /** Last number that the hub has acknowledged at any time. */
  readonly ackedSeq: number;
  /** Why a number that was never acknowledged may have no row. */
  readonly holeReason: 'storage_corruption' | 'unclean_shutdown';
}

export interface OutboxBatch {
  readonly items: readonly OutboxItem[];
  /** Last number that the items cover. */
  readonly through: number;
  /** Of bodies. */
  readonly bytes: number;
  /** Rows that no longer match their checksum; they go out as gaps. */
  readonly damaged: readonly number[];
}

/**
 * Turns rows in ascending order into items that cover every number after `afterSeq` without a hole.
 *
 * The first row may be a gap that begins at or before `afterSeq` and reaches beyond it. A number without a row is
 * declared as a gap: `hub_regression` where the hub had acknowledged it (its rows are deleted, and the hub was put
 * back to an older state), `holeReason` otherwise.
 */
export function assembleBatch(rows: Iterable<OutboxRow>, span: ReadSpan): OutboxBatch {
  const items: OutboxItem[] = [];
  const damaged: number[] = [];
  let through = span.afterSeq;
  let bytes = 0;
  for (const row of rows) {
    const isFull = items.length >= span.maxItems || bytes + row.bytes > span.maxBytes;
    if (isFull && items.length > 0) return { items, through, bytes, damaged };
    items.push(...holes(through + 1, row.seq - 1, span));
    const item = itemOf(row, span.afterSeq);
    if (item === null) damaged.push(row.seq);
    items.push(item ?? hole(row.seq, row.seq, 'storage_corruption'));
    through = item?.kind === 'gap' ? item.gap.to_seq : row.seq;
    bytes += row.bytes;
  }
  items.push(...holes(through + 1, span.lastSeq, span));
  return { items, through: Math.max(through, span.lastSeq), bytes, damaged };
}

/** Whether the row is what was written. */
export function isIntact(row: OutboxRow): boolean {
  const isWhole = (row.flags & ROW_FLAGS.wholeChecksum) !== 0;
  return (isWhole ? rowChecksum(row) : crc32(row.body)) === row.crc32;
}

/** JSON text of the payload. */
export function bodyText(row: Pick<OutboxRow, 'flags' | 'body'>): string {
  const isDeflated = (row.flags & ROW_FLAGS.deflated) !== 0;
  const body = isDeflated
    ? inflateRawSync(row.body, { maxOutputLength: LIMITS.maxBodyBytes })
    : row.body;
  return body.toString('utf8');
}

/** Null where the row is not what was written. */
function itemOf(row: OutboxRow, afterSeq: number): OutboxItem | null {
  if (!isIntact(row)) return null;
  if ((row.flags & ROW_FLAGS.gap) !== 0) {
    const gap = parseGap(row.body);
    if (gap === null) return null;
    const rest = gapBehind(gap, afterSeq);
    return { kind: 'gap', seq: rest.from_seq, gap: rest };
  }
  return {
    kind: 'message',
    seq: row.seq,
    messageId: uuidText(row.message_id),
    type: row.type,
    schemaVersion: row.schema_version,
    wallMs: row.wall_ms,
    monoMs: row.mono_ms,
    cameraId: row.camera_id,
    body: bodyText(row),
  };
}

/** Gaps over a range of numbers without rows; none over an empty one. */
function holes(fromSeq: number, toSeq: number, { ackedSeq, holeReason }: ReadSpan): OutboxItem[] {
  const ackedTo = Math.min(toSeq, ackedSeq);
  const items: OutboxItem[] = [];
  if (fromSeq <= ackedTo) items.push(hole(fromSeq, ackedTo, 'hub_regression'));
  const lostFrom = Math.max(fromSeq, ackedSeq + 1);
  if (lostFrom <= toSeq) items.push(hole(lostFrom, toSeq, holeReason));
  return items;
}

function hole(fromSeq: number, toSeq: number, reason: string): OutboxItem {
  const count = toSeq - fromSeq + 1;
  return {
    kind: 'gap',
    seq: fromSeq,
    gap: { from_seq: fromSeq, to_seq: toSeq, count, reason },
  };
}

export function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
