import { randomUUID } from 'node:crypto';
import type { StoredEvents } from '../hub/fan-out/event-bus.ts';
import { matches } from '../hub/fan-out/event-filter.ts';
import { liveEvent } from '../hub/fan-out/live-event.ts';
import type { EventPage, ReadEvents, StoredItem } from '../hub/store/requests.ts';
import { EVENT_STATUS } from '../hub/store/schema.ts';
import { type ForgottenPerson, scrubJson } from '../people/scrub.ts';
import { PAYLOADS } from '../protocol/payloads.ts';
import type { LiveFeed, LiveMessage } from './live-feed.ts';

export interface LiveEventsOptions {
  /** Names the box in the frames. */
  readonly edgeId: string;
  readonly wallMs: () => number;
}

interface KeptEvent {
  readonly eventId: number;
  readonly bytes: number;
  readonly item: StoredItem;
}

/** A minute and more of many cameras: who was away for longer reads the journal. */
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_EVENTS = 20_000;
/** Looked at for one page of those who catch up. */
const PAGE = 512;

/**
 * The newest messages of this run of the box, in memory, numbered as a hub numbers events: for who looks on, and for
 * who was away for a moment. The box keeps the rest in its journal.
 */
export class LiveEvents implements LiveFeed {
  /** Another one with each start: whoever knew another has to look anew. */
  readonly storeId = randomUUID();
  readonly #options: LiveEventsOptions;
  #events: KeptEvent[] = [];
  /** Of `#events`, those before it are given up. */
  #first = 0;
  #bytes = 0;
  #lastEventId = 0;
  #listener: (events: StoredEvents) => void = () => undefined;

  constructor(options: LiveEventsOptions) {
    this.#options = options;
  }

  get lastEventId(): number {
    return this.#lastEventId;
  }

  /** Nothing from this event on was given up. */
  get oldestEventId(): number {
    return this.#events[this.#first]?.eventId ?? this.#lastEventId + 1;
  }

  /** Every message from now on. */
  listen(listener: (events: StoredEvents) => void): void {
    this.#listener = listener;
  }

  publish({ type, cameraId, data, wallMs }: LiveMessage): void {
    const receivedMs = this.#options.wallMs();
    const item: StoredItem = {
      seq: 0,
      toSeq: 0,
      messageId: null,
      type,
      cameraId,
      schemaVersion: PAYLOADS[type].version,
      deviceMs: wallMs,
      correctedMs: wallMs,
      clockSuspect: false,
      replayed: false,
      status: EVENT_STATUS.ok,
      body: JSON.stringify(data),
    };
    const eventId = ++this.#lastEventId;
    this.#keep({ eventId, item, bytes: 2 * item.body.length });
    const clientId = this.#options.edgeId;
    const batch = { clientId, stream: null, receivedMs, items: [item] };
    this.#listener({ batch, eventIds: [eventId] });
  }

  /** A bounded part of the events after a cursor, in the order of their ids. */
  async follow({ afterEventId, ...filter }: ReadEvents): Promise<EventPage> {
    const clientId = this.#options.edgeId;
    const begin = Math.max(this.#first, this.#first + afterEventId + 1 - this.oldestEventId);
    const part = this.#events.slice(begin, begin + PAGE);
    const frames = part
      .map(({ item, eventId }) => liveEvent({ clientId }, item, eventId))
      .filter((event) => matches(filter, event))
      .map((event) => event.within(filter.scopes).text());
    const throughEventId = part.at(-1)?.eventId ?? Math.max(afterEventId, this.#lastEventId);
    return { frames, throughEventId, lastEventId: this.#lastEventId };
  }

  /** Nothing that is kept here tells of the person any more. */
  forgetPerson(person: ForgottenPerson): void {
    this.#events = this.#events.slice(this.#first).map((kept) => {
      const body = scrubJson(kept.item.body, person);
      return body === kept.item.body ? kept : { ...kept, item: { ...kept.item, body } };
    });
    this.#first = 0;
  }

  #keep(kept: KeptEvent): void {
    this.#events.push(kept);
    this.#bytes += kept.bytes;
    while (this.#bytes > MOST_BYTES || this.#events.length - this.#first > MOST_EVENTS) {
      this.#bytes -= this.#events[this.#first]?.bytes ?? 0;
      this.#first++;
    }
    if (this.#first < MOST_EVENTS) return;
    this.#events = this.#events.slice(this.#first);
    this.#first = 0;
  }
}
