import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock, type TimerHandle } from '../../system/clock.ts';
import { asApexError, type ErrorCode } from '../../system/errors.ts';
import { type StoredToken, TokenFile } from './token-file.ts';

/**
 * Thread that watches the hub's list of tokens, so that no lock and no fsync of it stops the hub. `workerData`:
 * {path}. Takes `TokenOrder`, sends `TokenNotice`.
 */

export type TokenOrder =
  | { readonly do: 'note_uses'; readonly uses: ReadonlyMap<string, number> }
  | { readonly do: 'close' };

export type TokenNotice =
  | { readonly kind: 'tokens'; readonly tokens: readonly StoredToken[] }
  /** The list could not be read or written this time. */
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

const POLL_MS = 500;

class TokenThread {
  readonly #path: string;
  #file: TokenFile;
  #inode: number;
  #version: number | undefined;
  #lastFault = '';
  #timer: TimerHandle | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#file = new TokenFile(path);
    this.#inode = statSync(path).ino;
  }

  poll(): void {
    this.#attempt(() => this.#read());
    this.#timer = systemClock.setTimeout(() => this.poll(), POLL_MS);
  }

  noteUses(uses: ReadonlyMap<string, number>): void {
    this.#attempt(() => this.#file.noteUses(uses));
  }

  close(): void {
    this.#timer?.cancel();
    this.#file.close();
  }

  #read(): void {
    this.#followFile();
    const { version } = this.#file;
    if (version === this.#version) return;
    notify({ kind: 'tokens', tokens: this.#file.list() });
    this.#version = version;
  }

  /** Somebody may have put another file in its place, from a backup for example. */
  #followFile(): void {
    const inode = statSync(this.#path, { throwIfNoEntry: false })?.ino;
    if (inode === this.#inode) return;
    const file = new TokenFile(this.#path);
    this.#file.close();
    this.#file = file;
    this.#inode = statSync(this.#path).ino;
    this.#version = undefined;
  }

  #attempt(work: () => void): void {
    try {
      work();
      this.#lastFault = '';
    } catch (error) {
      const { code, message } = asApexError(error, 'STORE_UNREADABLE');
      if (message !== this.#lastFault) notify({ kind: 'failed', code, message });
      this.#lastFault = message;
    }
  }
}

function notify(notice: TokenNotice): void {
  parentPort?.postMessage(notice);
}

try {
  const thread = new TokenThread((workerData as { path: string }).path);
  parentPort?.on('message', (order: TokenOrder) => {
    if (order.do === 'note_uses') return thread.noteUses(order.uses);
    thread.close();
    parentPort?.close();
  });
  thread.poll();
} catch (error) {
  const { code, message } = asApexError(error, 'STORE_UNREADABLE');
  notify({ kind: 'failed', code, message });
}
