/** Puts what parallel workers finish back into the order in which it was handed out. */
export class ResultOrder<T> {
  #pending: { frameId: number; result: T | null; isDone: boolean }[] = [];

  handOut(frameId: number): void {
    this.#pending.push({ frameId, result: null, isDone: false });
  }

  /**
   * @param result null when the frame came to nothing
   * @returns everything that is now in order
   */
  finish(frameId: number, result: T | null): T[] {
    const entry = this.#pending.find((pending) => pending.frameId === frameId);
    if (entry !== undefined) {
      entry.result = result;
      entry.isDone = true;
    }
    const firstOpen = this.#pending.findIndex(({ isDone }) => !isDone);
    const inOrder = this.#pending.splice(0, firstOpen < 0 ? this.#pending.length : firstOpen);
    return inOrder.flatMap(({ result: value }) => (value === null ? [] : [value]));
  }
}
