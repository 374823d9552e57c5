const WINDOW_MS = 5000;

/** Events each second over the last five seconds, or since the first when that is less long ago. */
export class FrameRate {
  readonly #times: number[] = [];
  #firstMs: number | null = null;

  count(nowMs: number): void {
    this.#firstMs ??= nowMs;
    this.#times.push(nowMs);
    this.#forget(nowMs);
  }

  perSecond(nowMs: number): number {
    this.#forget(nowMs);
    if (this.#firstMs === null) return 0;
    // A single event says nothing of a rate; a second is the least that does.
    const spanMs = Math.max(1000, Math.min(WINDOW_MS, nowMs - this.#firstMs));
    return (1000 * this.#times.length) / spanMs;
  }

  #forget(nowMs: number): void {
    while (this.#times.length > 0 && (this.#times[0] as number) <= nowMs - WINDOW_MS) {
      this.#times.shift();
    }
  }
}
