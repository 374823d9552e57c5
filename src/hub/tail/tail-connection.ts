import { type ClientOptions, WebSocket } from 'ws';
import { CLOSE_CODES } from '../../protocol/close-codes.ts';
import { parseServerFrame } from '../../protocol/codec.ts';
import type { ClientFrame, ServerFrame } from '../../protocol/frames.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { PROTOCOL_VERSION } from '../../protocol/session.ts';
import type { BroadcastEvent } from '../../protocol/subscription.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';

export interface TailConnectionOptions {
  readonly url: string;
  readonly token: string;
  readonly clientId: string;
  readonly types: string[];
  readonly cameras: string[];
  readonly clock: Clock;
  /** Where to go on at the hub with this store; undefined for what is new. */
  readonly resumeAfter: (storeId: string) => number | undefined;
  readonly onSubscribed: (lastEventId: number) => void;
  readonly onEvent: (event: BroadcastEvent) => void;
}

/** How a connection ended. */
export interface TailEnding {
  readonly message: string;
  /** The hub refused this client for good. */
  readonly isRefused: boolean;
  /** When the hub said to come back. */
  readonly reconnectAfterMs?: number;
}

const HANDSHAKE_TIMEOUT_MS = 2000;
const CLOSE_TIMEOUT_MS = 1000;

/** One connection of a viewer: identifies itself, subscribes, hands events over until it ends. */
export class TailConnection {
  readonly #options: TailConnectionOptions;
  readonly #ws: WebSocket;
  readonly #ended: Promise<TailEnding>;
  #timer: TimerHandle | undefined;
  #lastHeardMs: number;
  #refusal: string | undefined;
  #problem: string | undefined;
  #reconnectAfterMs: number | undefined;

  constructor(options: TailConnectionOptions) {
    this.#options = options;
    this.#lastHeardMs = options.clock.monotonicMs();
    this.#ws = new WebSocket(options.url, socketOptions());
    this.#ended = new Promise((resolve) => {
      this.#ws.on('close', (code) => resolve(this.#ending(code)));
    });
    this.#ws.on('error', (error) => {
      this.#problem = error.message;
    });
    this.#ws.on('message', (data) => this.#onText((data as Buffer).toString('utf8')));
    this.#ws.on('ping', () => this.#onSign());
  }

  /** Resolves when the connection is over; never rejects. */
  get ended(): Promise<TailEnding> {
    return this.#ended;
  }

  /** Leaves what comes in the network while the reader is busy. */
  setReading(isReading: boolean): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    if (isReading && this.#ws.isPaused) {
      this.#ws.resume();
      this.#onSign();
    } else if (!isReading && !this.#ws.isPaused) this.#ws.pause();
  }

  close(): void {
    this.#timer?.cancel();
    // A socket that is not read never sees the answer to its close.
    this.setReading(true);
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.close(CLOSE_CODES.goingAway);
    else this.#ws.terminate();
  }

  #ending(code: number): TailEnding {
    this.#timer?.cancel();
    const after = this.#reconnectAfterMs;
    return {
      message: this.#refusal ?? this.#problem ?? `closed with code ${code}`,
      isRefused: this.#refusal !== undefined,
      ...(after !== undefined && { reconnectAfterMs: after }),
    };
  }

  #onSign(): void {
    this.#lastHeardMs = this.#options.clock.monotonicMs();
  }

  #onText(text: string): void {
    this.#onSign();
    const result = parseServerFrame(text, 2 * LIMITS.maxFrameBytes);
    // A frame of a type that this program does not know comes from a newer hub.
    if (!result.ok) return;
    if (result.kind === 'event') this.#options.onEvent(result.event);
    else this.#onFrame(result.frame);
  }

  #onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case 'connection_established':
        this.#identify();
        break;
      case 'identification_success':
        this.#subscribe(frame.data.store_id);
        this.#beat();
        break;
      case 'subscription_success':
        this.#options.onSubscribed(frame.data.last_event_id);
        break;
      case 'server_draining':
        this.#reconnectAfterMs = frame.data.reconnect_after_ms;
        break;
      case 'error':
        this.#onError(frame.data);
        break;
      default:
        break;
    }
  }

  #onError({ code, message }: Extract<ServerFrame, { type: 'error' }>['data']): void {
    this.#problem = `${code}: ${message}`;
    if (code !== 'auth_failed' && code !== 'forbidden') return;
    this.#refusal = message;
    this.#ws.close(CLOSE_CODES.goingAway);
  }

  #identify(): void {
    const { token, clientId, clock } = this.#options;
    this.#send({
      type: 'client_identify',
      timestamp: clock.wallMs(),
      data: {
        client_id: clientId,
        client_type: 'frontend',
        auth: { token },
        protocol: PROTOCOL_VERSION,
        capabilities: [],
      },
    });
  }

  #subscribe(storeId: string): void {
    const { types, cameras, clock, resumeAfter } = this.#options;
    const afterEventId = resumeAfter(storeId);
    this.#send({
      type: 'subscribe',
      timestamp: clock.wallMs(),
      data: {
        types,
        cameras,
        ...(afterEventId !== undefined && { after_event_id: afterEventId }),
      },
    });
  }

  #beat(): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimeout(() => {
      const silentMs = clock.monotonicMs() - this.#lastHeardMs;
      if (silentMs > LIMITS.serverSilenceMs && !this.#ws.isPaused) {
        this.#problem = 'the hub fell silent';
        this.#ws.terminate();
        return;
      }
      const data = { mono_ms: clock.monotonicMs() };
      this.#send({ type: 'heartbeat', timestamp: clock.wallMs(), data });
      this.#beat();
    }, LIMITS.heartbeatMs);
  }

  #send(frame: ClientFrame): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(JSON.stringify(frame));
  }
}

function socketOptions(): ClientOptions {
  // A name of its own, because the published types lack `closeTimeout`.
  const options: ClientOptions & { closeTimeout: number } = {
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    perMessageDeflate: false,
    // An event is a message of up to the frame limit in a larger envelope.
    maxPayload: 2 * LIMITS.maxFrameBytes,
  };
  return options;
}
