import type { ClientType } from '../../protocol/session.ts';
import type { StoredToken } from './token-file.ts';
import { checkToken, type HubToken, hasExpired, type TokenVerdict } from './tokens.ts';

/** The last use of a token is written down no more often. */
const USE_WRITTEN_EVERY_MS = 60_000;

interface TokenUse {
  readonly usedMs: number;
  readonly writtenMs: number;
}

/** Every token that is not revoked: those of the configuration, and of the hub's own list as it is now. */
export class TokenDirectory {
  readonly #fixed: readonly HubToken[];
  #all: readonly HubToken[];
  #inForce = new Set<string>();
  #stored = new Set<string>();
  /** By digest, of tokens of the list. */
  readonly #uses = new Map<string, TokenUse>();

  /** @param fixed tokens of the configuration */
  constructor(fixed: readonly HubToken[]) {
    this.#fixed = fixed;
    this.#all = fixed;
    this.replaceStored([]);
  }

  /** Expired ones among them. */
  get all(): readonly HubToken[] {
    return this.#all;
  }

  /** The list has changed. */
  replaceStored(tokens: readonly StoredToken[]): void {
    const stored = tokens.filter(({ revokedMs }) => revokedMs === undefined);
    this.#all = [...this.#fixed, ...stored];
    this.#inForce = digestsOf(this.#all);
    this.#stored = digestsOf(stored);
    for (const digest of this.#uses.keys())
      if (!this.#stored.has(digest)) this.#uses.delete(digest);
  }

  /** @param nowMs Unix milliseconds */
  check(presented: string, clientType: ClientType | 'any', nowMs: number): TokenVerdict {
    return checkToken(this.#all, presented, clientType, nowMs);
  }

  /** Why a token that was admitted is no longer good; null while it is. @param nowMs Unix milliseconds */
  faultOf(token: HubToken, nowMs: number): string | null {
    if (!this.#inForce.has(token.sha256)) return 'the token was revoked';
    return hasExpired(token, nowMs) ? 'the token has expired' : null;
  }

  /** @param nowMs Unix milliseconds */
  noteUse({ sha256 }: HubToken, nowMs: number): void {
    if (!this.#stored.has(sha256)) return;
    const writtenMs = this.#uses.get(sha256)?.writtenMs ?? Number.NEGATIVE_INFINITY;
    this.#uses.set(sha256, { usedMs: nowMs, writtenMs });
  }

  /** Last uses by digest that are due to be written down; they count as written. */
  takeUses(): ReadonlyMap<string, number> {
    const due = new Map<string, number>();
    for (const [digest, { usedMs, writtenMs }] of this.#uses) {
      // A wall clock that was set back makes the rest wait, no more.
      if (usedMs - writtenMs < USE_WRITTEN_EVERY_MS) continue;
      due.set(digest, usedMs);
      this.#uses.set(digest, { usedMs, writtenMs: usedMs });
    }
    return due;
  }
}

function digestsOf(tokens: readonly HubToken[]): Set<string> {
  return new Set(tokens.map(({ sha256 }) => sha256));
}
