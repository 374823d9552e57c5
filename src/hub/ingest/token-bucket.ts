export interface Rate {
  /** Refill, per second. */
  readonly perS: number;
  /** Most that can be saved up. */
  readonly burst: number;
}

/** A rate limit that lets bursts pass. What is taken may exceed what is there; the debt is paid by waiting. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #atMs: number;

  /** @param nowMs monotonic, as in all calls */
  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  level(nowMs: number): number {
    const grown = ((nowMs - this.#atMs) * this.#rate.perS) / 1000;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + grown);
    this.#atMs = nowMs;
    return this.#tokens;
  }

  take(count: number, nowMs: number): void {
    this.#tokens = this.level(nowMs) - count;
  }

  /** Milliseconds until there are so many, or as many as there can be. */
  waitFor(count: number, nowMs: number): number {
    const missing = Math.min(count, this.#rate.burst) - this.level(nowMs);
    return Math.max(0, (missing * 1000) / this.#rate.perS);
  }
}
