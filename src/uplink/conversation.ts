import type { ServerFrame } from '../protocol/frames.ts';
import type { Ending } from '../protocol/reconnection.ts';
import type { ErrorFrame } from '../protocol/session.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import type { Inbound, Payload } from './dialect/dialect.ts';
import { EvidenceLine } from './evidence/evidence-line.ts';
import type { EvidenceOrders } from './evidence/evidence-orders.ts';
import type { Accepted } from './introduction.ts';
import type { Delivery } from './judgement.ts';
import type { Line } from './link/line.ts';
import type { Heartbeats } from './liveness/heartbeats.ts';
import { BEAT_MS, Liveness } from './liveness/liveness.ts';
import type { Suspects } from './poison/suspects.ts';
import { Sender } from './sending/sender.ts';
import { StreamLine } from './stream-line.ts';
import type { StreamOrders } from './stream-orders.ts';
import type { UplinkStore } from './uplink-store.ts';

/** Heartbeats right after the introduction, a beat apart, so that both sides soon know how their clocks differ. */
const FIRST_HEARTBEATS = 3;
/** Beats between heartbeats of a connection that is never idle (30 s). */
const BUSY_BEATS = 60;
/** A hub that answers heartbeats for so many beats (5 s), with nothing to acknowledge, will do. */
const PROVEN_BEATS = 10;

export interface ConversationOptions {
  readonly store: UplinkStore;
  readonly suspects: Suspects;
  readonly heartbeats: Heartbeats;
  readonly clock: Clock;
  readonly log: Logger;
  /** Begins with one small batch, to try out whether the hub takes messages again. */
  readonly isProbe: boolean;
  /** The hub acknowledged messages, or nothing is left for it to acknowledge. */
  readonly onProgress: (what: 'batch' | 'heartbeat') => void;
  /** Another edge has announced a camera of this one. */
  readonly onCameraConflict: (reason: string) => void;
  /** Null where this edge takes no requests for its cameras. */
  readonly orders: StreamOrders | null;
  /** Null where this edge gives nothing away. */
  readonly evidence: EvidenceOrders | null;
}

/** The second phase of a session: messages flow, and both sides show that they are alive. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #dialect: Accepted['dialect'];
  readonly #line: Line;
  readonly #liveness = new Liveness();
  readonly #sender: Sender;
  readonly #streams: StreamLine | null;
  readonly #evidence: EvidenceLine | null;
  readonly #forgetStore: () => void;
  #beats = 0;
  #timer: TimerHandle;
  #hasAcked = false;
  #isHeartbeatAnswered = false;

  constructor(options: ConversationOptions, accepted: Accepted, line: Line) {
    const { dialect, welcome, ...streams } = accepted;
    this.#options = options;
    this.#dialect = dialect;
    this.#line = line;
    this.#sender = new Sender({
      ...options,
      ...streams,
      line,
      dialect,
      credit: welcome.flow,
      onSent: (isFirst) => this.#onSent(isFirst),
      onAcked: () => this.#onAcked(),
      onStuck: (reason, isFault) => {
        if (isFault) line.fail('UPLINK_PROTOCOL', reason);
        else line.renew(reason);
      },
    });
    const { orders, evidence } = options;
    const send = (payload: Payload): void => this.#send(payload);
    this.#streams =
      orders === null ? null : new StreamLine({ orders, dialect, send, now: () => this.#now() });
    this.#evidence =
      evidence === null
        ? null
        : new EvidenceLine({ orders: evidence, dialect, send, now: () => this.#now() });
    this.#forgetStore = options.store.onCommitted(() => this.#sender.wake());
    this.#timer = this.#nextBeat();
  }

  /** What there is to say of the deliveries when the connection ends. */
  get delivery(): Delivery {
    const { inFlight, alone } = this.#sender;
    return {
      inFlight,
      alone,
      hasAcked: this.#hasAcked,
      isHeartbeatAnswered: this.#isHeartbeatAnswered,
    };
  }

  start(): void {
    this.#sender.start();
    this.#streams?.tellCameras();
    this.#heartbeat();
  }

  onText(text: string): void {
    this.#onInbound(this.#dialect.readText(text));
  }

  onBinary(bytes: Uint8Array): void {
    this.#onInbound(this.#dialect.readBinary(bytes));
  }

  /** Any sign of the hub. */
  onSign(): void {
    this.#liveness.onInbound();
  }

  /** Resolves when everything stored so far is acknowledged; never on a connection that is lost. */
  drained(): Promise<void> {
    return this.#sender.drained();
  }

  /** Sends nothing more but the goodbye. */
  leave(): void {
    this.#sender.stop();
    const goodbye = this.#dialect.goodbye(this.#sender.pending, this.#now());
    if (goodbye !== null) this.#send(goodbye);
  }

  end(): void {
    this.#timer.cancel();
    this.#forgetStore();
    this.#streams?.end();
    this.#evidence?.end();
    this.#sender.stop();
  }

  #onInbound(inbound: Inbound): void {
    if (inbound.kind === 'fault') this.#line.fail('UPLINK_PROTOCOL', inbound.message);
    if (inbound.kind === 'ignored')
      this.#options.log.debug({ type: inbound.type }, 'frame of an unknown type');
    if (inbound.kind === 'frames') for (const frame of inbound.frames) this.#onFrame(frame);
  }

  #onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case 'batch_ack':
        this.#sender.onAck(frame);
        return;
      case 'flow_update':
        this.#sender.setCredit(frame.data, frame.data.resume_after_ms);
        return;
      case 'resync_required':
        this.#sender.onResync(frame);
        return;
      case 'heartbeat_ack':
        this.#options.heartbeats.onAck(frame);
        this.#onHeartbeatAck();
        return;
      case 'server_draining':
        this.#onDraining(frame.data);
        return;
      case 'start_stream_processing':
      case 'stop_stream_processing':
      case 'change_stream_processing':
        this.#streams?.onOrder(frame);
        return;
      case 'send_evidence':
        this.#evidence?.onOrder(frame);
        return;
      case 'error':
        this.#onError(frame);
    }
  }

  #onSent(isFirst: boolean): void {
    this.#liveness.onOutbound();
    this.#isHeartbeatAnswered = false;
    if (isFirst) this.#liveness.onProgress();
  }

  #onAcked(): void {
    this.#hasAcked = true;
    this.#liveness.onProgress();
    this.#options.onProgress('batch');
  }

  #onHeartbeatAck(): void {
    this.#isHeartbeatAnswered = true;
    this.#sender.onHeartbeat();
    const isIdle = Object.values(this.#sender.pending).every((count) => count === 0);
    if (isIdle && this.#beats >= PROVEN_BEATS) this.#options.onProgress('heartbeat');
  }

  #onDraining(data: { reconnect_after_ms: number; deadline_ms: number }): void {
    this.#line.drain(data.reconnect_after_ms);
    // Acknowledgements of what is in flight still come; more would only be sent twice.
    this.#sender.stop();
    this.#timer.cancel();
    this.#timer = this.#options.clock.setTimeout(() => this.#line.terminate(), data.deadline_ms);
  }

  #onError({ request_id: requestId, data }: ErrorFrame): void {
    if (data.code === 'camera_conflict') {
      // About the configurations of two edges, not about this connection.
      this.#options.onCameraConflict(data.message);
      return;
    }
    const { code, message, retryable, retry_after_ms: retryAfterMs = null } = this.#line.note(data);
    if (code === 'epoch_fork') {
      this.#line.renewEpoch(message);
      return;
    }
    const batch = requestId === undefined ? null : this.#sender.sentAs(requestId);
    const refused: Ending = { kind: 'refused', retryAfterMs };
    if (batch === null && this.#dialect.deliveryLevel === 'process')
      this.#line.fail('UPLINK_REFUSED', `${code}: ${message}`, refused);
    if (retryable || batch === null) return;
    const isSuspected = this.#options.suspects.onRefused(batch, { code, message });
    const ending: Ending = isSuspected ? { kind: 'lost' } : refused;
    this.#line.fail('UPLINK_REFUSED', `${code}: ${message}`, ending);
  }

  #nextBeat(): TimerHandle {
    return this.#options.clock.setTimeout(() => {
      this.#timer = this.#nextBeat();
      this.#onBeat();
    }, BEAT_MS);
  }

  #onBeat(): void {
    this.#beats++;
    this.#sender.onBeat();
    this.#streams?.tellCameras();
    const verdict = this.#liveness.beat(this.#sender.outstanding);
    const isDue = this.#beats < FIRST_HEARTBEATS || this.#beats % BUSY_BEATS === 0;
    if (verdict.do === 'give_up') this.#line.fail('UPLINK_TIMEOUT', verdict.reason);
    else if (verdict.do === 'heartbeat' || isDue) this.#heartbeat();
    if (verdict.do === 'ping') this.#line.ping();
  }

  #heartbeat(): void {
    const heartbeat = this.#options.heartbeats.next(this.#sender.pending);
    this.#send(this.#dialect.heartbeat(heartbeat, this.#now()));
  }

  #send(payload: Payload): void {
    this.#liveness.onOutbound();
    this.#line.send(payload);
  }

  #now(): { wallMs: number; monoMs: number } {
    const { clock } = this.#options;
    return { wallMs: clock.wallMs(), monoMs: clock.monotonicMs() };
  }
}
