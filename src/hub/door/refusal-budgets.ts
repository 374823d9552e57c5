import { type Rate, TokenBucket } from '../ingest/token-bucket.ts';

/** What the clients of each token may have refused: who connects again does not begin anew. */
export class RefusalBudgets {
  readonly #rate: Rate;
  readonly #budgets = new Map<string, TokenBucket>();

  /** @param each what one connection may */
  constructor(each: Rate) {
    this.#rate = { perS: 2 * each.perS, burst: 2 * each.burst };
  }

  /** @param nowMs monotonic, as in all calls */
  of(token: string, nowMs: number): TokenBucket {
    const budget = this.#budgets.get(token) ?? new TokenBucket(this.#rate, nowMs);
    this.#budgets.set(token, budget);
    return budget;
  }

  /** Forgets tokens whose clients have behaved for a while. To be called now and then. */
  sweep(nowMs: number): void {
    for (const [token, budget] of this.#budgets)
      if (budget.level(nowMs) >= this.#rate.burst) this.#budgets.delete(token);
  }
}
