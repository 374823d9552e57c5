import { CLOSE_CODES } from '../protocol/close-codes.ts';
import { encodeFrame, parseServerFrame } from '../protocol/codec.ts';
import { LIMITS } from '../protocol/limits.ts';
import { PAYLOADS } from '../protocol/payloads.ts';
import {
  CAPABILITIES,
  type ClientFrame,
  type ConnectionEstablished,
  type ErrorFrame,
  type IdentificationSuccess,
  PROTOCOL_VERSION,
  type ServerFrame,
} from '../protocol/session.ts';
import type { OutboxStreams, SinkPeer } from '../store/requests.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import type { Ending } from './backoff.ts';
import { type EndFacts, endingOf } from './ending.ts';
import { planResume } from './lane-cursor.ts';
import { BEAT_MS, Liveness } from './liveness.ts';
import { Sender } from './sender.ts';
import { dial, type SocketEnd, type TlsOptions, type UplinkSocket } from './socket.ts';
import type { UplinkStore } from './uplink-store.ts';

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
  readonly clock: Clock;
  readonly log: Logger;
}

export interface SessionHandlers {
  onOpened(): void;
  onIdentified(advice: IdentificationSuccess['data']['reconnect']): void;
  /** The hub acknowledged something. */
  onProgress(): void;
  /** Called once. `error` is null where the end is no fault of anybody's. */
  onEnded(ending: Ending, error: ApexError | null): void;
}

/** One connection to the hub, from dialling to its end. */
export class Session {
  readonly #options: SessionOptions;
  readonly #handlers: SessionHandlers;
  readonly #socket: UplinkSocket;
  readonly #liveness = new Liveness();
  readonly #introduction: TimerHandle;
  #facts: EndFacts = { isIdentified: false, hubError: null, drainAfterMs: null, given: null };
  #told: OutboxStreams | null = null;
  #sender: Sender | null = null;
  #beat: TimerHandle | null = null;
  #forget: (() => void) | null = null;
  #hasEnded = false;

  constructor(options: SessionOptions, handlers: SessionHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#introduction = options.clock.setTimeout(() => {
      this.#giveUp('UPLINK_TIMEOUT', 'the hub did not introduce itself in time');
    }, INTRODUCTION_MS);
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

  /** Sends what is stored, says goodbye and closes; takes no longer than `withinMs` and a moment. */
  async finish(withinMs: number): Promise<void> {
    const { clock } = this.#options;
    if (this.#sender !== null) {
      await Promise.race([this.#sender.drained(), this.#ended(), delay(clock, withinMs)]);
      const { pending } = this.#sender;
      this.#send({ type: 'client_goodbye', timestamp: clock.wallMs(), data: { pending } });
      this.#sender.stop();
    }
    this.#socket.close(CLOSE_CODES.goingAway);
    await Promise.race([this.#ended(), delay(clock, CLOSE_TIMEOUT_MS)]);
    this.#socket.terminate();
  }
}
