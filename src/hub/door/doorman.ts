import { TokenBucket } from '../ingest/token-bucket.ts';
import type { HubLimits } from '../limits.ts';
import { addressGroup } from './address-group.ts';

/** Refusals of one address that are answered at once, and how fast that allowance comes back. */
const FAILURES = { perS: 1 / 3, burst: 20 };
/** The longest that a refusal is held back, and the connection with it, beyond its time to identify itself. */
export const MAX_HOLD_MS = 4000;

/**
 * Keeps strangers from using the hub up: counts connections that have not identified themselves, and makes an
 * address that guesses tokens wait for the answers. Who has identified itself is no longer counted, so a fleet
 * behind one address is not held up.
 */
export class Doorman {
  readonly #limits: HubLimits;
  readonly #waiting = new Map<string, number>();
  readonly #failures = new Map<string, TokenBucket>();
  #total = 0;

  constructor(limits: HubLimits) {
    this.#limits = limits;
  }

  /** Connections that have not identified themselves. */
  get waiting(): number {
    return this.#total;
  }

  /** Takes a new connection in, or not. Each one taken has to `leave` once. */
  admit(peer: string): boolean {
    const address = addressGroup(peer);
    const own = this.#waiting.get(address) ?? 0;
    const { unidentified, unidentifiedPerAddress } = this.#limits;
    if (this.#total >= unidentified || own >= unidentifiedPerAddress) return false;
    this.#waiting.set(address, own + 1);
    this.#total++;
    return true;
  }

  /** The connection has identified itself, or is gone. */
  leave(peer: string): void {
    const address = addressGroup(peer);
    const own = this.#waiting.get(address) ?? 0;
    if (own <= 1) this.#waiting.delete(address);
    else this.#waiting.set(address, own - 1);
    this.#total--;
  }

  /** How long the refusal of a token is to be held back. */
  holdRefusal(peer: string, nowMs: number): number {
    const address = addressGroup(peer);
    const bucket = this.#failures.get(address) ?? new TokenBucket(FAILURES, nowMs);
    this.#failures.set(address, bucket);
    bucket.take(1, nowMs);
    return Math.min(MAX_HOLD_MS, bucket.waitFor(0, nowMs));
  }

  /** Forgets addresses that have behaved for a while. To be called now and then. */
  sweep(nowMs: number): void {
    for (const [address, bucket] of this.#failures)
      if (bucket.level(nowMs) >= FAILURES.burst) this.#failures.delete(address);
  }
}
