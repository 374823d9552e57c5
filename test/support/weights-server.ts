import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServedFile {
  content: Buffer;
  /** Answers to a Range request with the rest; true unless told otherwise. */
  ranges?: boolean;
  /**
   * One entry for each coming request: after that many bytes the server falls silent, or closes the connection
   * as soon as the client has said by `delivered` that it has them.
   */
  faults?: { after: number; fault: 'cut' | 'silence' }[];
  /** One entry for each coming request: the status it is refused with, or null. */
  refusals?: (number | null)[];
}

/** A real HTTP server on loopback that serves files, with the faults that downloads meet. */
export class WeightsServer {
  readonly files = new Map<string, ServedFile>();
  /** `PATH RANGE` of every request; `-` without a range. */
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  #toCut: { response: ServerResponse; at: number } | null = null;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Bytes of a file that the client has safely stored: a connection that waits to be cut there is cut. */
  delivered(received: number): void {
    if (this.#toCut === null || received < this.#toCut.at) return;
    this.#toCut.response.destroy();
    this.#toCut = null;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const { range, authorization } = request.headers;
    this.requests.push(`${path} ${range ?? '-'}`);
    this.authorizations.push(authorization);
    const file = this.files.get(path);
    const refusal = file === undefined ? 404 : (file.refusals?.shift() ?? null);
    if (file === undefined || refusal !== null) {
      response.writeHead(refusal ?? 404).end();
      return;
    }
    const { content, ranges = true } = file;
    const start = ranges && range !== undefined ? Number(/\d+/.exec(range)?.[0]) : 0;
    if (start > 0 && start >= content.length) {
      response.writeHead(416).end();
      return;
    }
    const body = content.subarray(start);
    const headers = { 'content-length': body.length };
    const last = content.length - 1;
    if (start > 0) {
      const contentRange = `bytes ${start}-${last}/${content.length}`;
      response.writeHead(206, { ...headers, 'content-range': contentRange });
    } else {
      response.writeHead(200, headers);
    }
    const fault = file.faults?.shift();
    if (fault === undefined) {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, fault.after));
    if (fault.fault === 'cut') this.#toCut = { response, at: start + fault.after };
  }
}
