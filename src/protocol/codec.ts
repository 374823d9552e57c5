import type { z } from 'zod';
import { CLIENT_FRAMES, type ClientFrame, SERVER_FRAMES, type ServerFrame } from './frames.ts';
import {
  LEGACY_CLIENT_FRAMES,
  LEGACY_SERVER_FRAMES,
  type LegacyClientFrame,
  type LegacyServerFrame,
} from './legacy.ts';
import { LIMITS } from './limits.ts';
import { isDeeperThan, isTextDeeperThan } from './nesting.ts';
import { type BroadcastEvent, broadcastEventSchema } from './subscription.ts';

/** Why a text is no frame. `type` and `requestId` as far as they could be read, for the answer to the sender. */
export interface FrameFault {
  ok: false;
  /** `unknown_type` is harmless and comes from a newer peer; the others are faults of the sender. */
  fault: 'too_large' | 'not_json' | 'invalid' | 'unknown_type';
  message: string;
  type?: string;
  requestId?: string;
}

export type ClientFrameResult = { ok: true; frame: ClientFrame } | FrameFault;
export type LegacyClientFrameResult = { ok: true; frame: LegacyClientFrame } | FrameFault;
export type LegacyServerFrameResult = { ok: true; frame: LegacyServerFrame } | FrameFault;

/** `kind` tells a frame of the session from an event that the server passes on. */
export type ServerFrameResult =
  | { ok: true; kind: 'frame'; frame: ServerFrame }
  | { ok: true; kind: 'event'; event: BroadcastEvent }
  | FrameFault;

export type EncodeResult = { ok: true; text: string } | { ok: false; message: string };

/** Reads one text frame that a client sent. Never throws. */
export function parseClientFrame(
  text: string,
  maxBytes: number = LIMITS.maxFrameBytes,
): ClientFrameResult {
  const read = readEnvelope(text, maxBytes);
  return read.ok ? check<ClientFrame>(CLIENT_FRAMES, read) : read;
}

/** Reads one text frame that a server sent. Never throws. */
export function parseServerFrame(
  text: string,
  maxBytes: number = LIMITS.maxFrameBytes,
): ServerFrameResult {
  const read = readEnvelope(text, maxBytes);
  if (!read.ok) return read;
  // Only an event has an id of its own, and its type may be newer than this reader.
  if ('event_id' in read.envelope) {
    const parsed = broadcastEventSchema.safeParse(read.envelope);
    return parsed.success
      ? { ok: true, kind: 'event', event: parsed.data }
      : invalid(read, parsed.error);
  }
  const result = check<ServerFrame>(SERVER_FRAMES, read);
  return result.ok ? { ok: true, kind: 'frame', frame: result.frame } : result;
}

/** Reads one text frame of a client of the original protocol. Never throws. */
export function parseLegacyClientFrame(
  text: string,
  maxBytes: number = LIMITS.maxFrameBytes,
): LegacyClientFrameResult {
  const read = readEnvelope(text, maxBytes);
  return read.ok ? check<LegacyClientFrame>(LEGACY_CLIENT_FRAMES, read) : read;
}

/** Reads one text frame of a server of the original protocol. Never throws. */
export function parseLegacyServerFrame(
  text: string,
  maxBytes: number = LIMITS.maxFrameBytes,
): LegacyServerFrameResult {
  const read = readEnvelope(text, maxBytes);
  return read.ok ? check<LegacyServerFrame>(LEGACY_SERVER_FRAMES, read) : read;
}

/** One frame as text. Fails on data that JSON cannot hold or that is larger than a frame may be. */
export function encodeFrame(frame: ClientFrame | ServerFrame | BroadcastEvent): EncodeResult {
  let text: string;
  try {
    text = JSON.stringify(frame);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  if (text.length > LIMITS.maxFrameBytes) {
    return { ok: false, message: `${text.length} characters are more than a frame may have` };
  }
  return { ok: true, text };
}

interface Envelope {
  ok: true;
  type: string;
  requestId: string | undefined;
  envelope: Record<string, unknown>;
}

function readEnvelope(text: string, maxBytes: number): Envelope | FrameFault {
  // A character takes at least one byte; the socket itself counts exactly.
  if (text.length > maxBytes)
    return {
      ok: false,
      fault: 'too_large',
      message: `more than ${maxBytes} bytes`,
      ...headOf(text),
    };
  if (text.length > LONG_TEXT && isTextDeeperThan(LIMITS.maxDepth, text))
    return { ok: false, fault: 'invalid', message: TOO_DEEP, ...headOf(text) };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, fault: 'not_json', message: 'the frame is not JSON', ...headOf(text) };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, fault: 'invalid', message: 'the frame is not an object' };
  const envelope = value as Record<string, unknown>;
  const { type, request_id: requestId } = envelope;
  const origin = {
    ...(typeof type === 'string' && { type: type.slice(0, MAX_TYPE) }),
    ...(typeof requestId === 'string' && { requestId: requestId.slice(0, MAX_REQUEST_ID) }),
  };
  if (isDeeperThan(LIMITS.maxDepth, value))
    return { ok: false, fault: 'invalid', message: TOO_DEEP, ...origin };
  if (origin.type === undefined)
    return { ok: false, fault: 'invalid', message: 'type: expected a string', ...origin };
  return { ok: true, type: origin.type, requestId: origin.requestId, envelope };
}

/** Longer than a usual batch: its nesting is counted before it is parsed. */
const LONG_TEXT = LIMITS.batchBytes;
const TOO_DEEP = `deeper than ${LIMITS.maxDepth}`;
const MAX_TYPE = 64;
const MAX_REQUEST_ID = 128;
/** Senders write the envelope first and `data` last. */
const HEAD_LENGTH = 512;

/**
 * The `request_id` of a text that cannot be read as a frame (broken, too large), if its head shows one: enough to
 * tell the sender which frame it was.
 */
export function requestIdOf(text: string): string | undefined {
  return headOf(text).requestId;
}

function headOf(text: string): { type?: string; requestId?: string } {
  const [head = ''] = text.slice(0, HEAD_LENGTH).split('"data"', 1);
  const type = /"type"\s*:\s*"([^"\\]{1,64})"/.exec(head)?.[1];
  const requestId = /"request_id"\s*:\s*"([^"\\]{1,128})"/.exec(head)?.[1];
  return { ...(type !== undefined && { type }), ...(requestId !== undefined && { requestId }) };
}

/** True for a payload that no `message_batch` can carry: frame, data, items and item are four levels around it. */
export function isTooDeep(payload: unknown): boolean {
  return isDeeperThan(LIMITS.maxDepth - 4, payload);
}

function check<Frame>(
  schemas: Readonly<Record<string, z.ZodType>>,
  read: Envelope,
): { ok: true; frame: Frame } | FrameFault {
  const schema = Object.hasOwn(schemas, read.type) ? schemas[read.type] : undefined;
  if (schema === undefined) {
    return { ...origin(read), fault: 'unknown_type', message: `unknown type ${read.type}` };
  }
  const parsed = schema.safeParse(read.envelope);
  return parsed.success ? { ok: true, frame: parsed.data as Frame } : invalid(read, parsed.error);
}

function invalid(read: Envelope, error: z.ZodError): FrameFault {
  const [issue] = error.issues;
  const where = issue?.path.map(String).join('.');
  const what = issue?.message ?? 'not a valid frame';
  const message = where ? `${where}: ${what}` : what;
  // A path may name a key of the sender's, of any length.
  return { ...origin(read), fault: 'invalid', message: message.slice(0, 256) };
}

function origin(read: Envelope): { ok: false; type: string; requestId?: string } {
  return {
    ok: false,
    type: read.type,
    ...(read.requestId === undefined ? {} : { requestId: read.requestId }),
  };
}
