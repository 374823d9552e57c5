import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateRawSync } from 'node:zlib';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type BatchItem,
  batchItemSchema,
  type MessageBatch,
  type StreamAck,
} from '../../../src/protocol/batch.ts';
import { parseClientFrame } from '../../../src/protocol/codec.ts';
import type { ClientFrame } from '../../../src/protocol/frames.ts';
import type { ClientIdentify } from '../../../src/protocol/session.ts';

/** A batch whose items have been read. */
export type ReadBatch = Omit<MessageBatch, 'data'> & {
  data: Omit<MessageBatch['data'], 'items'> & { items: BatchItem[] };
};

/** What the test makes of a batch; `connection` counts from 1. */
type OnBatch = (batch: ReadBatch, peer: OddPeer, connection: number) => void;

/** One connection of an edge, seen from the hub. */
export class OddPeer {
  readonly #ws: WebSocket;

  constructor(ws: WebSocket) {
    this.#ws = ws;
  }

  send(type: string, data: object, requestId?: string): void {
    this.#ws.send(
      JSON.stringify({
        type,
        timestamp: Date.now(),
        ...(requestId && { request_id: requestId }),
        data,
      }),
    );
  }

  sendText(text: string): void {
    this.#ws.send(text);
  }

  /** Acknowledges the batch, or the stream up to another number. */
  ack({ request_id, data: { epoch, lane, items } }: ReadBatch, through?: number): void {
    const last = items.at(-1);
    const end = last && 'gap' in last ? last.gap.to_seq : last?.seq;
    this.send('batch_ack', { acks: [{ epoch, lane, acked_through: through ?? end }] }, request_id);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  close(code: number): void {
    this.#ws.close(code);
  }

  sendBinary(bytes: Uint8Array): void {
    this.#ws.send(bytes);
  }
}

/** A hub that does as the test says, for what a real one does not do on demand. */
export class OddHub {
  readonly batches: ReadBatch[] = [];
  readonly identified: ClientIdentify[] = [];
  readonly frames: ClientFrame[] = [];
  peers: OddPeer[] = [];
  /** What it says that it has. */
  acked: StreamAck[] = [];
  credit = { credit_messages: 512, credit_bytes: 1024 * 1024 };
  onBatch: OnBatch = (batch, peer) => peer.ack(batch);
  /** Instead of `identification_success`. */
  onIdentify: ((frame: ClientIdentify, peer: OddPeer, connection: number) => void) | null = null;
  greets = true;
  answersHeartbeats = true;
  capabilities = ['batch', 'resume', 'credit', 'deflate_raw'];
  /** Binary frames, by their size. */
  readonly binary: number[] = [];
  /** What came and is no frame of the current protocol. */
  readonly strange: string[] = [];
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  private constructor(http: Server) {
    this.#http = http;
    this.#sockets = new WebSocketServer({ server: http });
    this.#sockets.on('connection', (ws) => this.#onConnection(ws));
  }

  /** @param http also one of TLS */
  static async start(http: Server = createServer()): Promise<OddHub> {
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new OddHub(http);
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get peer(): OddPeer {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error('nobody is connected');
    return peer;
  }

  /** Numbers received, batch by batch. */
  get seqs(): number[][] {
    return this.batches.map(({ data }) => data.items.map(({ seq }) => seq));
  }

  end(): void {
    for (const peer of this.peers) peer.terminate();
    this.#sockets.close();
    this.#http.close();
  }

  #onConnection(ws: WebSocket): void {
    const peer = new OddPeer(ws);
    this.peers.push(peer);
    const connection = this.peers.length;
    ws.on('message', (data, isBinary) => {
      const bytes = data as Buffer;
      if (isBinary) this.binary.push(bytes.length);
      const text = isBinary ? inflateRawSync(bytes).toString() : bytes.toString();
      const result = parseClientFrame(text);
      if (result.ok) this.#onFrame(result.frame, peer, connection);
      else this.strange.push(text);
    });
    if (!this.greets) return;
    peer.send('connection_established', {
      connection_id: `c-${connection}`,
      server_time: Date.now(),
      protocol: { min: 1, max: 2 },
      capabilities: this.capabilities,
      limits: { max_frame_bytes: 1048576, identify_timeout_ms: 5000, heartbeat_ms: 5000 },
    });
  }

  #onFrame(frame: ClientFrame, peer: OddPeer, connection: number): void {
    this.frames.push(frame);
    if (frame.type === 'message_batch') {
      const items = frame.data.items.map((item) => batchItemSchema.parse(item));
      const batch = { ...frame, data: { ...frame.data, items } };
      this.batches.push(batch);
      this.onBatch(batch, peer, connection);
    }
    if (frame.type === 'heartbeat') {
      const now = Date.now();
      const times = { client_timestamp: frame.timestamp, server_time: now, received_time: now };
      if (this.answersHeartbeats) peer.send('heartbeat_ack', times, frame.request_id);
    }
    if (frame.type !== 'client_identify') return;
    this.identified.push(frame);
    if (this.onIdentify === null) this.welcome(frame, peer);
    else this.onIdentify(frame, peer, connection);
  }

  welcome(frame: ClientIdentify, peer: OddPeer): void {
    const data = {
      session_token: 's-1',
      store_id: 'hub-1',
      server_time: Date.now(),
      resume: { streams: this.acked },
      flow: this.credit,
      reconnect: { base_ms: 20, cap_ms: 50 },
    };
    peer.send('identification_success', data, frame.request_id);
  }
}
