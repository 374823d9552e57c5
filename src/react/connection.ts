import { CLOSE_CODES } from '../protocol/close-codes.ts';
import { LIMITS } from '../protocol/limits.ts';
import { type WebSocketConfig, webSocketUrl } from './config.ts';
import {
  type ConnectionEvent,
  type ConnectionFault,
  type ConnectionState,
  initialState,
  isActive,
  transition,
} from './connection-state.ts';
import type { Environment, SocketLike } from './environment.ts';
import type { RawMessage } from './handlers.ts';
import { Heartbeats } from './heartbeats.ts';
import {
  clientIdentify,
  dataOf,
  faultOf,
  isRecord,
  numberOf,
  type Outgoing,
  parsedMessage,
  textOf,
  versionFault,
} from './session-frames.ts';
import { TokenSource } from './token-source.ts';

/** From the opening of the socket to the admission. */
const ADMISSION_MS = 10_000;

export interface ConnectionListener {
  readonly onStateChanged: () => void;
  /** The server admitted this client; what is sent from here on is heard. */
  readonly onConnected: (storeId: string) => void;
  /** The socket is gone, whether the client had been admitted or not. */
  readonly onDropped: () => void;
  /** Every message, after the connection took what concerns it. */
  readonly onMessage: (message: RawMessage) => void;
  readonly onSent: () => void;
  readonly onLatency: (latencyMs: number) => void;
}

/** Does what the states of a connection ask for: sockets, waits, the introduction, heartbeats. */
export class Connection {
  readonly #config: WebSocketConfig;
  readonly #environment: Environment;
  readonly #listener: ConnectionListener;
  readonly #clientId: string;
  readonly #tokens: TokenSource;
  #state: ConnectionState;
  #socket: SocketLike | null = null;
  #heartbeats: Heartbeats | null = null;
  #cancelTimer: (() => void) | null = null;
  #endWatch: (() => void) | null = null;
  /** Both as the server gave them at the newest admission. */
  #sessionToken: string | null = null;
  #storeId = '';

  constructor(config: WebSocketConfig, environment: Environment, listener: ConnectionListener) {
    this.#config = config;
    this.#environment = environment;
    this.#listener = listener;
    this.#clientId = config.clientId ?? `${config.clientType}-${environment.newId()}`;
    this.#tokens = new TokenSource(config);
    this.#state = initialState(config);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get isConnected(): boolean {
    return this.#state.phase.name === 'connected';
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

  /** No timer and no socket is left. */
  disconnect(): void {
    this.#endWatch?.();
    this.#endWatch = null;
    this.#leave('disconnect');
  }

  setGetToken(getToken: () => string | Promise<string>): void {
    this.#tokens.replace(getToken);
  }

  /** @returns false where there is no socket, or the message is larger than a frame may be */
  send({ type, data, request_id }: Outgoing): boolean {
    const timestamp = this.#environment.wallMs();
    const head = { type, timestamp, ...(request_id !== undefined && { request_id }) };
    const text = JSON.stringify({ ...head, data });
    if (this.#socket === null || text.length > LIMITS.viewerFrameBytes) return false;
    this.#socket.send(text);
    this.#listener.onSent();
    return true;
  }

  #apply(event: ConnectionEvent): void {
    const before = this.#state;
    const at = { nowMs: this.#environment.nowMs(), random: () => this.#environment.random() };
    const after = transition(before, event, at);
    if (after === before) return;
    this.#state = after;
    if (after.phase !== before.phase) this.#enter(before, after);
    this.#listener.onStateChanged();
  }

  #enter(before: ConnectionState, { phase }: ConnectionState): void {
    if (phase.name !== 'identifying') this.#cancelTimer?.();
    if (isActive(before) && !isActive(this.#state)) this.#dropSocket();
    if (phase.name === 'opening') this.#open();
    if (phase.name === 'waiting')
      this.#cancelTimer = this.#environment.schedule(
        () => this.#apply({ type: 'due' }),
        phase.delayMs,
      );
    if (phase.name === 'connected') {
      this.#heartbeats?.beat();
      this.#listener.onConnected(this.#storeId);
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
    if (this.isConnected) this.send({ type: 'client_goodbye', data: {} });
    this.#apply({ type });
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#heartbeats?.stop();
    this.#heartbeats = null;
    // One that is already closed takes no harm.
    socket?.close(1000);
    this.#listener.onDropped();
  }

  #hurry(): void {
    // A network that changed has often cut the connection without a word.
    if (this.isConnected) this.#heartbeats?.beat();
    else this.#apply({ type: 'hurry' });
  }

  #onText(text: unknown): void {
    const message = parsedMessage(text);
    if (message === null) return;
    this.#heartbeats?.onHeard();
    if (typeof message.event_id !== 'number') this.#onFrame(message);
    this.#listener.onMessage(message);
  }

  #onFrame(message: RawMessage): void {
    const data = dataOf(message);
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
      case 'server_draining':
        this.#apply({ type: 'draining', reconnectAfterMs: numberOf(data.reconnect_after_ms) });
        break;
      case 'error':
        this.#onError(data, textOf(message.request_id) !== null);
    }
  }

  #onError(data: Record<string, unknown>, isAnswer: boolean): void {
    const fault = faultOf(data);
    const { retry_after_ms: after } = data;
    const retryAfterMs = typeof after === 'number' ? after : null;
    if (!this.isConnected || fault.code === 'auth_failed')
      this.#apply({ type: 'refused', fault, retryAfterMs });
    else if (!isAnswer && retryAfterMs !== null)
      this.#apply({ type: 'draining', reconnectAfterMs: retryAfterMs });
  }

  #identify(greeting: Record<string, unknown>): void {
    const fault = versionFault(greeting);
    if (fault !== null) {
      this.#refuse(fault);
      return;
    }
    // A connection is greeted once.
    if (this.#state.phase.name !== 'opening') return;
    this.#apply({ type: 'greeted' });
    const { limits } = greeting;
    const serverMs = isRecord(limits) ? numberOf(limits.heartbeat_ms) : 0;
    this.#heartbeats = this.#newHeartbeats(serverMs > 0 ? serverMs : LIMITS.heartbeatMs);
    const socket = this.#socket;
    this.#tokens.ask((answer) => {
      if (this.#socket !== socket) return;
      if ('fault' in answer) this.#lose(0, answer.fault);
      else this.#introduce(answer.token);
    });
  }

  #introduce(token: string): void {
    const { clientType } = this.#config;
    const sessionToken = this.#sessionToken;
    this.send(clientIdentify({ clientId: this.#clientId, clientType, token, sessionToken }));
  }

  #newHeartbeats(serverMs: number): Heartbeats {
    const intervalMs = Math.min(this.#config.heartbeatInterval, serverMs);
    return new Heartbeats(this.#environment, intervalMs, {
      send: (requestId) => {
        const data = { mono_ms: this.#environment.nowMs() };
        this.send({ type: 'heartbeat', request_id: requestId, data });
      },
      onLatency: this.#listener.onLatency,
      onDead: () => {
        const message = 'the server went silent';
        this.#lose(0, { code: 'connection_lost', message, retryable: true });
      },
    });
  }

  #onAdmitted({ store_id: storeId, session_token, reconnect }: Record<string, unknown>): void {
    if (this.#state.phase.name !== 'identifying') return;
    this.#sessionToken = textOf(session_token);
    this.#storeId = textOf(storeId) ?? '';
    const advisedMs = isRecord(reconnect) ? numberOf(reconnect.cap_ms) : 0;
    const capMs = advisedMs > 0 ? advisedMs : this.#state.backoff.capMs;
    this.#apply({ type: 'admitted', capMs });
  }
}
