/** A client that is told so often in a row that it forked cannot begin a new epoch. */
const FORKS_REFUSED = 2;

/** How often in a row each client was told that it forked. */
export class ForkRefusals {
  readonly #told = new Map<string, number>();

  /** It was told often enough, and is taken as it is. */
  isForgiven(clientId: string): boolean {
    return (this.#told.get(clientId) ?? 0) >= FORKS_REFUSED;
  }

  note(clientId: string): void {
    this.#told.set(clientId, (this.#told.get(clientId) ?? 0) + 1);
  }

  forget(clientId: string): void {
    this.#told.delete(clientId);
  }
}
