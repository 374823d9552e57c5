import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock, type TimerHandle } from '../../system/clock.ts';
import { asApexError, type ErrorCode } from '../../system/errors.ts';
import { type NewToken, type StoredToken, TokenFile } from './token-file.ts';

/**
 * Thread that watches the hub's list of tokens, so that no lock and no fsync of it stops the hub. `workerData`:
 * {path}. Takes `TokenOrder`, sends `TokenNotice`.
 */

export type TokenOrder =
  | { readonly do: 'note_uses'; readonly uses: ReadonlyMap<string, number> }
  | { readonly do: 'change'; readonly id: number; readonly change: TokenChange }
  | { readonly do: 'close' };

/** Answered with `changed`. */
export type TokenChange =
  | { readonly kind: 'add'; readonly token: NewToken }
  | { readonly kind: 'revoke'; readonly name: string; readonly nowMs: number };

export type TokenNotice =
  | { readonly kind: 'tokens'; readonly tokens: readonly StoredToken[] }
  /** Null for what was done; the list came before it. */
  | {
      readonly kind: 'changed';
      readonly id: number;
      readonly error: { readonly code: ErrorCode; readonly message: string } | null;
    }
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

  change(id: number, change: TokenChange): void {
    try {
      this.#followFile();
      if (change.kind === 'add') this.#file.add(change.token);
      else this.#file.revoke(change.name, change.nowMs);
      // Its own writes do not show in the version of the file.
      notify({ kind: 'tokens', tokens: this.#file.list() });
      notify({ kind: 'changed', id, error: null });
    } catch (error) {
      const { code, message } = asApexError(error, 'STORE_UNREADABLE');
      notify({ kind: 'changed', id, error: { code, message } });
    }
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
    if (order.do === 'change') return thread.change(order.id, order.change);
    thread.close();
    parentPort?.close();
  });
  thread.poll();
} catch (error) {
  const { code, message } = asApexError(error, 'STORE_UNREADABLE');
  notify({ kind: 'failed', code, message });
}
