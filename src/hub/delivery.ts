import type { MessageBatch } from '../protocol/batch.ts';
import type { ServerFrame } from '../protocol/frames.ts';
import type { Clock } from '../system/clock.ts';
import type { HubCounters } from './counters.ts';
import { CREDIT, isOverCredit } from './credit.ts';
import type { FanOut } from './fan-out.ts';
import { judgeBatch, type Rejection } from './ingest.ts';
import { replyTo } from './server-frames.ts';
import type { HubStore } from './store/hub-store.ts';
import type { StoredBatch, StoredItem } from './store/requests.ts';
import { EVENT_STATUS } from './store/schema.ts';

export interface DeliveryOptions {
  readonly clientId: string;
  readonly store: HubStore;
  readonly fanOut: FanOut;
  readonly counters: HubCounters;
  readonly clock: Clock;
  readonly send: (frame: ServerFrame) => void;
  /** A batch was committed and acknowledged. */
  readonly onProgress: () => void;
  /** A batch could not be stored; nothing of it is acknowledged. */
  readonly onFailed: (error: unknown) => void;
}

/** What one client delivers: judged, stored, acknowledged after the commit, then passed on. */
export class Delivery {
  readonly #options: DeliveryOptions;
  #messages = 0;
  #bytes = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Nothing waits for its commit. */
  get isIdle(): boolean {
    return this.#messages === 0;
  }

  get isOverCredit(): boolean {
    return isOverCredit({ messages: this.#messages, bytes: this.#bytes });
  }

  /** Takes a batch; `bytes` is the size of its frame. */
  receive(frame: MessageBatch, bytes: number): void {
    const { clock, store, clientId, onFailed } = this.#options;
    const { epoch, lane, first_seq: firstSeq } = frame.data;
    const { items, rejected } = judgeBatch(frame.data.items, firstSeq);
    const batch = { clientId, epoch, lane, firstSeq, receivedMs: clock.wallMs(), items };
    this.#messages += items.length;
    this.#bytes += bytes;
    // Batches are stored in the order of these calls, and their promises settle in it, which keeps
    // acknowledgements and event ids ascending.
    store.store(batch).then(
      (stored) => {
        this.#settle(items.length, bytes);
        this.#acknowledge(frame, stored, rejected);
        this.#count(items, stored);
        this.#options.fanOut.publish(batch, stored.eventIds);
        this.#options.onProgress();
      },
      (error: unknown) => {
        this.#settle(items.length, bytes);
        onFailed(error);
      },
    );
  }

  #settle(messages: number, bytes: number): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
  }

  #acknowledge(frame: MessageBatch, stored: StoredBatch, rejected: readonly Rejection[]): void {
    const { send, clock } = this.#options;
    const { epoch, lane } = frame.data;
    const head = { timestamp: clock.wallMs(), ...replyTo(frame) };
    send({
      ...head,
      type: 'batch_ack',
      data: {
        acks: [{ epoch, lane, acked_through: stored.ackedThrough }],
        rejected: rejected.filter(({ seq }) => seq <= stored.ackedThrough),
        flow: CREDIT,
      },
    });
    if (stored.expectedSeq === null) return;
    const data = { epoch, lane, expected_seq: stored.expectedSeq, reason: 'sequence_gap' };
    send({ ...head, type: 'resync_required', data });
  }

  #count(items: readonly StoredItem[], stored: StoredBatch): void {
    const { counters } = this.#options;
    counters.batches++;
    counters.duplicates += stored.duplicates;
    if (stored.expectedSeq !== null) counters.resyncs++;
    for (const [index, eventId] of stored.eventIds.entries()) {
      if (eventId === 0) continue;
      const status = items[index]?.status;
      if (status === EVENT_STATUS.gap) counters.gaps++;
      else counters.messagesStored++;
      if (status === EVENT_STATUS.quarantined) counters.quarantined++;
    }
  }
}
