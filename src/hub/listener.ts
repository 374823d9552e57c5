import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { LIMITS } from '../protocol/limits.ts';
import type { TimerHandle } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import { certificateOf, ListenerCertificate, type ListenerTls } from './door/listener-tls.ts';
import { mayComeFrom } from './door/origins.ts';
import type { SessionContext } from './hub-context.ts';

export interface ListenerOptions {
  readonly hub: Pick<SessionContext, 'counters' | 'doorman' | 'log' | 'visitorLog' | 'clock'>;
  /** Plain HTTP without. */
  readonly tls?: ListenerTls | undefined;
  /** Origins of pages that may connect, beside those of the hub itself. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** No new clients are taken any more. */
  readonly isDraining: () => boolean;
  /** A WebSocket was opened; whoever takes it has its address leave the doorman once. */
  readonly onConnection: (ws: WebSocket, socket: Socket, remoteAddress: string) => void;
}

const CLOSE_TIMEOUT_MS = 2000;
/** For the head of a request to come in; `AnswerWatch` sees to its body. */
const HEADERS_TIMEOUT_MS = 10_000;
const CHECKED_EVERY_MS = 5000;
/** For the next request on a connection. */
const KEEP_ALIVE_MS = 5000;
/** How soon a renewed certificate is in use. */
const CERTIFICATE_READ_EVERY_MS = 2000;
const WEBSOCKET_PATHS = new Set(['/', '/ws']);

const SERVER_OPTIONS = {
  keepAlive: true,
  keepAliveInitialDelay: 10_000,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: 0,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: CHECKED_EVERY_MS,
};

/** The hub's port: WebSockets at `/` and `/ws`; other requests go to who listens for them on `server`. */
export class HubListener {
  readonly server: Server;
  readonly #options: ListenerOptions;
  readonly #sockets = new WebSocketServer(socketOptions());
  readonly #tls:
    | { readonly server: TlsServer; readonly certificate: ListenerCertificate }
    | undefined;
  #renewal: TimerHandle | undefined;

  /** @throws ApexError HUB_TLS, and what reading certificates throws */
  constructor(options: ListenerOptions) {
    this.#options = options;
    const { tls, hub } = options;
    if (tls === undefined) {
      this.server = createServer(SERVER_OPTIONS);
      return;
    }
    const certificate = new ListenerCertificate(tls, hub.log);
    const server = createTlsServer({
      ...SERVER_OPTIONS,
      ...certificate.inUse,
      handshakeTimeout: HEADERS_TIMEOUT_MS,
      requestCert: tls.clientCertificates !== 'off',
      rejectUnauthorized: tls.clientCertificates === 'require',
    });
    // A certificate that says nothing must not be taken for none.
    server.on('secureConnection', (socket) => {
      if (certificateOf(socket).kind === 'untrusted') socket.destroy();
    });
    server.on('tlsClientError', (error) => hub.log.debug({ err: error }, 'TLS handshake failed'));
    this.#tls = { server, certificate };
    this.server = server;
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.server.address() as AddressInfo;
    return { host: address, port };
  }

  /** @throws ApexError HUB_ADDRESS */
  async listen(host: string, port: number): Promise<void> {
    const { server } = this;
    const { log } = this.#options.hub;
    server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        const message = `cannot listen on ${host}:${port}: ${error.message}`;
        reject(new ApexError('HUB_ADDRESS', message, { cause: error }));
      });
      server.listen(port, host, resolve);
    });
    server.on('error', (error) => log.error({ err: error }, 'server error'));
    this.#renewLater();
  }

  /** Ends what connections are left. */
  close(): Promise<void> {
    this.#renewal?.cancel();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  /** A renewed certificate is for the connections that come; those that are there keep theirs. */
  #renewLater(): void {
    const tls = this.#tls;
    if (tls === undefined) return;
    this.#renewal = this.#options.hub.clock.setTimeout(() => {
      if (tls.certificate.refresh()) tls.server.setSecureContext(tls.certificate.inUse);
      this.#renewLater();
    }, CERTIFICATE_READ_EVERY_MS);
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { hub, isDraining, allowedOrigins = [] } = this.#options;
    const { origin, host } = request.headers;
    socket.on('error', (error) => hub.log.debug({ err: error }, 'handshake failed'));
    if (!isWebSocketPath(request)) refuseUpgrade(socket, '404 Not Found');
    else if (!mayComeFrom(origin, host, allowedOrigins)) {
      hub.counters.originsRefused++;
      hub.visitorLog.warn({ remote: addressOf(request), origin }, 'page of another origin refused');
      refuseUpgrade(socket, '403 Forbidden');
    } else if (isDraining()) refuseUpgrade(socket, '503 Service Unavailable');
    else if (hub.doorman.admit(addressOf(request))) this.#upgrade(request, socket as Socket, head);
    else {
      hub.counters.connectionsRefused++;
      refuseUpgrade(socket, '503 Service Unavailable');
    }
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const remoteAddress = addressOf(request);
    let isTaken = false;
    // A handshake with mistakes is answered by ws, and no session comes of it.
    socket.once('close', () => {
      if (!isTaken) this.#options.hub.doorman.leave(remoteAddress);
    });
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      isTaken = true;
      this.#options.onConnection(ws, socket, remoteAddress);
    });
  }
}

function isWebSocketPath(request: IncomingMessage): boolean {
  return WEBSOCKET_PATHS.has((request.url ?? '/').split('?', 1)[0] ?? '/');
}

/** Refuses a WebSocket handshake with an HTTP status. */
function refuseUpgrade(
  socket: Duplex,
  status: '403 Forbidden' | '404 Not Found' | '503 Service Unavailable',
) {
  const retry = status.startsWith('503') ? 'Retry-After: 1\r\n' : '';
  // A peer that never closes its side would keep the socket, and with it the server, open for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`);
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
    // One frame of a client at a time: what has come at once from one would keep all others waiting.
    allowSynchronousEvents: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  return options;
}
