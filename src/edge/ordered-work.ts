/** Work on several things: for one thing in the order in which it was asked for, for different ones at the same time. */
export class OrderedWork {
  /** The last work on each thing, which the next waits for. */
  readonly #last = new Map<string, Promise<unknown>>();

  async run<Result>(key: string, act: () => Promise<Result>): Promise<Result> {
    const mine = (this.#last.get(key) ?? Promise.resolve()).then(act);
    // A failure is for whoever asked; the next in line only waits for the end.
    const settled = mine.catch(() => {});
    this.#last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }

  /** Resolves when everything asked for so far has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
