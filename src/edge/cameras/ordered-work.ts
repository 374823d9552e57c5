/** Has something done after the answer, before the next work on the same thing. It must not reject. */
export type Afterwards = (act: () => Promise<void>) => void;

/** Work on several things: for one thing in the order in which it was asked for, for different ones at the same time. */
export class OrderedWork {
  /** The last work on each thing, which the next waits for. */
  readonly #last = new Map<string, Promise<void>>();

  async run<Result>(
    key: string,
    act: (afterwards: Afterwards) => Promise<Result>,
  ): Promise<Result> {
    const rest: (() => Promise<void>)[] = [];
    const mine = (this.#last.get(key) ?? Promise.resolve()).then(() =>
      act((more) => rest.push(more)),
    );
    // A failure is for whoever asked; the next in line only waits for the end.
    const settled = mine
      .catch(() => undefined)
      .then(async () => {
        for (const more of rest) await more();
        if (this.#last.get(key) === settled) this.#last.delete(key);
      });
    this.#last.set(key, settled);
    return await mine;
  }

  /** Resolves when everything asked for so far has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
