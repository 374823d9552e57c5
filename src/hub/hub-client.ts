import type { MessageBatch } from '../protocol/batch.ts';
import type { ClientFrame, ServerFrame } from '../protocol/frames.ts';
import type { ClientIdentify } from '../protocol/session.ts';
import type { Subscribe } from '../protocol/subscription.ts';
import type { Logger } from '../system/logger.ts';
import { Delivery } from './delivery.ts';
import { filterOf } from './event-filter.ts';
import type { HubContext } from './hub-context.ts';
import { type RepliedFrame, replyTo } from './server-frames.ts';
import type { FrameSink } from './subscriber.ts';

/** The connection as its client's frames see it. */
export interface ClientChannel extends FrameSink {
  reply(frame: ServerFrame): void;
  reject(code: string, message: string, frame: RepliedFrame): void;
  /** Reads no further from the socket, or goes on. */
  setReading(isReading: boolean): void;
  /** Everything that the client delivered is committed and acknowledged. */
  onIdle(): void;
  onStoreFailure(error: unknown): void;
}

export type IdentifiedFrame = Exclude<ClientFrame, ClientIdentify>;

/** An admitted client: what its frames do. An `ai_engine` delivers, the others subscribe. */
export class HubClient {
  readonly #channel: ClientChannel;
  readonly #hub: HubContext;
  readonly #log: Logger;
  readonly #delivery: Delivery | undefined;

  constructor(identity: ClientIdentify['data'], channel: ClientChannel, hub: HubContext) {
    const { client_id: clientId, client_type: clientType } = identity;
    this.#channel = channel;
    this.#hub = hub;
    this.#log = hub.log.child({ client_id: clientId, client_type: clientType });
    if (clientType !== 'ai_engine') return;
    this.#delivery = new Delivery({
      clientId,
      store: hub.store,
      fanOut: hub.fanOut,
      counters: hub.counters,
      clock: hub.clock,
      send: (frame) => channel.reply(frame),
      onProgress: () => this.#onProgress(),
      onFailed: (error) => channel.onStoreFailure(error),
    });
  }

  /** Nothing waits for its commit. */
  get isIdle(): boolean {
    return this.#delivery?.isIdle ?? true;
  }

  /** `bytes` is the size of the frame's text. */
  handle(frame: IdentifiedFrame, bytes: number): void {
    switch (frame.type) {
      case 'heartbeat':
        this.#acknowledgeHeartbeat(frame);
        break;
      case 'message_batch':
        this.#receive(frame, bytes);
        break;
      case 'subscribe':
        this.#subscribe(frame);
        break;
      case 'unsubscribe':
        this.#hub.fanOut.unsubscribe(this.#channel);
        this.#confirmSubscription(frame, { types: [], cameras: [] });
        break;
      case 'client_goodbye':
        this.#log.info({ pending: frame.data.pending ?? {} }, 'client says goodbye');
        break;
      case 'error':
        this.#log.warn({ code: frame.data.code, text: frame.data.message }, 'client error');
        break;
      default:
        this.#channel.reject('not_supported', `this hub does not route ${frame.type}`, frame);
    }
  }

  #acknowledgeHeartbeat(frame: Extract<IdentifiedFrame, { type: 'heartbeat' }>): void {
    const now = this.#hub.clock.wallMs();
    const data = { client_timestamp: frame.timestamp, server_time: now };
    this.#channel.reply({ type: 'heartbeat_ack', timestamp: now, ...replyTo(frame), data });
  }

  #receive(frame: MessageBatch, bytes: number): void {
    const delivery = this.#delivery;
    if (delivery === undefined) {
      this.#channel.reject('forbidden', 'only an ai_engine delivers messages', frame);
      return;
    }
    delivery.receive(frame, bytes);
    if (delivery.isOverCredit) this.#channel.setReading(false);
  }

  #onProgress(): void {
    if (this.#delivery?.isOverCredit === false) this.#channel.setReading(true);
    if (this.isIdle) this.#channel.onIdle();
  }

  #subscribe(frame: Subscribe): void {
    if (this.#delivery !== undefined) {
      this.#channel.reject('forbidden', 'an ai_engine does not subscribe', frame);
      return;
    }
    this.#confirmSubscription(frame, frame.data);
    this.#hub.fanOut.subscribe(this.#channel, filterOf(frame.data), frame.data.after_event_id);
  }

  #confirmSubscription(
    frame: RepliedFrame,
    { types, cameras }: { types: string[]; cameras: string[] },
  ): void {
    const data = { types, cameras, last_event_id: this.#hub.fanOut.publishedThrough };
    const timestamp = this.#hub.clock.wallMs();
    this.#channel.reply({ type: 'subscription_success', timestamp, ...replyTo(frame), data });
  }
}
