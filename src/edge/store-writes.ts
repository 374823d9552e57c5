import type { Logger } from '../system/logger.ts';

/** Writes to the store that nobody waits for, and what is told of those that fail. */
export class StoreWrites {
  readonly #log: Logger;
  /** By kind: what the store did not take since it last took something of it. */
  readonly #unstored = new Map<string, number>();
  #pending = 0;
  /** `settled` waits for them. */
  #writes: Promise<void> = Promise.resolve();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Writes without an answer so far. */
  get pending(): number {
    return this.#pending;
  }

  /** @param what kind of message, in words */
  run(what: string, write: () => Promise<void>): void {
    this.#pending++;
    const written = write()
      .then(
        () => this.#note(what, null),
        (error: unknown) => this.#note(what, error),
      )
      .finally(() => this.#pending--);
    this.#writes = Promise.all([this.#writes, written]).then(() => undefined);
  }

  /** Resolves when the store has answered to everything so far. */
  async settled(): Promise<void> {
    await this.#writes;
  }

  /** A store that takes nothing is told once, not with every frame. */
  #note(what: string, error: unknown): void {
    const lost = this.#unstored.get(what) ?? 0;
    if (error !== null) {
      this.#unstored.set(what, lost + 1);
      if (lost === 0) this.#log.error({ err: error, what }, 'could not be stored');
    } else if (lost > 0) {
      this.#unstored.delete(what);
      this.#log.warn({ what, lost }, 'stored again');
    }
  }
}
