import { createHash } from 'node:crypto';
import type { LegacyMessage } from '../../protocol/legacy.ts';
import { fromLegacyMessage } from '../../protocol/legacy-messages.ts';
import { camerasOf } from '../../protocol/message-cameras.ts';
import { cameraColumn } from '../store/event-cameras.ts';
import type { StoredItem } from '../store/requests.ts';
import { EVENT_STATUS } from '../store/schema.ts';

export interface LegacyArrival {
  /** Unix milliseconds. */
  readonly receivedMs: number;
  readonly clockSuspect: boolean;
}

/** A message of the original protocol as it is stored: in this protocol's form where that can be told. */
export function legacyItem(
  clientId: string,
  frame: LegacyMessage,
  { receivedMs, clockSuspect }: LegacyArrival,
): StoredItem {
  const message = fromLegacyMessage(frame, receivedMs);
  return {
    seq: 0,
    toSeq: 0,
    messageId: messageIdOf(clientId, frame),
    type: message.type,
    cameraId: cameraColumn(camerasOf(message.type, message.data)),
    schemaVersion: message.schemaVersion,
    deviceMs: message.timestampMs,
    correctedMs: null,
    clockSuspect,
    replayed: false,
    status: message.isOpaque ? EVENT_STATUS.opaque : EVENT_STATUS.ok,
    body: JSON.stringify(message.data),
  };
}

/**
 * The same for the same message sent again: a UUID (version 8, RFC 9562) of everything in it. Without a
 * `request_id` two equal messages may well be two.
 */
function messageIdOf(clientId: string, frame: LegacyMessage): string | null {
  const { type, request_id: requestId, timestamp, data } = frame;
  if (requestId === undefined || requestId === null) return null;
  const text = JSON.stringify([clientId, type, requestId, timestamp ?? null, data]);
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => hex.slice(from, to))
    .join('-');
}
