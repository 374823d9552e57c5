import { TokenBucket } from '../ingest/token-bucket.ts';

/** Refused frames of all clients of one token, and how fast that allowance comes back. */
const REFUSALS = { perS: 50, burst: 500 };

/** What the clients of each token may have refused: who connects again does not begin anew. */
export class RefusalBudgets {
  readonly #budgets = new Map<string, TokenBucket>();

  /** @param nowMs monotonic, as in all calls */
  of(token: string, nowMs: number): TokenBucket {
    const budget = this.#budgets.get(token) ?? new TokenBucket(REFUSALS, nowMs);
    this.#budgets.set(token, budget);
    return budget;
  }

  /** Forgets tokens whose clients have behaved for a while. To be called now and then. */
  sweep(nowMs: number): void {
    for (const [token, budget] of this.#budgets)
      if (budget.level(nowMs) >= REFUSALS.burst) this.#budgets.delete(token);
  }
}
