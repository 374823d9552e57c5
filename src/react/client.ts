import { CLOSE_CODES } from '../protocol/close-codes.ts';
import { LIMITS } from '../protocol/limits.ts';
import { CameraSubscriptions } from './camera-subscriptions.ts';
import { type WebSocketConfig, webSocketUrl } from './config.ts';
import {
  type Connection,
  type ConnectionEvent,
  type ConnectionFault,
  initialConnection,
  isActive,
  statusOf,
  transition,
} from './connection-state.ts';
import type { Environment, SocketLike } from './environment.ts';
import { MessageHandlers, type RawHandler, type RawMessage } from './handlers.ts';
import { Heartbeats } from './heartbeats.ts';
import { PendingRequests, RequestError } from './requests.ts';
import { clientIdentify, isRecord, numberOf, textOf, versionFault } from './session-frames.ts';
import { type Snapshot, SnapshotPublisher } from './snapshot.ts';

/** Messages kept while there is no connection; more are refused. */
const MAX_QUEUED = 256;
/** From the opening of the socket to the admission. */
const ADMISSION_MS = 10_000;
const NOT_CONNECTED: ConnectionFault = {
  code: 'not_connected',
  message: 'there is no connection to the server',
  retryable: true,
};

export interface Outgoing {
  readonly type: string;
  readonly data: unknown;
  readonly request_id?: string;
}

/** A viewer's connection to the server, with all that has to be done to keep it: framework-free. */
export class EnhancedClient {
  readonly #config: WebSocketConfig;
  readonly #environment: Environment;
  readonly #clientId: string;
  readonly #handlers = new MessageHandlers();
  readonly #subscriptions = new CameraSubscriptions();
  readonly #requests: PendingRequests;
  readonly #snapshots: SnapshotPublisher;
  readonly #queue: Outgoing[] = [];
  #getToken: () => string | Promise<string>;
  #connection: Connection;
  #socket: SocketLike | null = null;
  #heartbeats: Heartbeats | null = null;
  #cancelTimer: (() => void) | null = null;
  #endWatch: (() => void) | null = null;
  /** Of the newest `subscribe` on this connection: only its answer tells where events begin. */
  #subscribe: { readonly requestId: string; readonly cameras: readonly string[] } | null = null;
  /** The server refused the cameras by name, on this connection. */
  #isWide = false;
  #cancelSubscribe: (() => void) | null = null;
  #sessionToken: string | null = null;
  #received = 0;
  #sent = 0;
  #latency: number | null = null;

  constructor(config: WebSocketConfig, environment: Environment) {
    this.#config = config;
    this.#environment = environment;
    this.#clientId = config.clientId ?? `${config.clientType}-${environment.newId()}`;
    this.#getToken = config.getToken ?? (() => config.token ?? '');
    this.#connection = initialConnection(config);
    this.#requests = new PendingRequests(environment);
    this.#snapshots = new SnapshotPublisher(environment, () => this.#takeSnapshot());
  }

  get snapshot(): Snapshot {
    return this.#snapshots.current;
  }

  onChange(listener: () => void): () => void {
    return this.#snapshots.listen(listener);
  }

  /** Also begins anew at once after a refusal, or after the client gave up. */
  connect(): void {
    if (this.#config.serverUrl === '') return;
    this.#endWatch ??= this.#environment.watch({
      onHurry: () => this.#hurry(),
      onHidden: () => this.#leave('suspend'),
      onShown: () => this.#apply({ type: 'resume' }),
    });
    this.#apply({ type: 'connect' });
  }

  /** Stays disconnected until `connect`. Subscriptions and handlers are kept. */
  disconnect(): void {
    this.#endWatch?.();
    this.#endWatch = null;
    this.#leave('disconnect');
  }

  /** Disconnects for good: no timer is left. */
  close(): void {
    this.disconnect();
    this.#cancelSubscribe?.();
    this.#snapshots.stop();
  }

  setGetToken(getToken: () => string | Promise<string>): void {
    this.#getToken = getToken;
  }

  addHandler(type: string, handler: RawHandler): void {
    this.#handlers.add(type, handler);
  }

  removeHandler(type: string, handler: RawHandler): void {
    this.#handlers.remove(type, handler);
  }

  addCamera(camera: string): void {
    if (this.#subscriptions.add(camera)) this.#subscribeSoon();
  }

  removeCamera(camera: string): void {
    if (this.#subscriptions.remove(camera)) this.#subscribeSoon();
  }

  /** @returns false if the message was neither sent nor kept for later */
  send(message: Outgoing): boolean {
    if (this.#connection.phase.name === 'connected') return this.#transmit(message);
    // Whoever asks for a stream wants it now; an answer that comes minutes later helps nobody.
    if (message.type.startsWith('stream_') || this.#queue.length >= MAX_QUEUED) return false;
    this.#queue.push(message);
    return true;
  }

  /** Resolves with the `data` of the answer. @throws RequestError */
  request<Answer>(type: string, data: unknown): Promise<Answer> {
    if (this.#connection.phase.name !== 'connected')
      return Promise.reject(new RequestError(NOT_CONNECTED));
    const requestId = this.#environment.newId();
    // The server and the edge have that long; a moment more, so that the server's own answer is the one shown.
    const answer = this.#requests.add<Answer>(requestId, LIMITS.requestTimeoutMs + 2_000);
    if (!this.#transmit({ type, data, request_id: requestId })) {
      const message = 'the request is larger than a frame may be';
      this.#requests.fail(requestId, { code: 'frame_too_large', message, retryable: false });
    }
    return answer;
  }

  #apply(event: ConnectionEvent): void {
    const before = this.#connection;
    const at = { nowMs: this.#environment.nowMs(), random: () => this.#environment.random() };
    const after = transition(before, event, at);
    if (after === before) return;
    this.#connection = after;
    if (after.phase !== before.phase) this.#enter(before, after);
    this.#snapshots.onStateChanged();
  }

  /** Does what a new phase asks for. */
  #enter(before: Connection, { phase }: Connection): void {
    if (phase.name !== 'identifying') this.#cancelTimer?.();
    if (isActive(before) && !isActive(this.#connection)) this.#dropSocket();
    if (phase.name === 'opening') this.#open();
    if (phase.name === 'waiting')
      this.#cancelTimer = this.#environment.schedule(
        () => this.#apply({ type: 'due' }),
        phase.delayMs,
      );
    if (phase.name === 'connected') {
      this.#heartbeats?.beat();
      this.#sendSubscription();
      for (const message of this.#queue.splice(0)) this.#transmit(message);
    }
  }

  #open(): void {
    try {
      const url = webSocketUrl(this.#config.serverUrl, this.#environment.parseUrl);
      const socket: SocketLike = this.#environment.openSocket(url, {
        onMessage: (data) => {
          if (this.#socket === socket) this.#onText(data);
        },
        onClose: (code, reason) => {
          const message = reason === '' ? `the connection ended (${code})` : reason;
          if (this.#socket === socket)
            this.#lose(code, { code: 'connection_lost', message, retryable: true });
        },
      });
      this.#socket = socket;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#refuse({ code: 'invalid_url', message, retryable: false });
      return;
    }
    this.#cancelTimer = this.#environment.schedule(() => {
      const message = `the server did not admit this client within ${ADMISSION_MS} ms`;
      this.#lose(0, { code: 'connect_timeout', message, retryable: true });
    }, ADMISSION_MS);
  }

  /** This side holds that the connection cannot be. */
  #refuse(fault: ConnectionFault): void {
    this.#apply({ type: 'refused', fault, retryAfterMs: null });
    this.#lose(0, fault);
  }

  #lose(closeCode: number, fault: ConnectionFault): void {
    const superseded = 'a newer connection of the same client id took over';
    const isSuperseded = closeCode === CLOSE_CODES.superseded;
    this.#apply({
      type: 'lost',
      closeCode,
      fault: isSuperseded ? { code: 'superseded', message: superseded, retryable: false } : fault,
    });
  }

  #leave(type: 'disconnect' | 'suspend'): void {
    if (this.#connection.phase.name === 'connected')
      this.#transmit({ type: 'client_goodbye', data: {} });
    this.#apply({ type });
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#subscribe = null;
    this.#heartbeats?.stop();
    this.#heartbeats = null;
    // One that is already closed takes no harm.
    socket?.close(1000);
    this.#requests.failAll(NOT_CONNECTED);
  }

  #hurry(): void {
    // A network that changed has often cut the connection without a word.
    if (this.#connection.phase.name === 'connected') this.#heartbeats?.beat();
    else this.#apply({ type: 'hurry' });
  }

  #onText(text: unknown): void {
    const message = parsed(text);
    if (message === null) return;
    this.#received++;
    this.#heartbeats?.onHeard();
    if (typeof message.event_id === 'number') {
      const camera = isRecord(message.data) ? textOf(message.data.camera_id) : null;
      if (!this.#subscriptions.accept(message.event_id, camera)) return;
    } else this.#onFrame(message);
    this.#snapshots.onNumbersChanged();
    this.#handlers.tell(message, (error) => this.#environment.report(error));
  }

  #onFrame(message: RawMessage): void {
    const data = isRecord(message.data) ? message.data : {};
    const requestId = textOf(message.request_id);
    switch (message.type) {
      case 'connection_established':
        this.#identify(data);
        break;
      case 'identification_success':
        this.#onAdmitted(data);
        break;
      case 'heartbeat_ack':
        this.#apply({ type: 'progress' });
        this.#heartbeats?.onAcknowledged(message.request_id);
        break;
      case 'subscription_success':
        if (requestId === this.#subscribe?.requestId)
          this.#subscriptions.confirm(this.#subscribe?.cameras ?? [], numberOf(data.last_event_id));
        break;
      case 'server_draining':
        this.#apply({ type: 'draining', reconnectAfterMs: numberOf(data.reconnect_after_ms) });
        break;
      case 'error':
        this.#onError(data, requestId);
        break;
      default:
        if (requestId !== null) this.#onAnswer(message.type, requestId, data);
    }
  }

  #onAnswer(type: string, requestId: string, data: Record<string, unknown>): void {
    if (type.endsWith('_error')) this.#requests.fail(requestId, faultOf(data));
    else if (type.endsWith('_success')) this.#requests.answer(requestId, data);
  }

  #onError(data: Record<string, unknown>, requestId: string | null): void {
    const fault = faultOf(data);
    const { retry_after_ms: after } = data;
    const retryAfterMs = typeof after === 'number' ? after : null;
    if (requestId !== null) this.#requests.fail(requestId, fault);
    if (requestId !== null && requestId === this.#subscribe?.requestId) this.#widen();
    if (this.#connection.phase.name !== 'connected' || fault.code === 'auth_failed')
      this.#apply({ type: 'refused', fault, retryAfterMs });
    else if (requestId === null && retryAfterMs !== null)
      this.#apply({ type: 'draining', reconnectAfterMs: retryAfterMs });
  }

  #identify(greeting: Record<string, unknown>): void {
    const fault = versionFault(greeting);
    if (fault !== null) {
      this.#refuse(fault);
      return;
    }
    // A connection is greeted once.
    if (this.#connection.phase.name !== 'opening') return;
    this.#apply({ type: 'greeted' });
    const { limits } = greeting;
    const serverMs = isRecord(limits) ? numberOf(limits.heartbeat_ms) : 0;
    this.#heartbeats = this.#newHeartbeats(serverMs > 0 ? serverMs : LIMITS.heartbeatMs);
    const socket = this.#socket;
    const introduce = (token: string) => {
      if (this.#socket === socket) this.#transmit(this.#introduction(token));
    };
    const token = this.#getToken();
    if (typeof token === 'string') introduce(token);
    else
      token.then(introduce).catch((error) => {
        this.#environment.report(error);
        const message = 'getToken failed';
        if (this.#socket === socket)
          this.#lose(0, { code: 'token_unavailable', message, retryable: true });
      });
  }

  #introduction(token: string): Outgoing {
    const { clientType } = this.#config;
    const sessionToken = this.#sessionToken;
    return clientIdentify({ clientId: this.#clientId, clientType, token, sessionToken });
  }

  #newHeartbeats(serverMs: number): Heartbeats {
    const intervalMs = Math.min(this.#config.heartbeatInterval, serverMs);
    return new Heartbeats(this.#environment, intervalMs, {
      send: (requestId) => {
        const data = { mono_ms: this.#environment.nowMs() };
        this.#transmit({ type: 'heartbeat', request_id: requestId, data });
      },
      onLatency: (latencyMs) => {
        this.#latency = latencyMs;
        this.#snapshots.onNumbersChanged();
      },
      onDead: () => {
        const message = 'the server went silent';
        this.#lose(0, { code: 'connection_lost', message, retryable: true });
      },
    });
  }

  #onAdmitted({ store_id: storeId, session_token, reconnect }: Record<string, unknown>): void {
    this.#sessionToken = textOf(session_token);
    this.#subscriptions.enterStore(textOf(storeId) ?? '');
    this.#isWide = false;
    const advisedMs = isRecord(reconnect) ? numberOf(reconnect.cap_ms) : 0;
    const capMs = advisedMs > 0 ? advisedMs : this.#connection.backoff.capMs;
    this.#apply({ type: 'admitted', capMs });
  }

  /** Components that mount together change the subscription once. */
  #subscribeSoon(): void {
    this.#cancelSubscribe ??= this.#environment.schedule(() => this.#sendSubscription(), 0);
  }

  /**
   * One camera that the token is not for must not take the others' events away: from now on the server is asked for
   * all that the token allows, and what nobody wants is left out here.
   */
  #widen(): void {
    if (this.#isWide) return;
    this.#isWide = true;
    this.#subscribeSoon();
  }

  #sendSubscription(): void {
    this.#cancelSubscribe?.();
    this.#cancelSubscribe = null;
    if (this.#connection.phase.name !== 'connected') return;
    const wanted = this.#subscriptions.wanted();
    if (wanted === null) {
      if (this.#subscribe !== null) this.#transmit({ type: 'unsubscribe', data: {} });
      this.#subscribe = null;
      return;
    }
    const requestId = this.#environment.newId();
    this.#subscribe = { requestId, cameras: this.#subscriptions.names() };
    const data = { types: ['*'], ...wanted, ...(this.#isWide && { cameras: ['*'] }) };
    this.#transmit({ type: 'subscribe', request_id: requestId, data });
  }

  #transmit(message: Outgoing): boolean {
    const { type, data, request_id } = message;
    const timestamp = this.#environment.wallMs();
    const text = JSON.stringify({
      type,
      timestamp,
      ...(request_id !== undefined && { request_id }),
      data,
    });
    if (this.#socket === null || text.length > LIMITS.viewerFrameBytes) return false;
    this.#socket.send(text);
    this.#sent++;
    this.#snapshots.onNumbersChanged();
    return true;
  }

  #takeSnapshot(): Snapshot {
    const status = statusOf(this.#connection);
    return {
      status,
      error: this.#connection.fault,
      stats: {
        status,
        messagesReceived: this.#received,
        messagesSent: this.#sent,
        latency: this.#latency,
        reconnectAttempts: this.#connection.backoff.attempts,
      },
    };
  }
}

function parsed(text: unknown): RawMessage | null {
  if (typeof text !== 'string') return null;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && typeof value.type === 'string'
      ? (value as unknown as RawMessage)
      : null;
  } catch {
    // The server sends whole JSON; half of one can only come from something in between.
    return null;
  }
}

function faultOf({ code, message, retryable }: Record<string, unknown>): ConnectionFault {
  return {
    code: textOf(code) ?? 'unknown',
    message: textOf(message) ?? '',
    retryable: retryable === true,
  };
}
