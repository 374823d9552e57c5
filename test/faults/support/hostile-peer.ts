import { connect, type Socket } from 'node:net';

const CONNECTED_MS = 5000;

const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 } as const;

export interface FrameOptions {
  readonly opcode?: number;
  readonly isFinal?: boolean;
  /** Reserved bits 1 to 3, as they stand in the first byte. */
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** What the header says, whatever follows. */
  readonly claimedBytes?: number;
}

/** A WebSocket frame of a client, as right or wrong as it is asked for. The mask is all zeros. */
export function frameOf(payload: Buffer | string, options: FrameOptions = {}): Buffer {
  const { opcode = OPCODES.text, isFinal = true, reserved = 0, isMasked = true } = options;
  const body = Buffer.from(payload);
  const length = options.claimedBytes ?? body.byteLength;
  const header = Buffer.alloc(10);
  header[0] = (isFinal ? 0x80 : 0) | reserved | opcode;
  header[1] = (isMasked ? 0x80 : 0) | 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  let head = header;
  if (length < 126) {
    header[1] = (isMasked ? 0x80 : 0) | length;
    head = header.subarray(0, 2);
  } else if (length < 0x10000) {
    header[1] = (isMasked ? 0x80 : 0) | 126;
    header.writeUInt16BE(length, 2);
    head = header.subarray(0, 4);
  }
  return Buffer.concat([head, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), body]);
}

/** A bare socket: whatever is written is on the wire as it is. */
export class HostilePeer {
  /** Everything that the hub said. */
  received = '';
  isClosed = false;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #wake: () => void = () => undefined;

  private constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => {
      this.received = (this.received + chunk.toString('latin1')).slice(-20_000);
      this.#wake();
    });
    // 'close' follows.
    this.#socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** A connection on which nothing was said. */
  static open(port: number): HostilePeer {
    return new HostilePeer(port);
  }

  /** After the WebSocket handshake. */
  static async upgraded(port: number): Promise<HostilePeer> {
    const peer = new HostilePeer(port);
    peer.write(
      'GET /ws HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    await peer.heard('connection_established');
    return peer;
  }

  static async identified(port: number, identity: object): Promise<HostilePeer> {
    const peer = await HostilePeer.upgraded(port);
    const data = { protocol: 2, ...identity };
    peer.write(frameOf(JSON.stringify({ type: 'client_identify', timestamp: 1, data })));
    await peer.heard('identification_success');
    return peer;
  }

  write(bytes: Buffer | string): void {
    if (!this.isClosed) this.#socket.write(bytes);
  }

  /** Resolves when what was written is in the network, or the connection is gone. */
  async flushed(): Promise<void> {
    if (this.isClosed) return;
    await Promise.race([
      this.closed,
      new Promise<void>((resolve) => this.#socket.write('', () => resolve())),
    ]);
  }

  end(): Promise<void> {
    this.#socket.destroy();
    return this.closed;
  }

  async heard(word: string): Promise<void> {
    const deadline = performance.now() + CONNECTED_MS;
    while (!this.received.includes(word)) {
      if (this.isClosed || performance.now() > deadline)
        throw new Error(`no ${word}: ${this.received.slice(-500)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
