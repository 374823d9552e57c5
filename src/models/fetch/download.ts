import { type FileHandle, open, stat, truncate } from 'node:fs/promises';
import type { Clock } from '../../system/clock.ts';

/** The source answers nothing for this long: the connection is given up and tried again. */
const STALL_MS = 30_000;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 500;
const RANGE_NOT_SATISFIABLE = 416;

export interface DownloadOptions {
  clock: Clock;
  signal?: AbortSignal | undefined;
  onProgress?:
    | ((received: number, total: number | null, bytesPerSecond: number) => void)
    | undefined;
}

export interface DownloadResult {
  /** Some of the bytes are from an earlier attempt. */
  resumed: boolean;
}

/** An answer that trying again does not change. */
class Refusal extends Error {}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** undici hides what happened ("fetch failed") in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as {
    message?: string;
    cause?: { code?: string; message?: string };
  };
  const inner = cause?.message || cause?.code;
  return inner ? `${message}: ${inner}` : String(message ?? error);
}

function isRetryable(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** `fetch` refuses addresses with user info, and would show them in its message. */
function withoutCredentials(address: string): { url: URL; headers: Record<string, string> } {
  const url = new URL(address);
  if (url.username === '') return { url, headers: {} };
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url, headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } };
}

/** First byte that the answer holds. The server may ignore the range, and then sends all. */
function startOf(response: Response): number {
  if (response.status !== 206) return 0;
  return Number(response.headers.get('content-range')?.match(/^bytes (\d+)-/)?.[1] ?? Number.NaN);
}

class Attempt {
  readonly #url: string;
  readonly #path: string;
  readonly #options: DownloadOptions;
  readonly #stalled = new AbortController();

  constructor(url: string, path: string, options: DownloadOptions) {
    this.#url = url;
    this.#path = path;
    this.#options = options;
  }

  async run(have: number): Promise<void> {
    const { clock } = this.#options;
    const giveUp = () => this.#stalled.abort(new Error(`no data for ${STALL_MS / 1000} s`));
    let timer = clock.setTimeout(giveUp, STALL_MS);
    const alive = (): void => {
      timer.cancel();
      timer = clock.setTimeout(giveUp, STALL_MS);
    };
    try {
      await this.#transfer(have, alive);
    } finally {
      timer.cancel();
    }
  }

  async #transfer(have: number, alive: () => void): Promise<void> {
    const response = await this.#request(have);
    const start = startOf(response);
    const length = response.headers.get('content-length');
    // A compressed answer's length is not that of the file.
    const isPlain = response.headers.get('content-encoding') === null;
    const total = length === null || !isPlain ? null : start + Number(length);
    const file = await open(this.#path, start === 0 ? 'w' : 'a');
    try {
      const received = await this.#receive(response, file, { start, total }, alive);
      if (total !== null && received !== total) throw new Error('the connection was cut');
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #request(have: number): Promise<Response> {
    const { signal } = this.#options;
    const { url, headers } = withoutCredentials(this.#url);
    const response = await fetch(url, {
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(have > 0 ? { range: `bytes=${have}-` } : {}),
      },
      signal:
        signal === undefined
          ? this.#stalled.signal
          : AbortSignal.any([signal, this.#stalled.signal]),
    });
    const isElsewhere = response.status === 206 && startOf(response) !== have;
    if (response.ok && !isElsewhere) return response;
    await response.body?.cancel();
    if (isElsewhere || (response.status === RANGE_NOT_SATISFIABLE && have > 0)) {
      // What is here is not the beginning of what is there.
      await truncate(this.#path);
      throw new Error('the server cannot go on where the download stopped');
    }
    const message = `the server answered ${response.status} ${response.statusText}`.trim();
    throw isRetryable(response.status) ? new Error(message) : new Refusal(message);
  }

  async #receive(
    response: Response,
    file: FileHandle,
    { start, total }: { start: number; total: number | null },
    alive: () => void,
  ): Promise<number> {
    const { clock, onProgress } = this.#options;
    const began = clock.monotonicMs();
    let received = start;
    for await (const chunk of response.body ?? []) {
      alive();
      await file.writeFile(chunk as Uint8Array);
      received += (chunk as Uint8Array).length;
      const seconds = Math.max(0.001, (clock.monotonicMs() - began) / 1000);
      onProgress?.(received, total, (received - start) / seconds);
    }
    return received;
  }
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, delayMs);
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/**
 * Downloads to a file, going on where an earlier attempt stopped. A cut or silent connection is tried again a
 * few times; what has arrived stays in the file for the next call.
 *
 * @throws Error with the reason in plain words, or the signal's reason when it was aborted
 */
export async function download(
  url: string,
  path: string,
  options: DownloadOptions,
): Promise<DownloadResult> {
  const before = await sizeOf(path);
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      await new Attempt(url, path, options).run(await sizeOf(path));
      return { resumed: before > 0 };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof Refusal || attempt === ATTEMPTS)
        throw new Error(reasonOf(error), { cause: error });
      await pause(options.clock, FIRST_PAUSE_MS * 2 ** (attempt - 1), options.signal);
    }
  }
}
