import type { FlowCredit, MessageBatch } from '../../protocol/batch.ts';
import type { ServerFrame } from '../../protocol/frames.ts';
import { mayDeliver } from '../door/permissions.ts';
import type { SessionContext } from '../hub-context.ts';
import type { AdmittedClient } from '../session/dialect.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { DeviceClock } from './device-clock.ts';
import { FlowControl } from './flow-control.ts';
import { judgeBatch } from './ingest.ts';

export interface DeliveryOptions {
  readonly client: AdmittedClient;
  readonly hub: SessionContext;
  readonly deviceClock: DeviceClock;
  readonly send: (frame: ServerFrame) => void;
  /** A batch was committed and acknowledged. */
  readonly onProgress: () => void;
  /** A batch could not be stored; nothing of it is acknowledged. */
  readonly onFailed: (error: unknown) => void;
  readonly setReading: (isReading: boolean) => void;
  readonly onAbuse: () => void;
}

/** What one client delivered on its connection, and how many messages it may have in flight. */
export interface DeliveryStatistics {
  readonly messages: number;
  /** Null where there is no credit: a client that receives, or of the original protocol. */
  readonly credit: number | null;
}

/** What one client delivers: judged, stored, acknowledged after the commit, then passed on. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #flow: FlowControl;
  readonly #acknowledgements: Acknowledgements;
  #delivered = 0;
  #messages = 0;
  #bytes = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { hub, send, setReading, onAbuse } = options;
    const { clock, limits, load, counters } = hub;
    this.#flow = new FlowControl({
      load,
      limits,
      clock,
      setReading,
      onAbuse,
      uncommitted: () => ({ messages: this.#messages, bytes: this.#bytes }),
      tell: (data) => {
        counters.flowUpdates++;
        send({ type: 'flow_update', timestamp: clock.wallMs(), data });
      },
    });
    this.#acknowledgements = new Acknowledgements({
      credit: () => this.#flow.announce(),
      wallMs: () => clock.wallMs(),
      send: (frame) => {
        if (frame.type === 'batch_ack') counters.acksSent++;
        else counters.resyncs++;
        send(frame);
      },
    });
  }

  /** Nothing waits for its commit or its acknowledgement. */
  get isIdle(): boolean {
    return this.#messages === 0;
  }

  get isThrottled(): boolean {
    return this.#flow.isThrottled;
  }

  get statistics(): DeliveryStatistics {
    return { messages: this.#delivered, credit: this.#flow.creditMessages };
  }

  /** What the client is told that it may send. */
  announceCredit(): FlowCredit {
    return this.#flow.announce();
  }

  /** Takes a batch; `bytes` is the size of its frame, inflated. */
  receive(frame: MessageBatch, bytes: number): void {
    const { client, deviceClock, hub, onFailed } = this.#options;
    const { clientId, scopes } = client;
    const { store, clock, load, counters, bus, streams } = hub;
    const { epoch, lane, first_seq: firstSeq } = frame.data;
    const timeOf = (wallMs: number, monoMs: number) => deviceClock.judge(epoch, wallMs, monoMs);
    const { items, rejected } = judgeBatch(frame.data.items, firstSeq, {
      timeOf,
      mayDeliver: (type, cameras) => mayDeliver(scopes, type, cameras),
    });
    counters.forbidden += rejected.filter(({ code }) => code === 'forbidden').length;
    const stream = { epoch, lane, firstSeq };
    const batch = { clientId, stream, receivedMs: clock.wallMs(), items };
    const begunMs = clock.monotonicMs();
    this.#delivered += items.length;
    this.#messages += items.length;
    this.#bytes += bytes;
    load.received(bytes);
    this.#flow.received(items.length);
    // A client's batches are stored in the order of these calls, and all promises settle in the order of the
    // commits, which keeps acknowledgements and event ids ascending.
    store.store(batch).then(
      (stored) => {
        this.#settle(items.length, bytes);
        load.committed(clock.monotonicMs() - begunMs);
        this.#acknowledgements.add(frame, stored, rejected);
        counters.stored(items, stored);
        streams.delivered({ edgeId: clientId, scopes }, items, stored.eventIds);
        bus.publish({ batch, eventIds: stored.eventIds });
        this.#flow.settled();
        this.#onSettled();
      },
      (error: unknown) => {
        this.#settle(items.length, bytes);
        onFailed(error);
      },
    );
  }

  stop(): void {
    this.#flow.stop();
  }

  #settle(messages: number, bytes: number): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
    this.#options.hub.load.settled(bytes);
  }

  #onSettled(): void {
    // Whoever waits for the end of the commits closes the connection behind the last acknowledgement.
    if (this.isIdle) this.#acknowledgements.flush();
    this.#options.onProgress();
  }
}
