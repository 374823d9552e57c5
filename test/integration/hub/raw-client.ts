import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import type { ClientType } from '../../../src/protocol/session.ts';

/** A frame as it came, unchecked. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into frames of every type.
export type Frame = { type: string; request_id?: string; event_id?: number; data: any };

export interface Identity {
  token: string;
  clientId?: string;
  type?: ClientType;
  streams?: {
    epoch: string;
    lane: number;
    first_seq: number;
    next_seq: number;
    boot_id?: string;
  }[];
  sessionToken?: string | null;
  /** Beyond what every client says. */
  more?: Record<string, unknown>;
}

/** A client that says exactly what a test tells it to. */
export class RawClient {
  readonly ws: WebSocket;
  readonly closed: Promise<number>;
  readonly frames: Frame[] = [];
  /** As the hub gave it. */
  sessionToken: string | null = null;
  #taken = 0;
  #wake: () => void = () => undefined;

  private constructor(url: string, options: ClientOptions) {
    this.ws = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code) => {
        resolve(code);
        this.#wake();
      });
    });
    this.ws.on('error', () => undefined);
    this.ws.on('message', (data) => {
      this.frames.push(JSON.parse(data.toString()) as Frame);
      this.#wake();
    });
  }

  static async connect(url: string, options: ClientOptions = {}): Promise<RawClient> {
    const client = new RawClient(url, options);
    await once(client.ws, 'open');
    return client;
  }

  static async identified(
    url: string,
    identity: Identity,
    options: ClientOptions = {},
  ): Promise<RawClient> {
    const client = await RawClient.connect(url, options);
    client.identify(identity);
    const { data } = await client.next('identification_success');
    client.sessionToken = data.session_token as string;
    return client;
  }

  /** The next frame of a type that was not returned yet; earlier ones of other types are passed over. */
  async next(type: string): Promise<Frame> {
    for (;;) {
      for (; this.#taken < this.frames.length; this.#taken++) {
        const frame = this.frames[this.#taken]!;
        if (frame.type !== type) continue;
        this.#taken++;
        return frame;
      }
      if (this.ws.readyState === WebSocket.CLOSED)
        throw new Error(`closed before ${type}; came: ${this.frames.map((f) => f.type).join(' ')}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  send(type: string, data: unknown, requestId?: string): void {
    const head = { type, timestamp: Date.now() };
    this.ws.send(JSON.stringify({ ...head, ...(requestId && { request_id: requestId }), data }));
  }

  identify(identity: Identity): void {
    const {
      token,
      clientId = 'edge-1',
      type = 'ai_engine',
      streams,
      sessionToken,
      more,
    } = identity;
    this.send('client_identify', {
      client_id: clientId,
      client_type: type,
      auth: { token },
      protocol: 2,
      capabilities: ['batch', 'resume', 'credit'],
      session_token: sessionToken ?? null,
      ...(streams && { resume: { streams } }),
      ...more,
    });
  }

  batch(stream: { epoch: string; lane: number }, items: Item[], requestId?: string): void {
    const firstSeq = items[0]!.seq;
    this.send('message_batch', { ...stream, first_seq: firstSeq, items }, requestId);
  }

  close(): void {
    this.ws.terminate();
  }
}

export type Item = { seq: number } & Record<string, unknown>;

export interface AlertOptions {
  camera?: string;
  severity?: string;
  replayed?: boolean;
  padding?: number;
  messageId?: string;
}

export function alertItem(seq: number, options: AlertOptions = {}): Item {
  const { camera = 'gate', severity = 'high', replayed, padding = 0, messageId } = options;
  return {
    seq,
    message_id: messageId ?? randomUUID(),
    type: 'alert_triggered',
    schema_version: 1,
    timestamp: 1_767_225_590_000 + seq,
    mono_ms: seq,
    ...(replayed && { replayed }),
    data: {
      type: 'intrusion',
      camera_id: camera,
      severity,
      timestamp: 1_767_225_590_000 + seq,
      data: { seq, padding: 'x'.repeat(padding) },
    },
  };
}

export function alerts(first: number, count: number, options: AlertOptions = {}): Item[] {
  return Array.from({ length: count }, (_, index) => alertItem(first + index, options));
}

export function gapItem(seq: number, toSeq: number): Item {
  const gap = { from_seq: seq, to_seq: toSeq, count: toSeq - seq + 1, reason: 'poison' };
  return { seq, gap };
}
