import type { EventFilter } from '../store/requests.ts';
import { type EventTraits, matches } from './event-filter.ts';

/** Types and camera ids are of the clients' making, so what is remembered about them is bounded. */
const MAX_ROUTES = 4096;

/**
 * Which subscribers an event concerns. Worked out once for each kind of event (type, cameras, severity), so that an
 * event costs those who want it and not all who are connected.
 */
export class EventRoutes<Subscriber extends { readonly filter: EventFilter }> {
  readonly #subscribers = new Set<Subscriber>();
  readonly #routes = new Map<string, readonly Subscriber[]>();

  get size(): number {
    return this.#subscribers.size;
  }

  add(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
    this.#routes.clear();
  }

  remove(subscriber: Subscriber): void {
    if (this.#subscribers.delete(subscriber)) this.#routes.clear();
  }

  all(): Iterable<Subscriber> {
    return this.#subscribers;
  }

  to({ type, cameras, severity }: EventTraits): readonly Subscriber[] {
    const key = JSON.stringify([type, severity, ...cameras]);
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    const traits = { type, cameras, severity };
    const route = [...this.#subscribers].filter(({ filter }) => matches(filter, traits));
    this.#routes.set(key, route);
    return route;
  }
}
