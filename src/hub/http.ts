import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Body of GET /api/health. */
export interface Health {
  status: 'Server is running';
  websocket: {
    enhanced_server: true;
    connected_clients: number;
    messages_processed: number;
    ai_engine_connected: boolean;
    /** Seconds. */
    uptime: number;
  };
  version: string;
}

const WEBSOCKET_PATHS = new Set(['/', '/ws']);

export function isWebSocketPath(request: IncomingMessage): boolean {
  return WEBSOCKET_PATHS.has(pathOf(request));
}

/** Answers plain HTTP: the health page, and 404 for everything else. */
export function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  health: () => Health,
): void {
  const isHealth = request.method === 'GET' && pathOf(request) === '/api/health';
  const body = JSON.stringify(isHealth ? health() : { error: 'not_found' });
  response.writeHead(isHealth ? 200 : 404, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

/** Refuses a WebSocket handshake with an HTTP status. */
export function refuseUpgrade(socket: Duplex, status: '404 Not Found' | '503 Service Unavailable') {
  const retry = status.startsWith('503') ? 'Retry-After: 1\r\n' : '';
  // A peer that never closes its side would keep the socket, and with it the server, open for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}
