import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { ApexError, asApexError } from '../system/errors.ts';
import { controlSocketPath } from './control-socket.ts';

/** A text goes out as `text/plain` in the form that Prometheus reads, everything else as JSON. */
export type ControlPage = () => Promise<unknown>;

/** Does what a request asks for; told as JSON. An ApexError is told with its code. */
export type ControlAction = (input: unknown) => Promise<unknown>;

/** What a request may bring along. */
const MAX_INPUT_BYTES = 64 * 1024;
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Answers `GET` of its pages and `POST` of its actions on a socket in the data folder, for `apex-edge status` and its likes on the same
 * machine. Who may use it is decided by the file's owner: mode 0600.
 */
export class ControlServer {
  readonly #dataDir: string;
  readonly #pages: Readonly<Record<string, ControlPage>>;
  readonly #actions: Readonly<Record<string, ControlAction>>;
  #server: Server | null = null;

  /** @param pages by path, such as `/status` @param actions the same */
  constructor(
    dataDir: string,
    pages: Readonly<Record<string, ControlPage>>,
    actions: Readonly<Record<string, ControlAction>> = {},
  ) {
    this.#dataDir = dataDir;
    this.#pages = pages;
    this.#actions = actions;
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

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method, url = '' } = request;
    const action = Object.hasOwn(this.#actions, url) ? this.#actions[url] : undefined;
    if (method === 'POST' && action !== undefined) {
      void perform(action, request, response);
      return;
    }
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

async function perform(
  action: ControlAction,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const answer = await action(await inputOf(request));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  } catch (error) {
    const failure = asApexError(error, 'API_STATUS_FAILED');
    response.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify(failure));
  }
}

async function inputOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_INPUT_BYTES) throw new ApexError('API_STATUS_FAILED', 'a request too large');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
}
