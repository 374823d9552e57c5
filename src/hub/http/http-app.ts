import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';

export interface HttpAppOptions {
  /** Listens for somebody else too: upgrades to WebSockets. */
  readonly server: Server;
  /** Whether a request is to be answered; where it is not, its connection is gone. */
  readonly admit: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly bodyLimit: number;
  readonly onError: (
    error: FastifyError,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => FastifyReply;
}

/** Routes of a server that somebody else has opened, and closes. No route takes a body until a parser is added. */
export function httpApp({ server, admit, bodyLimit, onError }: HttpAppOptions): FastifyInstance {
  const app = fastify({
    serverFactory: (handler) =>
      server.on('request', (request, response) => {
        if (admit(request, response)) handler(request, response);
      }),
    bodyLimit,
    return503OnClosing: false,
    frameworkErrors: onError,
    // It is closed by whoever gave it.
    forceCloseConnections: false,
    clientErrorHandler: (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    },
  });
  app.removeAllContentTypeParsers();
  app.setErrorHandler(onError);
  return app;
}
