import type { z } from 'zod';
import {
  type BatchAck,
  type GapItem,
  gapItemSchema,
  type MessageItem,
  messageItemSchema,
} from '../../protocol/batch.ts';
import { CLIENT_FRAMES, SERVER_FRAMES } from '../../protocol/frames.ts';
import { DELIVERED_TYPES, type DeliveredType } from '../../protocol/lanes.ts';
import { camerasOf } from '../../protocol/message-cameras.ts';
import { PAYLOADS } from '../../protocol/payloads.ts';
import type { Refusal } from '../door/permissions.ts';
import { cameraColumn } from '../store/event-cameras.ts';
import type { StoredItem } from '../store/requests.ts';
import { EVENT_STATUS, type EventStatus } from '../store/schema.ts';
import type { JudgedTime } from './device-clock.ts';

export type Rejection = BatchAck['data']['rejected'][number];

/** The message that is for the hub itself. */
const ORDER = 'person_forgotten' satisfies DeliveredType;

/** A batch ready for the store, and what its sender has to be told about single items. */
export interface JudgedBatch {
  readonly items: readonly StoredItem[];
  readonly rejected: readonly Rejection[];
}

interface Judgement {
  readonly status: EventStatus;
  readonly fault?: undefined | { readonly code: string; readonly message: string };
}

/** Of a message, by its `timestamp` and `mono_ms`. */
type TimeJudge = (wallMs: number, monoMs: number) => JudgedTime;

/** What a batch is judged by. */
export interface BatchJudges {
  readonly timeOf: TimeJudge;
  /** Null where the sender may deliver messages of a type and cameras. */
  readonly mayDeliver: (type: string, cameras: readonly string[]) => Refusal | null;
}

/**
 * Checks every item of a batch. Nothing is refused: an invalid message, or one that its sender may not deliver, is kept in
 * quarantine, so that it cannot block the ones behind it, and one that is newer than this hub is kept as it is.
 */
export function judgeBatch(
  items: readonly unknown[],
  firstSeq: number,
  judges: BatchJudges,
): JudgedBatch {
  const rejected: Rejection[] = [];
  const stored: StoredItem[] = [];
  for (const raw of items) {
    const expectedSeq = (stored.at(-1)?.toSeq ?? firstSeq - 1) + 1;
    const { item, fault } = judgeItem(raw, expectedSeq, judges);
    if (fault !== undefined) rejected.push({ seq: item.seq, ...fault, quarantined: true });
    stored.push(item);
  }
  return { items: stored, rejected };
}

function judgeItem(
  raw: unknown,
  expectedSeq: number,
  { timeOf, mayDeliver }: BatchJudges,
): { readonly item: StoredItem; readonly fault?: Judgement['fault'] } {
  // Not `batchItemSchema`, which tries both forms of every item.
  const isGap = typeof raw === 'object' && raw !== null && 'gap' in raw;
  if (isGap) {
    const parsed = gapItemSchema.safeParse(raw);
    if (parsed.success) return { item: gapToStore(parsed.data) };
    return unreadable(raw, expectedSeq, parsed.error);
  }
  const parsed = messageItemSchema.safeParse(raw);
  if (!parsed.success) return unreadable(raw, expectedSeq, parsed.error);
  const { status, fault } = judge(parsed.data, mayDeliver);
  return { item: messageToStore(parsed.data, status, timeOf), fault };
}

function unreadable(raw: unknown, seq: number, error: z.ZodError) {
  const fault = { code: 'item_invalid', message: firstIssue(error, 'item').message };
  return { item: unreadableToStore(raw, seq), fault };
}

function judge(item: MessageItem, mayDeliver: BatchJudges['mayDeliver']): Judgement {
  const { type } = item;
  if (Object.hasOwn(CLIENT_FRAMES, type) || Object.hasOwn(SERVER_FRAMES, type))
    return quarantine('reserved_type', `${type} is a frame of the session, not a message`);
  const refusal = mayDeliver(type, camerasOf(type, item.data));
  if (refusal !== null) return quarantine(refusal.code, refusal.message);
  if (!isDeliveredType(type)) return { status: EVENT_STATUS.opaque };
  const { version, schema } = PAYLOADS[type];
  if (item.schema_version > version) return { status: EVENT_STATUS.opaque };
  const parsed = schema.safeParse(item.data);
  if (parsed.success) return { status: type === ORDER ? EVENT_STATUS.order : EVENT_STATUS.ok };
  return quarantine('schema_invalid', firstIssue(parsed.error, 'data').message);
}

function quarantine(code: string, message: string): Judgement {
  return { status: EVENT_STATUS.quarantined, fault: { code, message } };
}

function isDeliveredType(type: string): type is DeliveredType {
  return (DELIVERED_TYPES as readonly string[]).includes(type);
}

function messageToStore(item: MessageItem, status: EventStatus, timeOf: TimeJudge): StoredItem {
  return {
    seq: item.seq,
    toSeq: item.seq,
    messageId: item.message_id,
    type: item.type,
    cameraId: cameraColumn(camerasOf(item.type, item.data)),
    schemaVersion: item.schema_version,
    ...timeOf(item.timestamp, item.mono_ms),
    replayed: item.replayed === true,
    status,
    body: JSON.stringify(item.data ?? null),
  };
}

/** Kept under the number that it must have had: numbers within a batch have no holes. */
function unreadableToStore(raw: unknown, seq: number): StoredItem {
  return {
    seq,
    toSeq: seq,
    messageId: null,
    type: 'unreadable',
    cameraId: null,
    schemaVersion: null,
    deviceMs: null,
    correctedMs: null,
    clockSuspect: false,
    replayed: false,
    status: EVENT_STATUS.quarantined,
    body: JSON.stringify(raw ?? null),
  };
}

function firstIssue(error: z.ZodError, root: string): { message: string } {
  const [issue] = error.issues;
  const where = issue?.path.map(String).join('.') || root;
  return { message: `${where}: ${issue?.message ?? 'invalid'}` };
}

function gapToStore({ seq, gap }: GapItem): StoredItem {
  return {
    seq,
    toSeq: Math.max(seq, gap.to_seq),
    messageId: null,
    type: 'gap',
    cameraId: null,
    schemaVersion: null,
    deviceMs: null,
    correctedMs: null,
    clockSuspect: false,
    replayed: false,
    status: EVENT_STATUS.gap,
    body: JSON.stringify(gap),
  };
}
