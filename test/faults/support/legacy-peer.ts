import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

/** A frame of the original protocol; times are seconds. */
export interface LegacyFrame {
  readonly type: string;
  readonly timestamp?: number;
  readonly request_id?: string | number | null;
  readonly data?: unknown;
}

/** A client that knows the original protocol and nothing else; it shares no code with the program. */
export class LegacyPeer {
  /** Everything that the server said. */
  readonly heard: LegacyFrame[] = [];
  /** Close code of a connection that the server ended; null while it stands. */
  closedWith: number | null = null;
  readonly #socket: WebSocket;
  #requests = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.heard.push(JSON.parse(String(data)) as LegacyFrame));
    socket.on('close', (code) => {
      this.closedWith = code;
    });
    // 'close' follows.
    socket.on('error', () => undefined);
    onTestFinished(() => socket.terminate());
  }

  /** Connected, and not yet introduced. */
  static async connect(url: string): Promise<LegacyPeer> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const peer = new LegacyPeer(socket);
    await once(socket, 'open');
    return peer;
  }

  identify(clientType: string, token: string, clientId: string): void {
    const capabilities = ['object_detection'];
    this.request('client_identify', {
      client_type: clientType,
      auth_token: token,
      client_id: clientId,
      capabilities,
      version: '1.0.0',
    });
  }

  /** Sends a frame with the next id, which is returned. */
  request(type: string, data: object): string {
    const id = `r-${this.#requests++}`;
    this.send({ type, timestamp: Date.now() / 1000, request_id: id, data });
    return id;
  }

  send(frame: LegacyFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  of(type: string): LegacyFrame[] {
    return this.heard.filter((frame) => frame.type === type);
  }
}
