import { parseClientFrame } from '../../protocol/codec.ts';
import { EVIDENCE_CAPABILITY } from '../../protocol/evidence-request.ts';
import type { ClientFrame, ServerFrame } from '../../protocol/frames.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { ClientIdentify } from '../../protocol/session.ts';
import type { Subscribe } from '../../protocol/subscription.ts';
import type { Logger } from '../../system/logger.ts';
import { inflateText } from '../../system/raw-deflate.ts';
import { maySend } from '../door/permissions.ts';
import { filterOf, withinScope } from '../fan-out/event-filter.ts';
import type { SessionContext } from '../hub-context.ts';
import { NO_CREDIT } from '../ingest/credit.ts';
import { Delivery, type DeliveryStatistics } from '../ingest/delivery.ts';
import { DeviceClock } from '../ingest/device-clock.ts';
import { currentWording } from '../streams/current-wording.ts';
import { StreamPeer } from '../streams/stream-peer.ts';
import { answerOf, isRequestFrame, kindAnswered, requestOf } from '../streams/stream-request.ts';
import type { AdmittedClient, ClientChannel, Conversation, Welcome } from './dialect.ts';
import { faultCode } from './fault-codes.ts';
import { identificationSuccess, type RepliedFrame, replyTo } from './server-frames.ts';

type IdentifiedFrame = Exclude<ClientFrame, ClientIdentify>;

/** A client of the current protocol. An `ai_engine` delivers, the others subscribe. */
export class HubClient implements Conversation {
  readonly #client: AdmittedClient;
  readonly #channel: ClientChannel;
  readonly #hub: SessionContext;
  readonly #log: Logger;
  readonly #identity: ClientIdentify;
  readonly #deviceClock: DeviceClock;
  readonly #delivery: Delivery | undefined;
  readonly #streams: StreamPeer;

  constructor(
    client: AdmittedClient,
    identity: ClientIdentify,
    channel: ClientChannel,
    hub: SessionContext,
  ) {
    const { clientId, clientType } = client;
    const { boot_id: bootId, clock, resume } = identity.data;
    this.#client = client;
    this.#identity = identity;
    this.#channel = channel;
    this.#hub = hub;
    this.#log = hub.log.child({ client_id: clientId, client_type: clientType });
    this.#deviceClock = new DeviceClock(bootId, resume?.streams ?? [], clock?.synced);
    this.#streams = new StreamPeer({
      client,
      askerKey: client.key,
      channel,
      hub,
      wording: currentWording(hub.clock, identity.data.capabilities.includes(EVIDENCE_CAPABILITY)),
    });
    if (clientType !== 'ai_engine') return;
    this.#delivery = new Delivery({
      client,
      hub,
      deviceClock: this.#deviceClock,
      send: (frame) => this.#reply(frame),
      onProgress: () => channel.onProgress(),
      onFailed: (error) => channel.onStoreFailure(error),
      setReading: (isReading) => channel.setReading(isReading),
      onAbuse: () => channel.onAbuse(),
    });
  }

  get isIdle(): boolean {
    return this.#delivery?.isIdle ?? true;
  }

  get isThrottled(): boolean {
    return this.#delivery?.isThrottled ?? false;
  }

  get statistics(): DeliveryStatistics {
    return this.#delivery?.statistics ?? { messages: 0, credit: null };
  }

  welcome(welcome: Welcome): string {
    const credit = this.#delivery?.announceCredit() ?? NO_CREDIT;
    this.#streams.begin(this.#identity.data.cameras);
    return JSON.stringify(identificationSuccess(this.#identity, welcome, credit));
  }

  onText(text: string, bytes: number): void {
    const result = parseClientFrame(text);
    if (!result.ok) this.#channel.reject(faultCode(result), result.message, result.requestId);
    else if (result.frame.type === 'client_identify')
      this.#reject('already_identified', 'a connection identifies itself once', result.frame);
    else this.#judge(result.frame, bytes);
  }

  onBinary(data: Buffer): void {
    if (this.#client.clientType !== 'ai_engine') {
      // Nothing that a viewer sends is long: it has no reason to make the hub unfold anything.
      this.#channel.reject('forbidden', 'binary frames are for batches of an ai_engine', undefined);
      return;
    }
    if (!this.#identity.data.capabilities.includes('deflate_raw')) {
      this.#channel.reject('invalid_frame', 'binary frames were not agreed on', undefined);
      return;
    }
    const inflated = inflateText(data, LIMITS.maxFrameBytes);
    if (inflated.ok) {
      const bytes = Buffer.byteLength(inflated.text);
      this.#hub.counters.deflatedFrames++;
      this.#hub.counters.inflatedBytes += bytes;
      this.onText(inflated.text, bytes);
    } else if (inflated.fault === 'too_large') this.#channel.onTooLarge(LIMITS.maxFrameBytes);
    else
      this.#channel.reject('invalid_frame', 'the binary frame does not inflate to text', undefined);
  }

  stop(): void {
    this.#delivery?.stop();
    this.#streams.end();
    this.#hub.fanOut.unsubscribe(this.#channel);
  }

  #judge(frame: IdentifiedFrame, bytes: number): void {
    const refusal = maySend(this.#client, frame);
    if (refusal === null) this.#handle(frame, bytes);
    else {
      this.#hub.counters.forbidden++;
      this.#reject(refusal.code, refusal.message, frame);
    }
  }

  /** `bytes` is the size of the frame's text. */
  #handle(frame: IdentifiedFrame, bytes: number): void {
    switch (frame.type) {
      case 'heartbeat':
        this.#acknowledgeHeartbeat(frame);
        break;
      case 'message_batch':
        this.#delivery?.receive(frame, bytes);
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
      case 'cameras_changed':
        this.#streams.announce(frame.data.cameras, frame.request_id);
        break;
      case 'send_evidence_error':
        this.#streams.refusedEvidence(frame.request_id ?? '', frame.data);
        break;
      default:
        if (isRequestFrame(frame)) this.#streams.ask(requestOf(frame), frame.request_id);
        else this.#answerStream(frame);
    }
  }

  #answerStream(
    frame: Extract<IdentifiedFrame, { type: `stream_${string}_${'success' | 'error'}` }>,
  ): void {
    const { request_id: orderId = null, data } = frame;
    const answer = { orderId, kind: kindAnswered(frame.type), cameraId: data.camera_id };
    this.#streams.answered({ ...answer, answer: answerOf(frame) });
  }

  #acknowledgeHeartbeat(frame: Extract<IdentifiedFrame, { type: 'heartbeat' }>): void {
    const now = this.#hub.clock.wallMs();
    this.#deviceClock.report(frame.data.clock ?? {});
    const data = { client_timestamp: frame.timestamp, received_time: now, server_time: now };
    this.#reply({ type: 'heartbeat_ack', timestamp: now, ...replyTo(frame), data });
  }

  #subscribe(frame: Subscribe): void {
    const { scopes } = this.#client;
    const { types, cameras, severities, after_event_id: afterEventId } = frame.data;
    this.#confirmSubscription(frame, {
      types: withinScope(types, scopes.receive),
      cameras: withinScope(cameras, scopes.cameras),
      ...(severities !== undefined && { severities }),
    });
    this.#hub.fanOut.subscribe(this.#channel, filterOf(frame.data, scopes), afterEventId);
  }

  #confirmSubscription(
    frame: RepliedFrame,
    inForce: Pick<Subscribe['data'], 'types' | 'cameras' | 'severities'>,
  ): void {
    const { fanOut, store, clock } = this.#hub;
    const data = {
      ...inForce,
      last_event_id: fanOut.publishedThrough,
      oldest_event_id: store.oldestEventId,
    };
    const timestamp = clock.wallMs();
    this.#reply({ type: 'subscription_success', timestamp, ...replyTo(frame), data });
  }

  #reject(code: string, message: string, { request_id: requestId }: RepliedFrame): void {
    this.#channel.reject(code, message, requestId);
  }

  #reply(frame: ServerFrame): void {
    this.#channel.send(JSON.stringify(frame));
  }
}
