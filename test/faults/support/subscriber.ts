import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

const RETRY_MS = 50;
/** Well within the silence after which the hub holds a client for dead. */
const HEARTBEAT_MS = 5000;
let nextSubscriber = 1;

/**
 * A subscriber of its own making, apart from the program's tail client: notes the id of each event that comes
 * and resumes behind the last one, however often its connection is cut.
 */
export class RecordingSubscriber {
  readonly seen: number[] = [];
  readonly #url: () => string;
  readonly #token: string;
  /** Of its own: a newer connection under the same id would end the older one. */
  readonly #clientId = `recording-subscriber-${nextSubscriber++}`;
  #socket: WebSocket | null = null;
  #isStopping = false;
  #running: Promise<void>;

  constructor(url: () => string, token: string) {
    this.#url = url;
    this.#token = token;
    this.#running = this.#run();
  }

  /** Ends the connection as a killed process would. */
  cut(): void {
    this.#socket?.terminate();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#socket?.terminate();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      await this.#connection();
      await delay(RETRY_MS);
    }
  }

  #connection(): Promise<void> {
    return new Promise((resolve) => {
      const socket = new WebSocket(this.#url(), {
        handshakeTimeout: 2000,
        perMessageDeflate: false,
      });
      this.#socket = socket;
      // The hub may be down; it is asked again.
      socket.on('error', () => undefined);
      const heartbeats = setInterval(() => say(socket, 'heartbeat', {}), HEARTBEAT_MS);
      socket.on('close', () => {
        clearInterval(heartbeats);
        resolve();
      });
      socket.on('message', (data) => this.#onFrame(socket, JSON.parse(String(data))));
    });
  }

  #onFrame(socket: WebSocket, frame: { type: string; event_id?: number }): void {
    if (frame.event_id !== undefined) this.seen.push(frame.event_id);
    else if (frame.type === 'connection_established')
      say(socket, 'client_identify', {
        client_id: this.#clientId,
        client_type: 'frontend',
        auth: { token: this.#token },
        protocol: 2,
        capabilities: [],
      });
    else if (frame.type === 'identification_success')
      say(socket, 'subscribe', { types: ['*'], after_event_id: this.seen.at(-1) ?? 0 });
  }
}

function say(socket: WebSocket, type: string, data: object): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ type, timestamp: Date.now(), request_id: type, data }));
}
