import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { LIMITS } from '../protocol/limits.ts';
import type { ClientType } from '../protocol/session.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { packageVersion } from '../system/package-info.ts';
import { HubCounters } from './counters.ts';
import { Doorman } from './door/doorman.ts';
import { ForkRefusals } from './door/fork-refusals.ts';
import { reconnectAdvice } from './door/reconnect-advice.ts';
import type { HubToken } from './door/tokens.ts';
import { FanOut } from './fan-out/fan-out.ts';
import { answerHttp, type Health, isWebSocketPath, refuseUpgrade } from './http.ts';
import type { HubContext } from './hub-context.ts';
import { IngestLoad } from './ingest/ingest-load.ts';
import { DEFAULT_HUB_LIMITS, type HubLimits } from './limits.ts';
import { HubSession } from './session/session.ts';
import { SessionRegistry } from './session/session-registry.ts';
import { HubStore } from './store/hub-store.ts';

export interface HubOptions {
  host: string;
  /** 0 for any free port. */
  port: number;
  dataDir: string;
  /** Who may connect; nobody when empty. */
  tokens: readonly HubToken[];
  log: Logger;
  clock: Clock;
  /** Uniform in [0, 1); spreads reconnections. */
  random: () => number;
  limits?: HubLimits;
}

type Counts = {
  readonly [Key in keyof HubCounters as HubCounters[Key] extends number ? Key : never]: number;
};

export interface HubStats extends Counts {
  readonly uptimeS: number;
  readonly storeId: string;
  readonly lastEventId: number;
  readonly clients: Readonly<Record<ClientType, number>>;
  /** Those of the original protocol among them. */
  readonly legacyClients: number;
  /** Connections that have not identified themselves. */
  readonly unidentified: number;
  readonly subscribers: number;
  /** Clients without credit at this moment. */
  readonly throttledClients: number;
  readonly uncommittedBytes: number;
  /** Transactions of the store, milliseconds with their fsync; `ack` is from receiving a batch to its commit. */
  readonly commits: number;
  readonly averageCommitMs: number;
  readonly longestCommitMs: number;
  readonly ackLatencyMs: number;
  /** Bytes that wait in memory for clients to read them. */
  readonly bufferedBytes: number;
}

const BEAT_MS = 1000;
/** For clients to take their last acknowledgements and close. */
const DRAIN_DEADLINE_MS = 3000;
const CLOSE_TIMEOUT_MS = 2000;

/**
 * The upstream server: takes messages of edges exactly once in effect, and passes them on to subscribers.
 *
 * A message is acknowledged after it is on disk, and broadcast after that.
 */
export class Hub {
  readonly #options: HubOptions;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #context: HubContext;
  readonly #startedMs: number;
  readonly #version = packageVersion();
  #nextConnection = 1;
  #beat: TimerHandle | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(options: HubOptions, store: HubStore) {
    const { clock, log, tokens, limits = DEFAULT_HUB_LIMITS } = options;
    this.#options = options;
    this.#startedMs = clock.monotonicMs();
    this.#context = {
      tokens,
      store,
      clock,
      log,
      fanOut: new FanOut({
        clock,
        read: (request) => store.read(request),
        lastEventId: store.openedAtEventId,
      }),
      registry: new SessionRegistry(),
      counters: new HubCounters(),
      limits,
      load: new IngestLoad(),
      doorman: new Doorman(limits),
      forkRefusals: new ForkRefusals(),
    };
    this.#server = createServer({ keepAlive: true, keepAliveInitialDelay: 10_000 });
    this.#sockets = new WebSocketServer(socketOptions());
  }

  /**
   * Opens the store and listens.
   * @throws ApexError HUB_ADDRESS, or those of opening the store
   */
  static async start(options: HubOptions): Promise<Hub> {
    const store = await HubStore.open(options);
    const hub = new Hub(options, store);
    try {
      await hub.#listen();
    } catch (error) {
      await store.close();
      throw error;
    }
    return hub;
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  stats(): HubStats {
    const { counters, registry, fanOut, store, load, doorman } = this.#context;
    const { commits, averageMs, longestMs } = store.commitTimes;
    return {
      ...counters,
      uptimeS: this.#uptimeS(),
      storeId: store.storeId,
      lastEventId: fanOut.publishedThrough,
      clients: registry.countByType(),
      legacyClients: registry.count(({ isLegacy }) => isLegacy),
      unidentified: doorman.waiting,
      throttledClients: registry.count(({ isThrottled }) => isThrottled),
      uncommittedBytes: load.uncommittedBytes,
      commits,
      averageCommitMs: averageMs,
      longestCommitMs: longestMs,
      ackLatencyMs: load.latencyMs,
      subscribers: fanOut.subscriberCount,
      bufferedBytes: registry.bufferedBytes,
    };
  }

  /**
   * Ends in good order within 5 s: no new clients, everything received is committed and acknowledged, clients are
   * told when to come back. Calling it again waits for the same end.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #listen(): Promise<void> {
    const { host, port, log, clock } = this.#options;
    const server = this.#server;
    server.on('request', (request, response) =>
      answerHttp(request, response, () => this.#health()),
    );
    server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        const message = `cannot listen on ${host}:${port}: ${error.message}`;
        reject(new ApexError('HUB_ADDRESS', message, { cause: error }));
      });
      server.listen(port, host, resolve);
    });
    server.on('error', (error) => log.error({ err: error }, 'server error'));
    const beat = (): void => {
      for (const session of this.#context.registry.connections()) session.tick(BEAT_MS);
      this.#context.doorman.sweep(clock.monotonicMs());
      this.#beat = clock.setTimeout(beat, BEAT_MS);
    };
    this.#beat = clock.setTimeout(beat, BEAT_MS);
    log.info({ ...this.address, store_id: this.#context.store.storeId }, 'hub listening');
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', (error) => this.#options.log.debug({ err: error }, 'handshake failed'));
    if (!isWebSocketPath(request)) refuseUpgrade(socket, '404 Not Found');
    else if (this.#stopping !== undefined) refuseUpgrade(socket, '503 Service Unavailable');
    else if (this.#context.doorman.admit(addressOf(request)))
      this.#upgrade(request, socket as Socket, head);
    else {
      this.#context.counters.connectionsRefused++;
      refuseUpgrade(socket, '503 Service Unavailable');
    }
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const remoteAddress = addressOf(request);
    let isTaken = false;
    // A handshake with mistakes is answered by ws, and no session comes of it.
    socket.once('close', () => {
      if (!isTaken) this.#context.doorman.leave(remoteAddress);
    });
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      isTaken = true;
      this.#onConnection(ws, socket, remoteAddress);
    });
  }

  #onConnection(ws: WebSocket, socket: Socket, remoteAddress: string): void {
    const connectionId = `c-${this.#nextConnection++}`;
    this.#context.counters.connections++;
    new HubSession(ws, this.#context, { connectionId, remoteAddress, socket }).start();
  }

  async #stop(): Promise<void> {
    const { random, clock, log } = this.#options;
    const { registry, store } = this.#context;
    const sessions = registry.connections();
    log.info({ clients: sessions.length }, 'hub draining');
    const { cap_ms: spreadMs } = reconnectAdvice(sessions.length);
    for (const session of sessions) session.drain(random() * spreadMs, DRAIN_DEADLINE_MS);
    let deadline: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = clock.setTimeout(resolve, DRAIN_DEADLINE_MS);
    });
    await Promise.race([registry.empty(), late]);
    deadline?.cancel();
    this.#beat?.cancel();
    for (const session of registry.connections()) session.terminate();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    await store.close();
    log.info({}, 'hub stopped');
  }

  #health(): Health {
    const { counters, registry } = this.#context;
    const clients = registry.countByType();
    return {
      status: 'Server is running',
      websocket: {
        enhanced_server: true,
        connected_clients: Object.values(clients).reduce((sum, count) => sum + count, 0),
        messages_processed: counters.messagesStored,
        ai_engine_connected: clients.ai_engine > 0,
        uptime: this.#uptimeS(),
      },
      version: this.#version,
    };
  }

  #uptimeS(): number {
    return Math.floor((this.#options.clock.monotonicMs() - this.#startedMs) / 1000);
  }
}

function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown';
}

function socketOptions(): ServerOptions {
  // A name of its own, because the published types lack `closeTimeout`.
  const options: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // The session answers a frame over the limit with 4413; one far over it is cut off while it comes (1009).
    maxPayload: 2 * LIMITS.maxFrameBytes,
    maxFragments: 64,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  return options;
}
