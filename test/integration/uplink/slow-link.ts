import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const TICK_MS = 20;

/** Passes TCP connections on, at so many bytes per second to the hub; what does not fit waits in front of it. */
export class SlowLink {
  readonly #server: Server;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(targetPort: number, bytesPerSecond: number): Promise<SlowLink> {
    const server = createServer({ highWaterMark: 16 * 1024 });
    const link = new SlowLink(server);
    server.on('connection', (near) => {
      const far = connect(targetPort, '127.0.0.1');
      link.#join(near, far, (bytesPerSecond * TICK_MS) / 1000);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(near: Socket, far: Socket, bytesPerTick: number): void {
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      // Both ends fall together.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    far.pipe(near);
    let waiting = Buffer.alloc(0);
    near.on('data', (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      near.pause();
    });
    const timer = setInterval(() => {
      const part = waiting.subarray(0, bytesPerTick);
      waiting = waiting.subarray(part.length);
      if (part.length > 0 && !far.destroyed) far.write(part);
      if (waiting.length === 0) near.resume();
    }, TICK_MS);
    this.#timers.add(timer);
  }
}
