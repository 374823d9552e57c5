import { eventFrame } from '../store/event-frame.ts';
import type { StoreBatch } from '../store/requests.ts';
import { severityOf } from '../store/severity.ts';
import type { EventTraits } from './event-filter.ts';
import { textFrame } from './websocket-frame.ts';

/** An event on its way to subscribers. Its frame is made when the first of them wants it, and once. */
export interface LiveEvent extends EventTraits {
  readonly eventId: number;
  /** The frame as JSON text. */
  text(): string;
  /** The frame as it goes onto a WebSocket. */
  wire(): Buffer;
}

export function liveEvent(
  { clientId }: StoreBatch,
  item: StoreBatch['items'][number],
  eventId: number,
): LiveEvent {
  let text: string | undefined;
  let wire: Buffer | undefined;
  const event: LiveEvent = {
    eventId,
    type: item.type,
    cameraId: item.cameraId,
    severity: severityOf(item.body),
    text() {
      text ??= eventFrame({ ...item, deviceMs: item.deviceMs ?? 0, eventId, clientId });
      return text;
    },
    wire() {
      wire ??= textFrame(event.text());
      return wire;
    },
  };
  return event;
}
