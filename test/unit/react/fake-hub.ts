import type { Environment, SocketEvents, SocketLike } from '../../../src/react/environment.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into frames of every type.
export type Frame = { type: string; request_id?: string; data: any };

/** Time, randomness and sockets in the hands of a test. */
export class FakeSurroundings {
  readonly sockets: FakeSocket[] = [];
  readonly reported: unknown[] = [];
  watcher: Parameters<Environment['watch']>[0] | null = null;
  nowMs = 0;
  #ids = 0;
  #timers = new Set<Timer>();

  readonly environment: Environment = {
    openSocket: (url, events) => {
      const socket = new FakeSocket(url, events);
      this.sockets.push(socket);
      return socket;
    },
    nowMs: () => this.nowMs,
    wallMs: () => 1_767_225_600_000 + this.nowMs,
    schedule: (callback, delayMs) => {
      const timer = { callback, dueMs: this.nowMs + delayMs };
      this.#timers.add(timer);
      return () => this.#timers.delete(timer);
    },
    random: () => 0.5,
    newId: () => `id-${++this.#ids}`,
    report: (error) => this.reported.push(error),
    parseUrl: (text) => new URL(text),
    watch: (watcher) => {
      this.watcher = watcher;
      return () => {
        this.watcher = null;
      };
    },
  };

  get timers(): number {
    return this.#timers.size;
  }

  get open(): FakeSocket[] {
    return this.sockets.filter(({ isOpen }) => isOpen);
  }

  get last(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  /** Lets time pass; what becomes due happens in its order. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.callback();
    }
    this.nowMs = endMs;
  }
}

export class FakeSocket implements SocketLike {
  readonly url: string;
  readonly sent: Frame[] = [];
  isOpen = true;
  readonly #events: SocketEvents;

  constructor(url: string, events: SocketEvents) {
    this.url = url;
    this.#events = events;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Frame);
  }

  close(): void {
    this.isOpen = false;
  }

  /** The server says something. */
  say(frame: object): void {
    this.#events.onMessage(JSON.stringify(frame));
  }

  cut(code = 1006): void {
    this.isOpen = false;
    this.#events.onClose(code, '');
  }

  greet(): void {
    const limits = { max_frame_bytes: 1_048_576, identify_timeout_ms: 5000, heartbeat_ms: 5000 };
    this.say({ type: 'connection_established', data: { protocol: { min: 2, max: 2 }, limits } });
  }

  admit(storeId = 'store-1'): void {
    this.greet();
    const reconnect = { base_ms: 100, cap_ms: 500 };
    const data = { session_token: 's', store_id: storeId, reconnect };
    this.say({ type: 'identification_success', data });
  }

  refuse(code: string): void {
    this.greet();
    this.say({ type: 'error', data: { code, message: 'no', retryable: false } });
    this.cut(4401);
  }

  taken(type: string): Frame[] {
    return this.sent.filter((frame) => frame.type === type);
  }
}

interface StoredEvent {
  readonly event_id: number;
  readonly camera: string;
}

/** The hub's rules of subscription and resume, as slow as a test wants: each `step` handles one frame or one event. */
export class FakeHub {
  readonly events: StoredEvent[] = [];
  /** Cameras of the client's token. */
  allowed: readonly string[] = ['*'];
  /** By camera: newest event as its first subscription was confirmed to the client. */
  #serving: {
    socket: FakeSocket;
    read: number;
    cameras: readonly string[];
    cursor: number;
  } | null = null;

  store(camera: string): void {
    this.events.push({ event_id: this.events.length + 1, camera });
  }

  /** The store is set back to a backup; its next event gets a number that was given once already. */
  restore(lastEventId: number): void {
    this.events.length = lastEventId;
  }

  /** Reads the next frame of the client, if any. */
  read(socket: FakeSocket): Frame | null {
    if (this.#serving?.socket !== socket)
      this.#serving = { socket, read: 0, cameras: [], cursor: this.events.length };
    const frame = socket.sent[this.#serving.read];
    if (frame === undefined) return null;
    this.#serving.read++;
    if (frame.type === 'subscribe') {
      const { cameras: asked, after_event_id: after = this.events.length } = frame.data;
      const refused = asked.find((camera: string) => camera !== '*' && !this.#allows(camera));
      if (refused !== undefined) {
        const data = { code: 'forbidden', message: `not ${refused}`, retryable: false };
        socket.say({ type: 'error', request_id: frame.request_id, data });
        return frame;
      }
      const cameras = asked.includes('*') ? this.allowed : asked;
      this.#serving.cameras = cameras;
      this.#serving.cursor = Math.min(after, this.events.length);
      const data = { types: ['*'], cameras, last_event_id: this.events.length };
      socket.say({ type: 'subscription_success', request_id: frame.request_id, data });
    }
    if (frame.type === 'unsubscribe') this.#serving.cameras = [];
    return frame;
  }

  #allows(camera: string): boolean {
    return this.allowed.includes('*') || this.allowed.includes(camera);
  }

  /** Sends up to so many events that are due. */
  send(socket: FakeSocket, count: number): void {
    const serving = this.#serving;
    if (serving?.socket !== socket) return;
    for (let left = count; left > 0 && serving.cursor < this.events.length; ) {
      const event = this.events[serving.cursor++]!;
      if (!serving.cameras.includes('*') && !serving.cameras.includes(event.camera)) continue;
      const data = { camera_id: event.camera };
      socket.say({ type: 'alert_triggered', event_id: event.event_id, data });
      left--;
    }
  }
}
