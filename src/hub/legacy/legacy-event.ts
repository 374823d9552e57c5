import { secondsOfMs } from '../../protocol/legacy.ts';
import type { BroadcastEvent } from '../../protocol/subscription.ts';
import { legacyFrame } from './legacy-frame.ts';

/** Fields of payloads that hold times. */
const TIMES = ['timestamp', 'start_time', 'last_seen_time', 'end_time'];

const converted = new WeakMap<Buffer, string | null>();

/**
 * An event for a viewer of the original protocol: `{type, data, timestamp}`, every time in seconds. Null for a
 * message that waited at its edge: to such a viewer everything that comes happens now.
 */
export function legacyEvent(frame: string | Buffer): string | null {
  if (typeof frame === 'string') return convert(frame);
  const known = converted.get(frame);
  if (known !== undefined) return known;
  const text = convert(frame.toString('utf8'));
  converted.set(frame, text);
  return text;
}

function convert(text: string): string | null {
  const {
    type,
    timestamp,
    data,
    replayed,
    schema_version: version,
  } = JSON.parse(text) as BroadcastEvent;
  if (replayed === true) return null;
  // Without a version the data came in the original form.
  return legacyFrame(type, version === undefined ? data : inSeconds(data), timestamp);
}

function inSeconds(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  const result: Record<string, unknown> = { ...data };
  for (const name of TIMES) {
    const value = result[name];
    if (typeof value === 'number') result[name] = secondsOfMs(value);
  }
  return result;
}
