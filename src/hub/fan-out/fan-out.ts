import type { Clock } from '../../system/clock.ts';
import type { EventFilter, EventPage, ReadEvents } from '../store/requests.ts';
import { EVENT_STATUS } from '../store/schema.ts';
import type { EventBus, StoredEvents } from './event-bus.ts';
import { EventRoutes } from './event-routes.ts';
import { liveEvent } from './live-event.ts';
import { type FrameSink, Subscriber, type SubscriberSource } from './subscriber.ts';

export interface FanOutOptions {
  readonly clock: Clock;
  readonly read: (read: ReadEvents) => Promise<EventPage>;
  /** Newest event in the table. */
  readonly lastEventId: number;
  /** Where the stored batches of all hub processes come from. */
  readonly bus: EventBus;
}

/** Gives stored events to subscribers: one serialisation per event, however many want it. */
export class FanOut {
  readonly #subscribers = new Map<FrameSink, Subscriber>();
  readonly #routes = new EventRoutes<Subscriber>();
  readonly #source: SubscriberSource;
  #publishedThrough: number;
  #reads: Promise<unknown> = Promise.resolve();

  constructor({ clock, read, lastEventId, bus }: FanOutOptions) {
    bus.listen((events) => this.#publish(events));
    this.#publishedThrough = lastEventId;
    this.#source = {
      clock,
      publishedThrough: () => this.#publishedThrough,
      // One read at a time, in turns: many subscribers that resume together come forward together.
      read: (request, isWanted) => {
        const page = this.#reads.then(() => (isWanted() ? read(request) : null));
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
    this.#routes.add(subscriber);
    if (afterEventId !== undefined) subscriber.resumeAfter(afterEventId);
  }

  unsubscribe(sink: FrameSink): void {
    const subscriber = this.#subscribers.get(sink);
    if (subscriber === undefined) return;
    subscriber.stop();
    this.#routes.remove(subscriber);
    this.#subscribers.delete(sink);
  }

  #publish({ batch, eventIds }: StoredEvents): void {
    for (const [index, eventId] of eventIds.entries()) {
      const item = batch.items[index];
      if (eventId === 0 || item === undefined) continue;
      // Ids have no holes. One means that events were committed by a store thread that died before it said so.
      if (eventId !== this.#publishedThrough + 1)
        for (const subscriber of this.#routes.all()) subscriber.fallBehind(this.#publishedThrough);
      this.#publishedThrough = eventId;
      const isShown = item.status === EVENT_STATUS.ok || item.status === EVENT_STATUS.opaque;
      if (!isShown || this.#routes.size === 0) continue;
      const event = liveEvent(batch, item, eventId);
      for (const subscriber of this.#routes.to(event)) subscriber.offer(event);
    }
  }
}
