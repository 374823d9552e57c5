import { randomUUID } from 'node:crypto';
import { parseLegacyClientFrame } from '../../protocol/codec.ts';
import {
  isLegacyMessage,
  type LegacyClientFrame,
  type LegacyMessage,
  msOfSeconds,
  secondsOfMs,
} from '../../protocol/legacy.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { Logger } from '../../system/logger.ts';
import { maySend } from '../door/permissions.ts';
import { everythingWithin } from '../fan-out/event-filter.ts';
import type { FrameSink } from '../fan-out/subscriber.ts';
import type { SessionContext } from '../hub-context.ts';
import type { DeliveryStatistics } from '../ingest/delivery.ts';
import { FlowControl } from '../ingest/flow-control.ts';
import type {
  AdmittedClient,
  ClientChannel,
  Conversation,
  RequestId,
  Welcome,
} from '../session/dialect.ts';
import { faultCode } from '../session/fault-codes.ts';
import { StreamPeer } from '../streams/stream-peer.ts';
import { legacyEvent } from './legacy-event.ts';
import { legacyFrame } from './legacy-frame.ts';
import { legacyItem } from './legacy-item.ts';
import {
  isLegacyRequest,
  legacyAnswerOf,
  legacyRequestOf,
  legacyWording,
} from './legacy-streams.ts';

export interface LegacyIntroduction {
  readonly requestId: RequestId;
  /** It named itself, and does not go by the name of its token. */
  readonly hasOwnId: boolean;
}

/**
 * A client of the original protocol. An `ai_engine` sends single messages that nobody acknowledges; every other
 * client gets all events as they happen, for there is no way to ask for less.
 *
 * Such a client is not closed for breaking rules that it does not know. One that sends too much is not read from
 * for a while, and its messages wait in the network.
 */
export class LegacyClient implements Conversation {
  readonly #client: AdmittedClient;
  readonly #requestId: RequestId;
  readonly #channel: ClientChannel;
  readonly #hub: SessionContext;
  readonly #log: Logger;
  /** Of a client that delivers. */
  readonly #flow: FlowControl | undefined;
  readonly #viewer: FrameSink;
  #delivered = 0;
  readonly #streams: StreamPeer;
  #messages = 0;
  #bytes = 0;
  /** The client's clock less the hub's, as far as a heartbeat told. */
  #clockErrorMs = 0;

  constructor(
    client: AdmittedClient,
    { requestId, hasOwnId }: LegacyIntroduction,
    channel: ClientChannel,
    hub: SessionContext,
  ) {
    const { clientId, clientType } = client;
    this.#client = client;
    this.#requestId = requestId;
    this.#channel = channel;
    this.#hub = hub;
    this.#log = hub.log.child({ client_id: client.clientId, protocol: 'legacy' });
    this.#streams = new StreamPeer({
      client,
      // Programs that share the name of a token number their requests alike.
      askerKey: hasOwnId ? `${clientType}/${clientId}` : `legacy/${randomUUID()}`,
      channel,
      hub,
      wording: legacyWording(hub.clock),
    });
    if (clientType === 'ai_engine') this.#flow = this.#flowControl();
    this.#viewer = {
      get bufferedBytes() {
        return channel.bufferedBytes;
      },
      show: (event) => this.#show(legacyEvent(event)),
      fail: (code, reason) => channel.fail(code, reason),
    };
  }

  get isIdle(): boolean {
    return this.#messages === 0;
  }

  get isThrottled(): boolean {
    return this.#flow?.isThrottled ?? false;
  }

  get statistics(): DeliveryStatistics {
    return { messages: this.#delivered, credit: null };
  }

  welcome({ nowMs }: Welcome): string {
    const { clientId, clientType, scopes } = this.#client;
    if (clientType !== 'ai_engine')
      this.#hub.fanOut.subscribe(this.#viewer, everythingWithin(scopes), undefined);
    this.#streams.begin();
    const data = {
      client_id: clientId,
      client_type: clientType,
      server_time: secondsOfMs(nowMs),
    };
    return legacyFrame('identification_success', data, nowMs, this.#requestId);
  }

  onText(text: string, bytes: number): void {
    const result = parseLegacyClientFrame(text);
    if (result.ok) this.#onFrame(result.frame, bytes);
    else this.#channel.reject(faultCode(result), result.message, result.requestId);
  }

  onBinary(): void {
    this.#channel.reject('invalid_frame', 'binary frames were not offered', undefined);
  }

  stop(): void {
    this.#flow?.stop();
    this.#streams.end();
    this.#hub.fanOut.unsubscribe(this.#viewer);
  }

  #show(text: string | null): void {
    if (text !== null) this.#channel.send(text);
  }

  #onFrame(frame: LegacyClientFrame, bytes: number): void {
    const refusal = maySend(this.#client, frame);
    if (refusal !== null) {
      this.#hub.counters.forbidden++;
      this.#reject(refusal.code, refusal.message, frame);
    } else if (isLegacyMessage(frame)) this.#receive(frame, bytes);
    else if (frame.type === 'heartbeat') this.#acknowledgeHeartbeat(frame);
    else if (frame.type === 'error') this.#onError(frame);
    else if (frame.type === 'client_identify')
      this.#reject('already_identified', 'a connection identifies itself once', frame);
    else if (isLegacyRequest(frame)) this.#ask(frame);
    else this.#streams.answered(legacyAnswerOf(frame));
  }

  #ask(frame: LegacyClientFrame): void {
    const request = legacyRequestOf(frame);
    if (typeof request === 'string') this.#reject('invalid_frame', request, frame);
    else this.#streams.ask(request, frame.request_id);
  }

  /** One about an order is an answer to it. */
  #onError(frame: LegacyClientFrame): void {
    const answer = legacyAnswerOf(frame);
    if (this.#flow !== undefined && answer.orderId !== null) this.#streams.answered(answer);
    const { answer: fault } = answer;
    if (!fault.isDone) this.#log.warn({ code: fault.code, text: fault.message }, 'client error');
  }

  #acknowledgeHeartbeat(frame: Extract<LegacyClientFrame, { type: 'heartbeat' }>): void {
    const nowMs = this.#hub.clock.wallMs();
    const clientTime = frame.data?.client_time ?? frame.timestamp ?? null;
    if (clientTime !== null) this.#clockErrorMs = msOfSeconds(clientTime) - nowMs;
    const data = {
      client_time: clientTime,
      client_timestamp: frame.timestamp ?? clientTime,
      server_time: secondsOfMs(nowMs),
    };
    this.#channel.send(legacyFrame('heartbeat_ack', data, nowMs, frame.request_id));
  }

  #flowControl(): FlowControl {
    const { load, limits, clock } = this.#hub;
    return new FlowControl({
      load,
      limits,
      clock,
      uncommitted: () => ({ messages: this.#messages, bytes: this.#bytes }),
      setReading: (isReading) => this.#channel.setReading(isReading),
      // There are no words for credit, and no breach of it.
      tell: () => undefined,
      onAbuse: () => undefined,
    });
  }

  #receive(frame: LegacyMessage, bytes: number): void {
    const flow = this.#flow;
    // Others than an edge may not send messages.
    if (flow === undefined) return;
    const { clientId, scopes } = this.#client;
    const { store, clock, counters, bus, load, streams } = this.#hub;
    const receivedMs = clock.wallMs();
    const clockSuspect = Math.abs(this.#clockErrorMs) > LIMITS.clockSuspectMs;
    const items = [legacyItem(clientId, frame, { receivedMs, clockSuspect })];
    const batch = { clientId, stream: null, receivedMs, items };
    this.#delivered++;
    this.#messages++;
    this.#bytes += bytes;
    load.received(bytes);
    flow.received(1);
    store
      .store(batch)
      .then((stored) => {
        counters.stored(items, stored);
        streams.delivered({ edgeId: clientId, scopes }, items, stored.eventIds);
        bus.publish({ batch, eventIds: stored.eventIds });
      })
      .finally(() => {
        this.#messages--;
        this.#bytes -= bytes;
        load.settled(bytes);
        flow.settled();
        this.#channel.onProgress();
      })
      .catch((error: unknown) => this.#channel.onStoreFailure(error));
  }

  #reject(code: string, message: string, frame: LegacyClientFrame): void {
    this.#channel.reject(code, message, frame.request_id);
  }
}
