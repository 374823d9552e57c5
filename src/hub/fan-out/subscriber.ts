import { CLOSE_CODES } from '../../protocol/close-codes.ts';
import type { Clock } from '../../system/clock.ts';
import type { EventFilter, EventPage, ReadEvents } from '../store/requests.ts';
import { type EventFrame, type LiveEvent, storedEvent } from './live-event.ts';

/** Where a subscriber's frames go. */
export interface FrameSink {
  /** Bytes that were sent and have not left this process. */
  readonly bufferedBytes: number;
  show(event: EventFrame): void;
  fail(code: typeof CLOSE_CODES.tryLater, reason: string): void;
}

export interface SubscriberSource {
  readonly clock: Clock;
  /** Newest event that was given to live subscribers. */
  publishedThrough(): number;
  /** Null where it is not wanted any more when its turn comes. */
  read(read: ReadEvents, isWanted: () => boolean): Promise<EventPage | null>;
}

const MIB = 1024 * 1024;

export const PACING = {
  /** Live push stops above this, and the subscriber reads from the table instead. */
  liveBytes: MIB,
  /** The table is read on below this. */
  resumeBytes: 256 * 1024,
  maxBytes: 8 * MIB,
  maxBlockedMs: 30_000,
  pollMs: 50,
} as const;

/** Whether a subscriber that reads from the table gets more now. */
export function pace(bufferedBytes: number, blockedMs: number): 'send' | 'wait' | 'give_up' {
  if (bufferedBytes <= PACING.resumeBytes) return 'send';
  if (bufferedBytes > PACING.maxBytes || blockedMs > PACING.maxBlockedMs) return 'give_up';
  return 'wait';
}

/**
 * One subscription: sees every event that passes its filter once, in the order of event ids.
 *
 * Live while it keeps up. Otherwise it reads from the event table at its own pace, so what waits for a slow
 * reader waits on disk and not in memory.
 */
export class Subscriber {
  readonly #sink: FrameSink;
  readonly filter: EventFilter;
  readonly #source: SubscriberSource;
  #mode: 'live' | 'catching_up' | 'stopped' = 'live';
  /**
   * Everything up to this event id was sent or did not pass the filter. While it is live that holds for all that was
   * published.
   */
  #cursor: number;

  constructor(sink: FrameSink, filter: EventFilter, source: SubscriberSource) {
    this.#sink = sink;
    this.filter = filter;
    this.#source = source;
    this.#cursor = source.publishedThrough();
  }

  /** Goes back to an event id and sends what came after it first. */
  resumeAfter(eventId: number): void {
    // An id that is yet to come belongs to another hub's history; nothing may be skipped for it.
    this.#cursor = Math.min(eventId, this.#cursor);
    this.#beginCatchUp();
  }

  stop(): void {
    this.#mode = 'stopped';
  }

  /** Takes a new event that passes the filter. */
  offer(event: LiveEvent): void {
    // What was read from the table may be ahead of what is published.
    if (this.#mode !== 'live' || event.eventId <= this.#cursor) return;
    if (this.#sink.bufferedBytes > PACING.liveBytes) this.fallBehind(event.eventId - 1);
    else this.#sink.show(event.within(this.filter.scopes));
  }

  /** Continues from the table, until it has come to the newest event. @param published the newest that it was offered */
  fallBehind(published: number): void {
    if (this.#mode !== 'live') return;
    this.#cursor = Math.max(this.#cursor, published);
    this.#beginCatchUp();
  }

  #beginCatchUp(): void {
    if (this.#mode !== 'live') return;
    this.#mode = 'catching_up';
    this.#catchUp().catch(() => {
      // The table cannot be read now; the client comes back with its last event id.
      if (this.#mode === 'catching_up') this.#giveUp('the event table cannot be read');
    });
  }

  async #catchUp(): Promise<void> {
    let blockedSinceMs = this.#nowMs();
    while (this.#mode === 'catching_up') {
      const verdict = pace(this.#sink.bufferedBytes, this.#nowMs() - blockedSinceMs);
      if (verdict === 'give_up') return this.#giveUp('the subscriber reads too slowly');
      if (verdict === 'wait') {
        await this.#pause();
        continue;
      }
      await this.#sendPage();
      blockedSinceMs = this.#nowMs();
    }
  }

  async #sendPage(): Promise<void> {
    const isWanted = () => this.#mode === 'catching_up';
    const read = { afterEventId: this.#cursor, ...this.filter };
    const page = await this.#source.read(read, isWanted);
    if (page === null || !isWanted()) return;
    for (const frame of page.frames) this.#sink.show(storedEvent(frame));
    this.#cursor = page.throughEventId;
    if (this.#cursor >= this.#source.publishedThrough()) this.#mode = 'live';
  }

  #giveUp(reason: string): void {
    this.#mode = 'stopped';
    this.#sink.fail(CLOSE_CODES.tryLater, reason);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#source.clock.setTimeout(resolve, PACING.pollMs);
    });
  }

  #nowMs(): number {
    return this.#source.clock.monotonicMs();
  }
}
