import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { laneOf } from '../../../src/protocol/lanes.ts';
import { type OutgoingMessage, Store } from '../../../src/store/store.ts';
import { StoreCore } from '../../../src/store/store-core.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { Uplink, type UplinkOptions } from '../../../src/uplink/uplink.ts';
import { LogLines } from '../../support/log-lines.ts';

/** A store and uplinks of one test; `end` leaves nothing behind. */
export class UplinkScene {
  readonly log = new LogLines();
  readonly #uplinks: Uplink[] = [];
  #store: Store | null = null;
  readonly #dir: string;

  constructor(name: string) {
    this.#dir = mkdtempSync(join(tmpdir(), `apex-${name}-`));
  }

  get store(): Store {
    if (this.#store === null) throw new Error('no store is open');
    return this.#store;
  }

  async open(): Promise<Store> {
    this.#store = await Store.open({ dir: this.#dir, clock: systemClock, log: this.log });
    return this.#store;
  }

  async reopen(): Promise<Store> {
    await this.store.close();
    return this.open();
  }

  /** Lives of a daemon that each left one message behind. */
  async abandon(lives: number, message: (n: number) => OutgoingMessage = alert): Promise<void> {
    await this.store.close();
    for (let n = 1; n <= lives; n++) {
      const core = new StoreCore({
        dir: this.#dir,
        bootId: 'earlier-boot',
        budgetBytes: 2 ** 24,
        durability: 'standard',
        clock: systemClock,
        newEpoch: randomUUID,
        log: this.log,
      });
      const { type, cameraId, data, ...at } = message(n);
      const row = { lane: laneOf(type), messageId: randomUUID(), schemaVersion: 1, ...at } as const;
      const rows = [{ ...row, type, cameraId, body: JSON.stringify(data) }];
      core.execute([{ op: 'write', rows, event: null }]);
      core.close();
    }
    await this.open();
  }

  uplink(url: string, options: Partial<UplinkOptions> = {}): Uplink {
    const uplink = new Uplink({
      url,
      token: () => 'edge-token',
      clientId: 'edge-1',
      store: this.store,
      clock: systemClock,
      random: Math.random,
      log: this.log,
      ...options,
    });
    this.#uplinks.push(uplink);
    return uplink;
  }

  async depth(): Promise<number> {
    const { lanes } = await this.store.queue();
    return lanes.reduce((sum, { depth }) => sum + depth, 0);
  }

  async end(): Promise<void> {
    await Promise.all(this.#uplinks.map((uplink) => uplink.stop({ drainMs: 0 })));
    await this.#store?.close();
    rmSync(this.#dir, { recursive: true });
  }
}

export function alert(n: number): OutgoingMessage {
  const at = { wallMs: systemClock.wallMs(), monoMs: systemClock.monotonicMs() };
  const data = {
    type: 'intrusion',
    camera_id: 'cam-1',
    severity: 'high' as const,
    timestamp: at.wallMs,
    data: { n },
  };
  return { type: 'alert_triggered', cameraId: 'cam-1', data, ...at };
}

export function detection(n: number): OutgoingMessage {
  const at = { wallMs: systemClock.wallMs(), monoMs: systemClock.monotonicMs() };
  const data = { camera_id: 'cam-1', timestamp: at.wallMs, detections: [], frame_id: n };
  return { type: 'ai_detection_result', cameraId: 'cam-1', data, ...at };
}

/** Passes TCP connections on, and cuts them when told to. */
export class Link {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(targetPort: number): Promise<Link> {
    const server = createServer();
    const link = new Link(server);
    server.on('connection', (near) => {
      link.connections++;
      const far = connect(targetPort, '127.0.0.1');
      for (const socket of [near, far]) {
        link.#sockets.add(socket);
        // Both ends fall together; that they fall is the purpose.
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          link.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}
