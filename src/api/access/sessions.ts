import { createHash } from 'node:crypto';
import type { HubToken } from '../../hub/door/tokens.ts';
import type { Clock } from '../../system/clock.ts';

/** A browser in which somebody has shown a token. */
export interface Session {
  /** Names the session where its secret must not stand. */
  readonly id: string;
  readonly token: HubToken;
}

/** As it is written down: who finds it cannot use it. */
export interface SavedSession {
  /** SHA-256 of the secret, hexadecimal. */
  readonly secret_sha256: string;
  readonly token_sha256: string;
  readonly idle_ms: number;
  readonly age_ms: number;
}

interface OpenSession extends Session {
  readonly digest: string;
  readonly begunMs: number;
  usedMs: number;
}

/** Nobody was there for so long: the next one may be somebody else. */
const IDLE_MS = 12 * 3600_000;
const LONGEST_MS = 30 * 24 * 3600_000;
/** Of all tokens; beyond them the one that was used longest ago ends. */
const MOST = 1000;

export interface SessionsOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** 256 random bits as text. */
  readonly newSecret: () => string;
  /** The list is another one now. */
  readonly onChange: () => void;
}

/** Sessions of the console, by digests of their secrets. The wall clock plays no part. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #open = new Map<string, OpenSession>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** @returns the secret, for the browser alone */
  begin(token: HubToken): string {
    const secret = this.#options.newSecret();
    const nowMs = this.#options.clock.monotonicMs();
    this.#sweep(nowMs);
    this.#add({ digest: digestOf(secret), token, begunMs: nowMs, usedMs: nowMs });
    this.#options.onChange();
    return secret;
  }

  /** Null for what is none, or none any more. */
  find(secret: string): Session | null {
    const nowMs = this.#options.clock.monotonicMs();
    const session = this.#open.get(digestOf(secret));
    if (session === undefined) return null;
    if (hasEnded(session, nowMs)) {
      this.#end(session);
      return null;
    }
    session.usedMs = nowMs;
    // The newest stands last.
    this.#open.delete(session.digest);
    this.#open.set(session.digest, session);
    return session;
  }

  /** Whether a session goes on, without using it. */
  isOpen(id: string): boolean {
    return this.#byId(id) !== undefined;
  }

  end(id: string): void {
    const session = this.#byId(id);
    if (session !== undefined) this.#end(session);
  }

  /** Ends those of tokens that are no longer good. */
  keepOnly(isGood: (token: HubToken) => boolean): void {
    for (const session of [...this.#open.values()]) if (!isGood(session.token)) this.#end(session);
  }

  saved(): SavedSession[] {
    const nowMs = this.#options.clock.monotonicMs();
    return [...this.#open.values()].map(({ digest, token, begunMs, usedMs }) => ({
      secret_sha256: digest,
      token_sha256: token.sha256,
      idle_ms: nowMs - usedMs,
      age_ms: nowMs - begunMs,
    }));
  }

  /**
   * Goes on with what an earlier run knew.
   * @param tokens those that are good now: a session of another one is over
   */
  restore(saved: readonly SavedSession[], tokens: readonly HubToken[]): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const { secret_sha256: digest, token_sha256, idle_ms, age_ms } of saved) {
      const token = tokens.find(({ sha256 }) => sha256 === token_sha256);
      if (token === undefined) continue;
      const session = { digest, token, begunMs: nowMs - age_ms, usedMs: nowMs - idle_ms };
      if (!hasEnded(session, nowMs)) this.#add(session);
    }
  }

  #byId(id: string): OpenSession | undefined {
    return [...this.#open.values()].find((each) => each.id === id);
  }

  #add(session: Omit<OpenSession, 'id'>): void {
    this.#open.set(session.digest, { ...session, id: session.digest.slice(0, 16) });
    const [oldest] = this.#open.values();
    if (this.#open.size > MOST && oldest !== undefined) this.#open.delete(oldest.digest);
  }

  #sweep(nowMs: number): void {
    for (const session of [...this.#open.values()])
      if (hasEnded(session, nowMs)) this.#open.delete(session.digest);
  }

  #end({ digest }: OpenSession): void {
    if (this.#open.delete(digest)) this.#options.onChange();
  }
}

function hasEnded({ begunMs, usedMs }: Pick<OpenSession, 'begunMs' | 'usedMs'>, nowMs: number) {
  return nowMs - usedMs >= IDLE_MS || nowMs - begunMs >= LONGEST_MS;
}

/** Of a secret of 256 random bits: see `checkToken` for why a plain digest is enough. */
function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
