import type { JournalIntake } from '../journal/contract.ts';
import type { ObjectEvent } from '../protocol/payloads.ts';
import type { OpenEvent, Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';

export interface LeftOpenEventsDeps {
  readonly store: Pick<Store, 'openEvents' | 'recordEvent'>;
  readonly journal: Pick<JournalIntake, 'event'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Events that were open when the last daemon died: nobody saw them end, so they end where they were last seen. */
export class LeftOpenEvents {
  readonly #deps: LeftOpenEventsDeps;
  #left: readonly OpenEvent[] = [];

  private constructor(deps: LeftOpenEventsDeps) {
    this.#deps = deps;
  }

  /** To be called before this daemon begins events of its own. */
  static async find(deps: LeftOpenEventsDeps): Promise<LeftOpenEvents> {
    const events = new LeftOpenEvents(deps);
    events.#left = await deps.store.openEvents();
    if (events.#left.length > 0)
      deps.log.warn({ events: events.#left.length }, 'events left open by a crash');
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
        this.#deps.log.error(
          { err: error, event_id: open.event.event_id },
          'open event not ended yet',
        );
      }
    }
    this.#left = kept;
  }

  async #endOne({ event, snapshotPath }: OpenEvent): Promise<void> {
    const { store, journal, clock } = this.#deps;
    const wallMs = clock.wallMs();
    const ended: ObjectEvent = {
      ...event,
      phase: 'end',
      end_time: event.last_seen_time,
      end_reason: 'restart',
      timestamp: wallMs,
    };
    await store.recordEvent(ended, { wallMs, monoMs: clock.monotonicMs(), snapshotPath });
    journal.event(ended);
  }
}
