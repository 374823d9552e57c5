import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { ApexError } from '../system/errors.ts';
import { controlSocketPath } from './control-socket.ts';

/** A text goes out as `text/plain` in the form that Prometheus reads, everything else as JSON. */
export type ControlPage = () => Promise<unknown>;

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Answers `GET` of its pages on a socket in the data folder, for `apex-edge status` and its likes on the same
 * machine. Who may use it is decided by the file's owner: mode 0600.
 */
export class ControlServer {
  readonly #dataDir: string;
  readonly #pages: Readonly<Record<string, ControlPage>>;
  #server: Server | null = null;

  /** @param pages by path, such as `/status` */
  constructor(dataDir: string, pages: Readonly<Record<string, ControlPage>>) {
    this.#dataDir = dataDir;
    this.#pages = pages;
  }

  async start(): Promise<void> {
    const path = controlSocketPath(this.#dataDir);
    mkdirSync(dirname(path), { recursive: true });
    // The store's lock has already shown that no other daemon uses this folder: what lies here is left over.
    rmSync(path, { force: true });
    const server = createServer((request, response) => this.#answer(request, response));
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

  #answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    const page = Object.hasOwn(this.#pages, url) ? this.#pages[url] : undefined;
    if (method !== 'GET' || page === undefined) {
      response.writeHead(404).end(`this daemon has no page ${url}`);
      return;
    }
    page().then(
      (answer) => {
        const isText = typeof answer === 'string';
        response.writeHead(200, { 'content-type': isText ? TEXT : 'application/json' });
        response.end(isText ? answer : JSON.stringify(answer));
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  }
}
