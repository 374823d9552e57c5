import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { WebSocket } from 'ws';
import { LIMITS } from '../../protocol/limits.ts';
import type { Payload } from '../dialect/dialect.ts';
import { connectOptions, type TlsOptions } from './tls.ts';

const HANDSHAKE_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;

/** How a socket ended. */
export interface SocketEnd {
  /** WebSocket close code; 1006 where there was no closing handshake. */
  readonly code: number;
  readonly reason: string;
  readonly error: Error | null;
  /** Of a handshake that the server answered with something else. */
  readonly http: { readonly status: number; readonly retryAfterMs: number | null } | null;
}

export interface SocketHandlers {
  onOpen(): void;
  onText(text: string): void;
  onBinary(bytes: Uint8Array): void;
  /** A control frame came in. */
  onSign(): void;
  /** Called once, whatever happened. */
  onEnd(end: SocketEnd): void;
}

/** What the uplink needs of a WebSocket. */
export interface UplinkSocket {
  readonly bufferedBytes: number;
  /** @param onWritten called when the kernel has taken the payload */
  send(payload: Payload, onWritten?: () => void): void;
  ping(): void;
  close(code: number): void;
  /** Ends at once; `close` would wait for a peer that may be gone. */
  terminate(): void;
}

/** Opens a WebSocket. Never throws for what happens on the network: that comes as `onEnd`. */
export function dial(url: string, tls: TlsOptions, handlers: SocketHandlers): UplinkSocket {
  const ws = new WebSocket(url, {
    ...connectOptions(tls),
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: LIMITS.maxFrameBytes,
    followRedirects: false,
  });
  let error: Error | null = null;
  let http: SocketEnd['http'] = null;
  ws.on('upgrade', (response) => tune(response.socket));
  ws.on('open', () => handlers.onOpen());
  ws.on('message', (data, isBinary) => {
    // One Buffer: `binaryType` is nodebuffer.
    const bytes = data as Buffer;
    if (isBinary) handlers.onBinary(bytes);
    else handlers.onText(bytes.toString('utf8'));
  });
  ws.on('ping', () => handlers.onSign());
  ws.on('pong', () => handlers.onSign());
  ws.on('error', (cause) => {
    error ??= cause;
  });
  ws.on('unexpected-response', (request, response) => {
    http = { status: response.statusCode ?? 0, retryAfterMs: retryAfterMs(response) };
    error ??= new Error(`the server answered HTTP ${http.status}`);
    request.destroy();
    ws.terminate();
  });
  ws.on('close', (code, reason) => {
    handlers.onEnd({ code, reason: reason.toString('utf8'), error, http });
  });
  return {
    get bufferedBytes() {
      return ws.bufferedAmount;
    },
    // A failed write is followed by 'close', which says it all.
    send: (payload, onWritten) => ws.send(payload, () => onWritten?.()),
    ping: () => ws.ping(),
    close: (code) => ws.close(code),
    terminate: () => ws.terminate(),
  };
}

function tune(socket: NetSocket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

/** Seconds of `Retry-After`; its date form is not used by hubs. */
function retryAfterMs(response: IncomingMessage): number | null {
  const seconds = Number(response.headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
