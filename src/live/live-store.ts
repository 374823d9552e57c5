import { randomUUID } from 'node:crypto';
import type { SessionStore } from '../hub/store/event-store.ts';
import type { IdentifiedClient } from '../hub/store/requests.ts';
import { ApexError } from '../system/errors.ts';
import type { LiveEvents } from './live-events.ts';

/**
 * The place of events behind sessions of viewers at a box. A box takes messages of nobody: no token of it is for an
 * `ai_engine`, and no client id of one is admitted.
 */
export class LiveStore implements SessionStore {
  readonly #events: LiveEvents;

  constructor(events: LiveEvents) {
    this.#events = events;
  }

  get storeId(): string {
    return this.#events.storeId;
  }

  get oldestEventId(): number {
    return this.#events.oldestEventId;
  }

  claimEdge(): boolean {
    return false;
  }

  /** Viewers number no messages: there is nothing to go on with, and nothing to prove. */
  async identify(): Promise<IdentifiedClient> {
    const sessionToken = { text: randomUUID(), number: 1 };
    return { verdict: 'renewed', sessionToken, streams: [], purged: 0 };
  }

  async store(): Promise<never> {
    throw new ApexError('INTERNAL', 'a box takes messages of nobody');
  }

  async confirm(): Promise<null> {
    return null;
  }
}
