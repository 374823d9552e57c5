import type { Clock } from '../../system/clock.ts';
import { eventFrame } from '../store/event-frame.ts';
import type { EventFilter, EventPage, ReadEvents, StoreBatch } from '../store/requests.ts';
import { EVENT_STATUS } from '../store/schema.ts';
import { type FrameSink, type LiveEvent, Subscriber, type SubscriberSource } from './subscriber.ts';

export interface FanOutOptions {
  readonly clock: Clock;
  readonly read: (read: ReadEvents) => Promise<EventPage>;
  /** Newest event in the table. */
  readonly lastEventId: number;
}

/** Gives stored events to subscribers: one serialisation per event, however many want it. */
export class FanOut {
  readonly #subscribers = new Map<FrameSink, Subscriber>();
  readonly #source: SubscriberSource;
  #publishedThrough: number;
  #reads: Promise<unknown> = Promise.resolve();

  constructor({ clock, read, lastEventId }: FanOutOptions) {
    this.#publishedThrough = lastEventId;
    this.#source = {
      clock,
      publishedThrough: () => this.#publishedThrough,
      // One read at a time: many subscribers that resume together must not hold up the commits.
      read: (request) => {
        const page = this.#reads.then(() => read(request));
        this.#reads = page.catch(() => undefined);
        return page;
      },
    };
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  get publishedThrough(): number {
    return this.#publishedThrough;
  }

  /** Replaces the sink's subscription. With `afterEventId` it starts with what was stored after that event. */
  subscribe(sink: FrameSink, filter: EventFilter, afterEventId: number | undefined): void {
    this.unsubscribe(sink);
    const subscriber = new Subscriber(sink, filter, this.#source);
    this.#subscribers.set(sink, subscriber);
    if (afterEventId !== undefined) subscriber.resumeAfter(afterEventId);
  }

  unsubscribe(sink: FrameSink): void {
    this.#subscribers.get(sink)?.stop();
    this.#subscribers.delete(sink);
  }

  /** Passes on a batch that is on disk. Call it once per stored batch, in the order of the commits. */
  publish(batch: StoreBatch, eventIds: readonly number[]): void {
    for (const [index, eventId] of eventIds.entries()) {
      const item = batch.items[index];
      if (eventId === 0 || item === undefined) continue;
      // Ids have no holes. One means that events were committed by a store thread that died before it said so.
      if (eventId !== this.#publishedThrough + 1)
        for (const subscriber of this.#subscribers.values()) subscriber.fallBehind();
      this.#publishedThrough = eventId;
      const isShown = item.status === EVENT_STATUS.ok || item.status === EVENT_STATUS.opaque;
      if (isShown && this.#subscribers.size > 0) this.#offer(liveEvent(batch, item, eventId));
    }
  }

  #offer(event: LiveEvent): void {
    for (const subscriber of this.#subscribers.values()) subscriber.offer(event);
  }
}

function liveEvent(
  { clientId }: StoreBatch,
  item: StoreBatch['items'][number],
  eventId: number,
): LiveEvent {
  let frame: Buffer | undefined;
  return {
    eventId,
    type: item.type,
    cameraId: item.cameraId,
    frame() {
      frame ??= Buffer.from(
        eventFrame({ ...item, deviceMs: item.deviceMs ?? 0, eventId, clientId }),
      );
      return frame;
    },
  };
}
