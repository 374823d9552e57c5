import type { StoreBatch } from '../store/requests.ts';

/** A batch that is on disk, and the event id of each of its items; 0 for those that were stored before. */
export interface StoredEvents {
  readonly batch: StoreBatch;
  readonly eventIds: readonly number[];
}

/**
 * Brings stored batches to the subscribers of every process that shares the store: each batch once, in the order of
 * its event ids. What gets lost on the way shows as a hole in the ids, and is read from the table.
 */
export interface EventBus {
  publish(events: StoredEvents): void;
  listen(listener: (events: StoredEvents) => void): void;
}

/** The bus of a hub that is one process. */
export class LocalEventBus implements EventBus {
  readonly #listeners: ((events: StoredEvents) => void)[] = [];

  publish(events: StoredEvents): void {
    for (const listener of this.#listeners) listener(events);
  }

  listen(listener: (events: StoredEvents) => void): void {
    this.#listeners.push(listener);
  }
}
