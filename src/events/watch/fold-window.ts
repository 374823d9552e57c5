/** What comes within so many milliseconds of each other has one cause, such as a switch, and is told in one alert. */
const FOLD_MS = 5000;

/** Holds the first that is to be told until those that belong to it have come. Pure: time comes in. */
export class FoldWindow<Item> {
  #sinceMs: number | null = null;

  /**
   * @param due everything that is to be told now
   * @returns all of it once the first has been due for `FOLD_MS`, else nothing
   */
  gather(due: readonly Item[], monoMs: number): readonly Item[] {
    if (due.length === 0) {
      this.#sinceMs = null;
      return [];
    }
    this.#sinceMs ??= monoMs;
    if (monoMs - this.#sinceMs < FOLD_MS) return [];
    this.#sinceMs = null;
    return due;
  }
}
