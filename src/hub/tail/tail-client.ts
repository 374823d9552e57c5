import { randomUUID } from 'node:crypto';
import { fullJitterDelay } from '../../protocol/full-jitter.ts';
import type { BroadcastEvent } from '../../protocol/subscription.ts';
import { type Clock, systemClock } from '../../system/clock.ts';
import { ApexError } from '../../system/errors.ts';
import { TailConnection, type TailEnding } from './tail-connection.ts';

export type { BroadcastEvent as ReceivedEvent } from '../../protocol/subscription.ts';
export { formatEvent } from './event-line.ts';

export interface TailOptions {
  /** ws, wss, http or https. */
  url: string;
  /** Of type `frontend`. */
  token: string;
  /** Ends the iteration. */
  signal: AbortSignal;
  /** All types when left out. */
  types?: string[];
  /** All cameras when left out. */
  cameras?: string[];
  /** First everything stored after this event; 0 for all. Only new events when left out. */
  afterEventId?: number;
  /** One line for people at each change of the connection. */
  onConnection?: (state: string) => void;
  clock?: Clock;
  random?: () => number;
}

const BACKOFF_BASE_MS = 100;
const BACKOFF_CAP_MS = 750;
/** A hub that is long gone is asked less often. */
const LONG_OUTAGE_ATTEMPTS = 60;
const LONG_OUTAGE_CAP_MS = 5000;
/** Events that wait for the reader before the socket is left unread. */
const QUEUE_PAUSE = 1000;
const QUEUE_RESUME = 100;

/**
 * Events of a hub as they come, across lost connections: each once, in order, without a hole.
 * @throws ApexError HUB_URL, or HUB_REFUSED when the hub refuses the token
 */
export async function* tailEvents(options: TailOptions): AsyncGenerator<BroadcastEvent, void> {
  const tail = new Tail(options, webSocketUrl(options.url));
  const running = tail.run();
  // Rejections are taken up below; until then they must not count as unhandled.
  running.catch(() => undefined);
  try {
    yield* tail.events();
    await running;
  } finally {
    tail.stop();
  }
}

class Tail {
  readonly #options: TailOptions;
  readonly #url: string;
  readonly #clock: Clock;
  readonly #clientId = `tail-${randomUUID()}`;
  readonly #queue: BroadcastEvent[] = [];
  readonly #stopping = new AbortController();
  #wake: () => void = () => undefined;
  #connection: TailConnection | undefined;
  #cursor: number | undefined;
  #storeId: string | undefined;
  #failures = 0;
  #isOver = false;

  constructor(options: TailOptions, url: string) {
    this.#options = options;
    this.#url = url;
    this.#clock = options.clock ?? systemClock;
    this.#cursor = options.afterEventId;
  }

  /** Keeps a connection until stopped. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const stop = (): void => this.stop();
    signal.addEventListener('abort', stop);
    if (signal.aborted) this.stop();
    try {
      while (!this.#stopping.signal.aborted) {
        this.#connection = this.#connect();
        const ending = await this.#connection.ended;
        if (ending.isRefused) throw new ApexError('HUB_REFUSED', ending.message);
        if (!this.#stopping.signal.aborted) await this.#backOff(ending);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.#isOver = true;
      this.#wake();
    }
  }

  async *events(): AsyncGenerator<BroadcastEvent, void> {
    for (;;) {
      const event = this.#queue.shift();
      if (this.#queue.length <= QUEUE_RESUME) this.#connection?.setReading(true);
      if (event !== undefined) yield event;
      else if (this.#isOver) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  stop(): void {
    this.#stopping.abort();
    this.#connection?.close();
  }

  #connect(): TailConnection {
    const { token, types = ['*'], cameras = ['*'], onConnection } = this.#options;
    return new TailConnection({
      url: this.#url,
      token,
      types,
      cameras,
      clientId: this.#clientId,
      clock: this.#clock,
      resumeAfter: (storeId) => this.#resumeAfter(storeId),
      onSubscribed: (lastEventId) => {
        this.#failures = 0;
        // The hub starts from its newest event where it knows less than this cursor.
        this.#cursor = Math.min(this.#cursor ?? lastEventId, lastEventId);
        onConnection?.(`connected to ${this.#url}`);
      },
      onEvent: (event) => this.#take(event),
    });
  }

  #resumeAfter(storeId: string): number | undefined {
    const isReplaced = this.#storeId !== undefined && this.#storeId !== storeId;
    this.#storeId = storeId;
    // Event ids of another store mean nothing here, and all of its events are new.
    if (isReplaced) this.#cursor = 0;
    return this.#cursor;
  }

  #take(event: BroadcastEvent): void {
    if (this.#cursor !== undefined && event.event_id <= this.#cursor) return;
    this.#cursor = event.event_id;
    this.#queue.push(event);
    if (this.#queue.length >= QUEUE_PAUSE) this.#connection?.setReading(false);
    this.#wake();
  }

  #backOff(ending: TailEnding): Promise<void> {
    const { random = Math.random, onConnection } = this.#options;
    const attempt = this.#failures++;
    const capMs = attempt < LONG_OUTAGE_ATTEMPTS ? BACKOFF_CAP_MS : LONG_OUTAGE_CAP_MS;
    const step = { attempt, baseMs: BACKOFF_BASE_MS, capMs };
    if (attempt === 0) onConnection?.(`connection lost (${ending.message}), trying again`);
    return this.#wait(ending.reconnectAfterMs ?? fullJitterDelay(step, random));
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#stopping;
      const timer = this.#clock.setTimeout(finish, delayMs);
      function finish(): void {
        timer.cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      }
      signal.addEventListener('abort', finish);
    });
  }
}

function webSocketUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^(ws|http)s?:$/.test(url.protocol))
    throw new ApexError('HUB_URL', `${text} is no address of a hub`);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}
