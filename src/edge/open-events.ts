import type { OpenEvent, Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';

/** Events that were open when the last daemon died: nobody saw them end, so they end where they were last seen. */
export class LeftOpenEvents {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  #left: readonly OpenEvent[] = [];

  private constructor(store: Store, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** To be called before this daemon begins events of its own. */
  static async find(store: Store, clock: Clock, log: Logger): Promise<LeftOpenEvents> {
    const events = new LeftOpenEvents(store, clock, log);
    events.#left = await store.openEvents();
    if (events.#left.length > 0)
      log.warn({ events: events.#left.length }, 'events left open by a crash');
    return events;
  }

  /** Ends what is left. What the store does not take now, because it is full, is tried again by the next call. */
  async end(): Promise<void> {
    const waiting = this.#left;
    this.#left = [];
    const kept: OpenEvent[] = [];
    for (const open of waiting) {
      try {
        await this.#endOne(open);
      } catch (error) {
        kept.push(open);
        this.#log.error({ err: error, event_id: open.event.event_id }, 'open event not ended yet');
      }
    }
    this.#left = kept;
  }

  #endOne({ event, snapshotPath }: OpenEvent): Promise<void> {
    const wallMs = this.#clock.wallMs();
    return this.#store.recordEvent(
      {
        ...event,
        phase: 'end',
        end_time: event.last_seen_time,
        end_reason: 'restart',
        timestamp: wallMs,
      },
      { wallMs, monoMs: this.#clock.monotonicMs(), snapshotPath },
    );
  }
}
