import { HttpProblem } from './problem.ts';

/** Pages of history, of about 1 MiB, that clients of one token may have asked for and not read to the end. */
const MAX_PER_TOKEN = 64;

/** Pages that are being read or waited for. They stay in memory, so one token gets a bounded number at a time. */
export class PagePlaces {
  readonly #taken = new Map<string, number>();

  /** @returns gives the place back, once. @throws HttpProblem too_many_queries */
  take(tokenName: string): () => void {
    const taken = this.#taken.get(tokenName) ?? 0;
    if (taken >= MAX_PER_TOKEN) {
      const detail = 'too many pages were asked for by this token and are not read yet';
      throw new HttpProblem('too_many_queries', { detail, headers: { 'Retry-After': '1' } });
    }
    this.#taken.set(tokenName, taken + 1);
    return () => {
      const left = (this.#taken.get(tokenName) ?? 1) - 1;
      if (left === 0) this.#taken.delete(tokenName);
      else this.#taken.set(tokenName, left);
    };
  }
}
