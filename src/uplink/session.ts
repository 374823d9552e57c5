import { CLOSE_CODES } from '../protocol/close-codes.ts';
import { encodeFrame, parseServerFrame } from '../protocol/codec.ts';
import type { ClientFrame, ServerFrame } from '../protocol/frames.ts';
import { LIMITS } from '../protocol/limits.ts';
import type {
  ConnectionEstablished,
  ErrorFrame,
  IdentificationSuccess,
} from '../protocol/session.ts';
import type { OutboxStreams, SinkPeer } from '../store/requests.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import { ApexError, type ErrorCode } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import type { Ending } from './backoff.ts';
import { type EndFacts, type EndVerdict, endingOf } from './ending.ts';
import { clientIdentify, incompatibility } from './introduction.ts';
import { planResume } from './lane-cursor.ts';
import { BEAT_MS, Liveness } from './liveness.ts';
import { Sender } from './sender.ts';
import { dial, type SocketEnd, type TlsOptions, type UplinkSocket } from './socket.ts';
import type { Suspects } from './suspects.ts';
import type { UplinkStore } from './uplink-store.ts';
import { within } from './within.ts';

/** For the handshake and both frames of the introduction. */
const INTRODUCTION_MS = LIMITS.identifyTimeoutMs + 2_000;
/** Streams of older epochs told in one `client_identify`, which has to stay below 16 KiB. */
const OLDER_STREAMS = 100;
const CLOSE_TIMEOUT_MS = 500;

export interface SessionOptions {
  readonly url: string;
  readonly token: string;
  readonly clientId: string;
  readonly bootId: string;
  readonly tls: TlsOptions;
  readonly store: UplinkStore;
  readonly suspects: Suspects;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface SessionHandlers {
  onOpened(): void;
  onIdentified(advice: IdentificationSuccess['data']['reconnect']): void;
  /** The hub acknowledged messages, or answered a heartbeat. */
  onProgress(what: 'batch' | 'heartbeat'): void;
  /** Called once. */
  onEnded(verdict: EndVerdict): void;
}

/** One connection to the hub, from dialling to its end. */
export class Session {
  readonly #options: SessionOptions;
  readonly #handlers: SessionHandlers;
  readonly #socket: UplinkSocket;
  readonly #liveness = new Liveness();
  readonly #introduction: TimerHandle;
  readonly #forgetStore: () => void;
  readonly #ended: Promise<void>;
  #onEndedOnce: () => void = () => {};
  #facts: EndFacts = { isIdentified: false, hubError: null, drainAfterMs: null, given: null };
  #told: { readonly outbox: OutboxStreams; readonly peer: SinkPeer | null } | null = null;
  #sender: Sender | null = null;
  #beat: TimerHandle | null = null;

  constructor(options: SessionOptions, handlers: SessionHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#ended = new Promise((resolve) => {
      this.#onEndedOnce = resolve;
    });
    this.#introduction = options.clock.setTimeout(() => {
      this.#fail('UPLINK_TIMEOUT', 'the hub did not introduce itself in time');
    }, INTRODUCTION_MS);
    this.#forgetStore = options.store.onCommitted(() => this.#sender?.wake());
    this.#socket = dial(options.url, options.tls, {
      onOpen: () => handlers.onOpened(),
      onText: (text) => this.#onText(text),
      onSign: () => this.#liveness.onInbound(),
      onEnd: (end) => this.#onEnd(end),
    });
  }
  /** Messages in flight. */
  get inFlight(): number {
    return this.#sender?.inFlight ?? 0;
  }

  /** Sends what is stored for up to so long, says goodbye and closes. */
  async finish(drainMs: number): Promise<void> {
    const { clock } = this.#options;
    if (this.#sender !== null) {
      await within(clock, drainMs, Promise.race([this.#sender.drained(), this.#ended]));
      this.#sender.stop();
      const { pending } = this.#sender;
      this.#send({ type: 'client_goodbye', timestamp: clock.wallMs(), data: { pending } });
    }
    this.#socket.close(CLOSE_CODES.goingAway);
    await within(clock, CLOSE_TIMEOUT_MS, this.#ended);
    this.#socket.terminate();
    await this.#ended;
  }

  #onText(text: string): void {
    if (this.#facts.given !== null) return;
    this.#liveness.onInbound();
    const result = parseServerFrame(text);
    if (result.ok) {
      if (result.kind === 'frame') this.#onFrame(result.frame);
      return;
    }
    const { fault, message, type } = result;
    if (fault === 'unknown_type') this.#options.log.debug({ type }, 'frame of an unknown type');
    else
      this.#fail('UPLINK_PROTOCOL', `the hub sent a ${type ?? 'frame'} that is wrong: ${message}`);
  }

  #onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case 'connection_established':
        this.#introduce(frame).catch((error: unknown) =>
          this.#fail('INTERNAL', `the outbox could not be listed: ${String(error)}`),
        );
        return;
      case 'identification_success':
        this.#onIdentified(frame);
        return;
      case 'batch_ack':
        this.#sender?.onAck(frame);
        return;
      case 'flow_update':
        this.#sender?.setCredit(frame.data, frame.data.resume_after_ms);
        return;
      case 'resync_required':
        this.#sender?.onResync(frame);
        return;
      case 'heartbeat_ack':
        this.#handlers.onProgress('heartbeat');
        return;
      case 'server_draining':
        this.#onDraining(frame.data);
        return;
      case 'error':
        this.#onHubError(frame);
    }
  }

  async #introduce({ data }: ConnectionEstablished): Promise<void> {
    const { store, clock, clientId, token, bootId } = this.#options;
    if (this.#told !== null) return;
    const fault = incompatibility(data);
    if (fault !== null) {
      this.#fail('UPLINK_PROTOCOL', fault, { kind: 'refused', retryAfterMs: null });
      return;
    }
    const [outbox, peer] = await Promise.all([store.streams(OLDER_STREAMS), store.peer()]);
    this.#told = { outbox, peer };
    this.#send(
      clientIdentify({
        clientId,
        token,
        bootId,
        peer,
        streams: outbox.streams,
        wallMs: clock.wallMs(),
        monoMs: clock.monotonicMs(),
      }),
    );
  }

  #onIdentified({ data }: IdentificationSuccess): void {
    if (this.#told === null || this.#sender !== null) return;
    const { outbox, peer } = this.#told;
    this.#introduction.cancel();
    this.#facts = { ...this.#facts, isIdentified: true };
    this.#notePeer(peer, { storeId: data.store_id, sessionToken: data.session_token });
    const { streams, rolledBack } = planResume(outbox.streams, data.resume.streams);
    if (rolledBack.length > 0)
      this.#options.log.error({ streams: rolledBack }, 'hub has more than the outbox gave out');
    if (rolledBack.some(({ isCurrent }) => isCurrent)) {
      this.#renewEpoch('the hub has other messages under the numbers of this epoch');
      return;
    }
    this.#sender = new Sender({
      ...this.#options,
      socket: this.#socket,
      streams,
      isTruncated: outbox.isTruncated,
      credit: data.flow,
      onSent: (isFirst) => {
        this.#liveness.onOutbound();
        if (isFirst) this.#liveness.onProgress();
      },
      onAcked: () => {
        this.#liveness.onProgress();
        this.#handlers.onProgress('batch');
      },
      onStuck: (reason, isFault) => {
        if (isFault) this.#fail('UPLINK_PROTOCOL', reason);
        else this.#renew(reason);
      },
    });
    this.#handlers.onIdentified(data.reconnect);
    this.#sender.start();
    this.#scheduleBeat();
  }

  #notePeer(before: SinkPeer | null, now: SinkPeer): void {
    const { store, log } = this.#options;
    if (before !== null && before.storeId !== now.storeId)
      log.warn({ before: before.storeId, now: now.storeId }, 'hub replaced; sending all it lacks');
    store.savePeer(now).catch((error: unknown) => log.warn({ err: error }, 'hub not noted'));
  }

  #onDraining(data: { reconnect_after_ms: number; deadline_ms: number }): void {
    this.#facts = { ...this.#facts, drainAfterMs: data.reconnect_after_ms };
    // Acknowledgements of what is in flight still come; more would only be sent twice.
    this.#sender?.stop();
    this.#beat?.cancel();
    this.#beat = this.#options.clock.setTimeout(() => this.#socket.terminate(), data.deadline_ms);
  }

  #onHubError({ request_id: requestId, data }: ErrorFrame): void {
    const message = data.message.replaceAll(this.#options.token, '(token)');
    this.#facts = { ...this.#facts, hubError: { ...data, message } };
    this.#options.log.warn({ code: data.code, reason: message }, 'error from the hub');
    if (data.code === 'epoch_fork') this.#renewEpoch(message);
    const batch = requestId === undefined ? null : (this.#sender?.sentAs(requestId) ?? null);
    if (data.code === 'epoch_fork' || data.retryable || batch === null) return;
    const isSuspected = this.#options.suspects.onRefused(batch, { ...data, message });
    const retryAfterMs = data.retry_after_ms ?? null;
    const ending: Ending = isSuspected ? { kind: 'lost' } : { kind: 'refused', retryAfterMs };
    this.#fail('UPLINK_REFUSED', `${data.code}: ${message}`, ending);
  }

  #renewEpoch(reason: string): void {
    const { store, log } = this.#options;
    this.#sender?.stop();
    log.warn({ reason }, 'beginning a new epoch');
    store.renewEpoch().then(
      () => this.#fail('UPLINK_PROTOCOL', reason),
      (error: unknown) => this.#fail('INTERNAL', `no new epoch: ${String(error)}`),
    );
  }

  #scheduleBeat(): void {
    this.#beat = this.#options.clock.setTimeout(() => {
      this.#scheduleBeat();
      this.#onBeat();
    }, BEAT_MS);
  }

  #onBeat(): void {
    if (this.#sender === null) return;
    const verdict = this.#liveness.beat(this.#sender.outstanding);
    if (verdict.do === 'give_up') this.#fail('UPLINK_TIMEOUT', verdict.reason);
    if (verdict.do === 'ping') this.#socket.ping();
    if (verdict.do === 'heartbeat') {
      const { clock } = this.#options;
      const { pending } = this.#sender;
      const data = { mono_ms: clock.monotonicMs(), pending };
      this.#send({ type: 'heartbeat', timestamp: clock.wallMs(), data });
    }
  }

  #send(frame: ClientFrame): void {
    const encoded = encodeFrame(frame);
    if (!encoded.ok) {
      this.#fail('INTERNAL', `${frame.type} cannot be sent: ${encoded.message}`);
      return;
    }
    this.#liveness.onOutbound();
    this.#socket.send(encoded.text);
  }

  /** Ends the connection, to begin another at once. */
  #renew(reason: string): void {
    this.#options.log.info({ reason }, 'connection renewed');
    this.#end({ ending: { kind: 'renewed' }, error: null });
  }

  #fail(code: ErrorCode, message: string, ending: Ending = { kind: 'lost' }): void {
    this.#end({ ending, error: new ApexError(code, message) });
  }

  #end(verdict: EndVerdict): void {
    this.#facts = { ...this.#facts, given: this.#facts.given ?? verdict };
    // Not close(): that would wait for a peer that may be gone.
    this.#socket.terminate();
  }

  #onEnd(end: SocketEnd): void {
    this.#introduction.cancel();
    this.#beat?.cancel();
    this.#forgetStore();
    this.#sender?.stop();
    this.#onEndedOnce();
    this.#handlers.onEnded(endingOf(this.#facts, end));
  }
}
