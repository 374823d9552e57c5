import type { Scopes } from '../../protocol/scopes.ts';
import { camerasOfEvent } from '../store/event-cameras.ts';
import { eventFrame } from '../store/event-frame.ts';
import type { StoreBatch } from '../store/requests.ts';
import { severityOf } from '../store/severity.ts';
import { bodyWithin } from './body-within.ts';
import type { EventTraits } from './event-filter.ts';
import { textFrame } from './websocket-frame.ts';

/** The frame of an event. */
export interface EventFrame {
  /** As JSON text. */
  text(): string;
  /** As it goes onto a WebSocket. */
  wire(): Buffer;
}

/** An event on its way to subscribers. Its frame is made when the first of them wants it, and once. */
export interface LiveEvent extends EventTraits, EventFrame {
  readonly eventId: number;
  /** As a token with these scopes may see it; the same one each time. */
  within(scopes: Scopes): LiveEvent;
}

/** An event that was read for one subscriber. */
export function storedEvent(frame: string): EventFrame {
  return { text: () => frame, wire: () => textFrame(frame) };
}

export function liveEvent(
  { clientId }: Pick<StoreBatch, 'clientId'>,
  item: StoreBatch['items'][number],
  eventId: number,
): LiveEvent {
  let text: string | undefined;
  let wire: Buffer | undefined;
  /** Those that some may see only a part of are few. */
  let parts: WeakMap<Scopes, LiveEvent> | undefined;
  const event: LiveEvent = {
    eventId,
    type: item.type,
    cameras: camerasOfEvent(item),
    severity: severityOf(item.body),
    text() {
      text ??= eventFrame({ ...item, deviceMs: item.deviceMs ?? 0, eventId, clientId });
      return text;
    },
    wire() {
      wire ??= textFrame(event.text());
      return wire;
    },
    within(scopes) {
      const known = parts?.get(scopes);
      if (known !== undefined) return known;
      const body = bodyWithin(scopes, item.type, item.body);
      if (body === item.body) return event;
      const part = liveEvent({ clientId }, { ...item, body }, eventId);
      parts ??= new WeakMap();
      parts.set(scopes, part);
      return part;
    },
  };
  return event;
}
