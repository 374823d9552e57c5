import type { EventHistory } from './event-store.ts';
import type { HistoryPage, HistoryQuery } from './history-query.ts';
import { ReadThread, type ReadThreadLimits, type ReadThreadOptions } from './read-thread.ts';
import type { EventPage, ReadEvents } from './requests.ts';

/** Queries that wait for their turn; more are sent away. */
const QUERIES: ReadThreadLimits = { perAsker: 8, inAll: 64, deadlineMs: 5000 };
/** Pages of those who catch up, which ask one at a time; as long as a slow reader is waited for. */
const PAGES: ReadThreadLimits = { perAsker: 64, inAll: 64, deadlineMs: 30_000 };
/** In whose name they are asked for. */
const FAN_OUT = 'fan-out';

/**
 * Reads what the hub has stored. Subscribers that catch up have a thread of their own: whatever is looked for over
 * HTTP, their events wait for none of it.
 */
export class HubHistory implements EventHistory {
  readonly #queries: ReadThread;
  readonly #pages: ReadThread;

  constructor(options: ReadThreadOptions) {
    this.#queries = new ReadThread(options, QUERIES);
    this.#pages = new ReadThread(options, PAGES);
  }

  page(query: HistoryQuery, asker: string): Promise<HistoryPage> {
    return this.#queries.ask(asker, { op: 'history', query });
  }

  follow(read: ReadEvents): Promise<EventPage> {
    return this.#pages.ask(FAN_OUT, { op: 'follow', read });
  }

  async close(): Promise<void> {
    await Promise.all([this.#queries.close(), this.#pages.close()]);
  }
}
