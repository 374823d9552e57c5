import type { ServerFrame } from '../../protocol/frames.ts';
import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import type { Heartbeat } from '../dialect/dialect.ts';
import type { UplinkStore } from '../uplink-store.ts';
import { ClockOffset, type OffsetEstimate } from './clock-offset.ts';
import { isClockSynced } from './time-sync.ts';

/** How old the told use of the disk may be; asking the store costs it a moment. */
const DISK_MS = 10_000;
/** Heartbeats without an answer that are remembered. */
const MAX_WAITING = 16;

/** What heartbeats tell the hub and learn from its answers, over all connections of this process. */
export class Heartbeats {
  readonly #store: UplinkStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #offset = new ClockOffset();
  /** Monotonic times of sending, by request id. */
  readonly #waiting = new Map<string, number>();
  #sent = 0;
  #disk: Heartbeat['disk'] = null;
  #diskSinceMs = Number.NEGATIVE_INFINITY;

  constructor(store: UplinkStore, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  get offset(): OffsetEstimate | null {
    return this.#offset.estimate;
  }

  /** The next one, sent now. */
  next(pending: Readonly<Record<string, number>>): Heartbeat {
    const nowMs = this.#clock.monotonicMs();
    this.#refreshDisk(nowMs);
    const requestId = `hb-${++this.#sent}`;
    this.#waiting.set(requestId, nowMs);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > MAX_WAITING && oldest !== undefined) this.#waiting.delete(oldest);
    return {
      requestId,
      pending,
      disk: this.#disk,
      isClockSynced: isClockSynced(),
      offset: this.offset,
    };
  }

  onAck({ request_id: requestId, data }: Extract<ServerFrame, { type: 'heartbeat_ack' }>): void {
    const sentMono = requestId === undefined ? undefined : this.#waiting.get(requestId);
    if (requestId === undefined || sentMono === undefined) return;
    this.#waiting.delete(requestId);
    this.#offset.add({
      sentMono,
      receivedWall: data.received_time ?? data.server_time,
      answeredWall: data.server_time,
      backMono: this.#clock.monotonicMs(),
    });
  }

  #refreshDisk(nowMs: number): void {
    if (nowMs - this.#diskSinceMs < DISK_MS) return;
    this.#diskSinceMs = nowMs;
    this.#store.queue().then(
      ({ disk: { used, budget } }) => {
        this.#disk = { used, budget };
      },
      (error: unknown) => this.#log.debug({ err: error }, 'use of the disk not known'),
    );
  }
}
