import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** How bytes cross the link while it is up. */
interface Shape {
  /** One way. */
  readonly latencyMs: number;
  /** Each way; null is as fast as it goes. */
  readonly bytesPerSecond: number | null;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Parts of a throttled stream that are passed on in one piece, in seconds. */
const SLICE_S = 0.05;
const HOLD_MS = 10;

/** A TCP link between an edge and its hub that can be made slow, silent and broken. */
export class FaultyLink {
  readonly #server: Server;
  readonly #target: Endpoint;
  readonly #sockets = new Set<Socket>();
  #shape: Shape = { latencyMs: 0, bytesPerSecond: null };
  #isSilent = false;
  #isUp = true;
  /** Connections that were made through it. */
  connections = 0;

  private constructor(target: Endpoint) {
    this.#target = target;
    // Half-open connections are kept: an end of one direction is passed on as such.
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#onConnection(near));
  }

  static async open(target: Endpoint): Promise<FaultyLink> {
    const link = new FaultyLink(target);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    onTestFinished(() => link.#close());
    return link;
  }

  /** The hub's address as seen through the link. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the link is closed');
    return `ws://127.0.0.1:${address.port}/ws`;
  }

  shape(shape: Partial<Shape>): void {
    this.#shape = { ...this.#shape, ...shape };
  }

  /** Nothing crosses and nobody is told; what was sent meanwhile arrives after `speak`. */
  fallSilent(): void {
    this.#isSilent = true;
  }

  speak(): void {
    this.#isSilent = false;
  }

  /** Breaks every connection with RST. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Breaks every connection, and new ones as they come. */
  down(): void {
    this.#isUp = false;
    this.cut();
  }

  up(): void {
    this.#isUp = true;
  }

  /** Up and down in turn until the time is over; ends up. */
  async flap(times: { upMs: number; downMs: number; forMs: number }): Promise<void> {
    const end = performance.now() + times.forMs;
    while (performance.now() < end) {
      this.up();
      await delay(times.upMs);
      this.down();
      await delay(times.downMs);
    }
    this.up();
  }

  #onConnection(near: Socket): void {
    this.#track(near);
    if (!this.#isUp) {
      near.resetAndDestroy();
      return;
    }
    this.connections++;
    const far = connect({ ...this.#target, allowHalfOpen: true });
    this.#track(far);
    // A connection that broke at one side is broken at the other.
    near.on('error', () => far.resetAndDestroy());
    far.on('error', () => near.resetAndDestroy());
    void this.#carry(near, far);
    void this.#carry(far, near);
  }

  #track(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  async #carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from) await this.#pass(chunk as Buffer, to);
      await this.#arrival(to);
      to.end();
    } catch {
      to.resetAndDestroy();
    }
  }

  async #pass(chunk: Buffer, to: Socket): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      const { bytesPerSecond } = this.#shape;
      const size = bytesPerSecond === null ? rest.length : Math.ceil(bytesPerSecond * SLICE_S);
      const part = rest.subarray(0, size);
      rest = rest.subarray(size);
      if (bytesPerSecond !== null) await delay((1000 * part.length) / bytesPerSecond);
      await this.#voice(to);
      // Not awaited: many parts are on their way at once. Timers of one delay end in order.
      const { latencyMs } = this.#shape;
      if (latencyMs > 0) setTimeout(() => to.write(part), latencyMs);
      else if (!to.write(part)) await once(to, 'drain');
    }
  }

  /** After everything that is on its way. */
  async #arrival(to: Socket): Promise<void> {
    await this.#voice(to);
    await delay(this.#shape.latencyMs);
  }

  async #voice(to: Socket): Promise<void> {
    while (this.#isSilent && !to.destroyed) await delay(HOLD_MS);
  }

  #close(): void {
    this.cut();
    this.#server.close();
  }
}
