import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** A frame of the original protocol, as its server sees it. */
export interface LegacyFrame {
  type: string;
  timestamp: number;
  request_id?: string;
  data: Record<string, unknown>;
}

/** A server that knows the original protocol and nothing else; it shares no code with the program. */
export class LegacyHub {
  readonly frames: LegacyFrame[] = [];
  connections = 0;
  greets = true;
  /** Whether answers carry the request's id. */
  echoes = true;
  answersHeartbeats = true;
  token = 'edge-token';
  /** Called for every message; true where the server is to do nothing else about it. */
  onMessage: (frame: LegacyFrame, ws: WebSocket) => boolean = () => false;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  private constructor(http: Server) {
    this.#http = http;
    this.#sockets = new WebSocketServer({ server: http });
    this.#sockets.on('connection', (ws) => this.#onConnection(ws));
  }

  static async start(): Promise<LegacyHub> {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new LegacyHub(http);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  of(type: string): LegacyFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  cut(): void {
    for (const ws of this.#sockets.clients) ws.terminate();
  }

  end(): void {
    this.cut();
    this.#sockets.close();
    this.#http.close();
  }

  #onConnection(ws: WebSocket): void {
    this.connections++;
    const send = (type: string, data: object, id?: string): void =>
      ws.send(
        JSON.stringify({
          type,
          data,
          timestamp: Date.now() / 1000,
          ...(this.echoes && id !== undefined && { request_id: id }),
        }),
      );
    if (this.greets) send('connection_established', { message: 'welcome', client_id: 'c1' });
    ws.on('message', (raw) => {
      const frame = JSON.parse(String(raw)) as LegacyFrame;
      this.frames.push(frame);
      if (this.onMessage(frame, ws)) return;
      if (frame.type === 'client_identify') {
        if (frame.data.auth_token === this.token)
          send('identification_success', { client_id: 'c1' }, frame.request_id);
        else send('error', { message: 'Authentication failed' }, frame.request_id);
      }
      if (frame.type === 'heartbeat' && this.answersHeartbeats)
        send('heartbeat_ack', { server_time: Date.now() / 1000 }, frame.request_id);
    });
  }
}
