import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { dirname } from 'node:path';
import { ApexError } from '../system/errors.ts';
import { controlSocketPath } from './control-socket.ts';

/**
 * Answers `GET /status` on a socket in the data folder, for `apex-edge status` on the same machine.
 * Who may use it is decided by the file's owner: mode 0600.
 */
export class ControlServer {
  readonly #dataDir: string;
  readonly #status: () => Promise<unknown>;
  #server: Server | null = null;

  constructor(dataDir: string, status: () => Promise<unknown>) {
    this.#dataDir = dataDir;
    this.#status = status;
  }

  async start(): Promise<void> {
    const path = controlSocketPath(this.#dataDir);
    mkdirSync(dirname(path), { recursive: true });
    // The store's lock has already shown that no other daemon uses this folder: what lies here is left over.
    rmSync(path, { force: true });
    const server = createServer((request, response) => {
      if (request.method !== 'GET' || request.url !== '/status') {
        response.writeHead(404).end();
        return;
      }
      this.#status().then(
        (status) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(status));
        },
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new ApexError('API_SOCKET_FAILED', `cannot listen on ${path}`, { cause })),
      );
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
