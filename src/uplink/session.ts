import { CLOSE_CODES } from '../protocol/close-codes.ts';
import type { Ending } from '../protocol/reconnection.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError, type ErrorCode } from '../system/errors.ts';
import { Conversation, type ConversationOptions } from './conversation.ts';
import type { DeliveryLevel } from './dialect/dialect.ts';
import { type Accepted, Introduction, type IntroductionOptions } from './introduction.ts';
import type { EndedSession } from './judgement.ts';
import { type EndFacts, type EndVerdict, endingOf } from './link/ending.ts';
import type { Line } from './link/line.ts';
import { dial, type SocketEnd, type UplinkSocket } from './link/socket.ts';
import type { TlsOptions } from './link/tls.ts';
import { within } from './link/within.ts';

const CLOSE_TIMEOUT_MS = 500;

export interface SessionOptions
  extends IntroductionOptions,
    Omit<ConversationOptions, 'onProgress' | 'onCameraConflict'> {
  readonly url: string;
  readonly tls: TlsOptions;
}

export interface SessionHandlers {
  onOpened(): void;
  onIdentified(welcome: Accepted['welcome'], level: DeliveryLevel): void;
  onProgress(what: 'batch' | 'heartbeat'): void;
  onCameraConflict(reason: string): void;
  /** Called once. */
  onEnded(ended: EndedSession): void;
}

/** One connection to the hub, from dialling to its end: the introduction, then the conversation. */
export class Session {
  readonly #options: SessionOptions;
  readonly #handlers: SessionHandlers;
  readonly #clock: Clock;
  readonly #socket: UplinkSocket;
  readonly #line: Line;
  readonly #introduction: Introduction;
  readonly #ended: Promise<void>;
  #onEndedOnce: () => void = () => {};
  #facts: EndFacts = { isIdentified: false, hubError: null, drainAfterMs: null, given: null };
  #conversation: Conversation | null = null;
  #isLeaving = false;

  constructor(options: SessionOptions, handlers: SessionHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#clock = options.clock;
    this.#ended = new Promise((resolve) => {
      this.#onEndedOnce = resolve;
    });
    this.#line = this.#lineOf();
    this.#introduction = new Introduction(options, this.#line, (accepted) =>
      this.#onAccepted(accepted),
    );
    this.#socket = dial(options.url, options.tls, {
      onOpen: () => {
        this.#introduction.onOpened();
        handlers.onOpened();
      },
      onText: (text) => {
        if (this.#isOver) return;
        this.#conversation?.onSign();
        (this.#conversation ?? this.#introduction).onText(text);
      },
      onBinary: (bytes) => {
        if (this.#isOver) return;
        this.#conversation?.onSign();
        (this.#conversation ?? this.#introduction).onBinary(bytes);
      },
      onSign: () => this.#conversation?.onSign(),
      onEnd: (end) => this.#onEnd(end),
    });
  }

  /** Messages in flight. */
  get inFlight(): number {
    const batches = this.#conversation?.delivery.inFlight ?? [];
    return batches.reduce((sum, { messages }) => sum + messages, 0);
  }

  /** Sends what is stored for up to so long, says goodbye and closes. */
  async finish(drainMs: number): Promise<void> {
    if (this.#conversation !== null) {
      const drained = this.#conversation.drained();
      await within(this.#clock, drainMs, Promise.race([drained, this.#ended]));
      this.#isLeaving = true;
      this.#conversation.leave();
    }
    this.#socket.close(CLOSE_CODES.goingAway);
    await within(this.#clock, CLOSE_TIMEOUT_MS, this.#ended);
    this.#socket.terminate();
    await this.#ended;
  }

  get #isOver(): boolean {
    return this.#facts.given !== null;
  }

  #lineOf(): Line {
    const bufferedBytes = (): number => this.#socket.bufferedBytes;
    return {
      get bufferedBytes() {
        return bufferedBytes();
      },
      send: (payload, onWritten) => this.#socket.send(payload, onWritten),
      ping: () => this.#socket.ping(),
      note: (error) => {
        const message = error.message.replaceAll(this.#options.token, '(token)');
        const hubError = { ...error, message };
        this.#facts = { ...this.#facts, hubError };
        this.#options.log.warn({ code: error.code, reason: message }, 'error from the hub');
        return hubError;
      },
      fail: (code, message, ending) => this.#fail(code, message, ending),
      renew: (reason) => {
        this.#options.log.info({ reason }, 'connection renewed');
        this.#end({ ending: { kind: 'renewed' }, error: null });
      },
      renewEpoch: (reason) => this.#renewEpoch(reason),
      drain: (drainAfterMs) => {
        this.#facts = { ...this.#facts, drainAfterMs };
      },
      terminate: () => this.#socket.terminate(),
    };
  }

  #onAccepted(accepted: Accepted): void {
    const { onProgress, onIdentified, onCameraConflict } = this.#handlers;
    this.#facts = { ...this.#facts, isIdentified: true };
    const options = { ...this.#options, onProgress, onCameraConflict };
    this.#conversation = new Conversation(options, accepted, this.#line);
    onIdentified(accepted.welcome, accepted.dialect.deliveryLevel);
    this.#conversation.start();
  }

  #renewEpoch(reason: string): void {
    const { store, log } = this.#options;
    this.#conversation?.end();
    log.warn({ reason }, 'beginning a new epoch');
    store.renewEpoch().then(
      () => this.#fail('UPLINK_PROTOCOL', reason),
      (error: unknown) => this.#fail('INTERNAL', `no new epoch: ${String(error)}`),
    );
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
    // Before the sender forgets what was in flight.
    const delivery = this.#isLeaving ? null : (this.#conversation?.delivery ?? null);
    this.#introduction.end();
    this.#conversation?.end();
    this.#onEndedOnce();
    const facts = this.#facts;
    this.#handlers.onEnded({ facts, end, verdict: endingOf(facts, end), delivery });
  }
}
