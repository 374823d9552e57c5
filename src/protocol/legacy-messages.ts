import { detectionType } from './detection.ts';
import type { DeliveredType } from './lanes.ts';
import {
  LEGACY_MESSAGES,
  type LegacyMessage,
  type LegacyMessageType,
  msOfSeconds,
  secondsOfMs,
} from './legacy.ts';
import { PAYLOADS } from './payloads.ts';

/** A delivered message as it was meant by a client of the original protocol. */
export interface ConvertedMessage {
  readonly type: DeliveredType;
  /** Of `data` in `PAYLOADS`; null for data that could not be brought into that form with certainty. */
  readonly schemaVersion: number | null;
  /** `data` is as it came: its times are seconds, its boxes whatever the client means by them. */
  readonly isOpaque: boolean;
  /** When it happened at the client, Unix milliseconds. */
  readonly timestampMs: number;
  readonly data: unknown;
}

/**
 * Reads a message of the original protocol. Fields beyond the known ones are kept.
 *
 * @param nowMs Unix milliseconds: the time of a message that names none
 */
export function fromLegacyMessage(frame: LegacyMessage, nowMs: number): ConvertedMessage {
  const seconds = frame.data.timestamp ?? frame.timestamp ?? null;
  const timestampMs = seconds === null ? nowMs : msOfSeconds(seconds);
  const { version, schema } = PAYLOADS[frame.type];
  const data = { ...payloadOf(frame), timestamp: timestampMs };
  const isOpaque = !schema.safeParse(data).success;
  return {
    type: frame.type,
    schemaVersion: isOpaque ? null : version,
    isOpaque,
    timestampMs,
    data: isOpaque ? frame.data : data,
  };
}

/** Still to be checked: what cannot be converted is left as it is, and fails the check. */
function payloadOf(frame: LegacyMessage): Record<string, unknown> {
  switch (frame.type) {
    case 'ai_detection_result':
      return { ...frame.data, detections: frame.data.detections.map(detectionOf) };
    case 'alert_triggered': {
      const { severity, data } = frame.data;
      return { ...frame.data, severity: severity?.toLowerCase(), data: data ?? {} };
    }
    default:
      return frame.data;
  }
}

function detectionOf(raw: unknown): unknown {
  if (!isRecord(raw)) return raw;
  const { class: className, score, bbox, bounding_box: box = bbox, ...rest } = raw;
  const { confidence = score, label = className ?? rest.type } = rest;
  const type = rest.type ?? (typeof label === 'string' ? label : undefined);
  return {
    ...rest,
    // A name of the model, as `type` of the original protocol often is, becomes the protocol's class.
    type: typeof type === 'string' ? detectionType(type) : type,
    label,
    confidence,
    bounding_box: boxOf(box),
  };
}

/** Null where the numbers can mean something else, pixels above all. */
function boxOf(raw: unknown): unknown {
  const numbers = Array.isArray(raw) ? raw : isRecord(raw) ? numbersOf(raw) : [];
  if (numbers.length !== 4 || !numbers.every((value) => typeof value === 'number')) return null;
  const [x, y, width, height] = numbers as [number, number, number, number];
  const isWithin = [x, y, width, height, x + width, y + height].every(isShare);
  return isWithin ? { x, y, width, height } : null;
}

/** `[x, y, width, height]` of a box with named parts. */
function numbersOf(box: Record<string, unknown>): unknown[] {
  const { x, y, w, h, width = w, height = h, x1, y1, x2, y2 } = box;
  const corners = [x1, y1, x2, y2];
  if (!corners.every((value) => typeof value === 'number')) return [x, y, width, height];
  const [left, top, right, bottom] = corners as [number, number, number, number];
  // A box whose right edge lies left of its left one is none; nor is one in pixels.
  return corners.every((value) => isShare(value as number))
    ? [left, top, right - left, bottom - top]
    : [];
}

/** Of the picture's width or height, with room for the rounding of single precision. */
function isShare(value: number): boolean {
  return value >= -1e-6 && value <= 1 + 1e-6;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface LegacyOutput {
  readonly type: LegacyMessageType;
  readonly data: unknown;
  /** Seconds. */
  readonly timestamp: number;
  readonly request_id: string;
}

/**
 * A message of the outbox for a server of the original protocol, or null for a type that it may not know:
 * `object_event` is newer, and `ai_engine_status` has no form there that can be relied on.
 *
 * @param data payload with its times in milliseconds
 * @param wallMs Unix milliseconds: when it happened
 * @param requestId stays the same when it is sent again, so that the server can tell
 */
export function toLegacyMessage(
  type: string,
  data: unknown,
  wallMs: number,
  requestId: string,
): LegacyOutput | null {
  if (!Object.hasOwn(LEGACY_MESSAGES, type)) return null;
  const inSeconds =
    isRecord(data) && typeof data.timestamp === 'number'
      ? { ...data, timestamp: secondsOfMs(data.timestamp) }
      : data;
  return {
    type: type as LegacyMessageType,
    data: inSeconds,
    timestamp: secondsOfMs(wallMs),
    request_id: requestId,
  };
}
