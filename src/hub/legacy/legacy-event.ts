import { secondsOfMs } from '../../protocol/legacy.ts';
import type { BroadcastEvent } from '../../protocol/subscription.ts';
import type { EventFrame } from '../fan-out/live-event.ts';
import { legacyFrame } from './legacy-frame.ts';

/** Fields of payloads that hold times. */
const TIMES = ['timestamp', 'start_time', 'last_seen_time', 'end_time'];

/** Live events go to many viewers. */
const converted = new WeakMap<EventFrame, string | null>();

/**
 * An event for a viewer of the original protocol: `{type, data, timestamp}`, every time in seconds. Null for a
 * message that waited at its edge: to such a viewer everything that comes happens now.
 */
export function legacyEvent(event: string | EventFrame): string | null {
  if (typeof event === 'string') return convert(event);
  const known = converted.get(event);
  if (known !== undefined) return known;
  const text = convert(event.text());
  converted.set(event, text);
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
