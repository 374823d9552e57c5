import { once } from 'node:events';
import { inflateRawSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { BatchAck, MessageBatch } from '../../../src/protocol/batch.ts';

/** A frame as it crosses, read as far as the tests need. */
type CrossingFrame =
  | MessageBatch
  | BatchAck
  | { readonly type: 'client_identify' | 'identification_success' | 'heartbeat' };

/** One connection, from the middle. `to*` inject frames as if the other end had sent them. */
export interface Middle {
  toHub(frame: object): void;
  toEdge(frame: object): void;
  /** Breaks both sides off. */
  cut(): void;
}

/**
 * What happens to a frame: the returned ones pass on in its place, so none drops it and two double it. A frame
 * that is returned as it came passes byte for byte.
 */
type Meddling = (frame: CrossingFrame, middle: Middle) => readonly object[];

export interface Meddler {
  readonly toHub?: Meddling | undefined;
  readonly toEdge?: Meddling | undefined;
}

/** A man in the middle of the WebSocket connections between an edge and its hub, frame by frame. */
export class FrameProxy {
  readonly #server: WebSocketServer;
  readonly #hubUrl: string;
  readonly #open = new Set<Middle>();
  meddler: Meddler = {};
  /** Connections that were made through it. */
  connections = 0;

  private constructor(hubUrl: string) {
    this.#hubUrl = hubUrl;
    this.#server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    this.#server.on('connection', (edge) => this.#onConnection(edge));
  }

  static async open(hubUrl: string): Promise<FrameProxy> {
    const proxy = new FrameProxy(hubUrl);
    await once(proxy.#server, 'listening');
    onTestFinished(() => proxy.#close());
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed');
    return `ws://127.0.0.1:${address.port}/ws`;
  }

  /** Breaks every connection off. */
  cut(): void {
    for (const middle of this.#open) middle.cut();
  }

  #onConnection(edge: WebSocket): void {
    this.connections++;
    const hub = new WebSocket(this.#hubUrl, { perMessageDeflate: false });
    const middle: Middle = {
      toHub: (frame) => hub.send(JSON.stringify(frame)),
      toEdge: (frame) => edge.send(JSON.stringify(frame)),
      cut: () => {
        edge.terminate();
        hub.terminate();
      },
    };
    this.#open.add(middle);
    const end = (): void => {
      this.#open.delete(middle);
      middle.cut();
    };
    for (const socket of [edge, hub]) socket.on('close', end).on('error', end);
    // What the edge says waits until the hub can be reached.
    const opened = once(hub, 'open');
    opened.catch(end);
    relay(edge, hub, opened, (frame) => this.meddler.toHub?.(frame, middle) ?? [frame]);
    relay(hub, edge, opened, (frame) => this.meddler.toEdge?.(frame, middle) ?? [frame]);
  }

  #close(): void {
    this.cut();
    this.#server.close();
  }
}

type Judge = (frame: CrossingFrame) => readonly object[];

function relay(from: WebSocket, to: WebSocket, opened: Promise<unknown>, judge: Judge): void {
  const pass = (data: RawData, isBinary: boolean): void => {
    const bytes = data as Buffer;
    const text = isBinary ? inflateRawSync(bytes).toString() : bytes.toString('utf8');
    const frame = JSON.parse(text) as CrossingFrame;
    for (const next of judge(frame))
      if (next === frame) to.send(bytes, { binary: isBinary });
      else to.send(JSON.stringify(next));
  };
  from.on('message', (data, isBinary) => {
    opened.then(() => pass(data, isBinary)).catch(() => from.terminate());
  });
}
