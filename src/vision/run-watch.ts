/** No run takes this long once its size has been run before. */
const RUN_LIMIT_MS = 30_000;
/** The first run of a size may build an engine for it. */
const FIRST_RUN_LIMIT_MS = 20 * 60_000;

/** One inference under way. */
export interface WatchedRun {
  sizeKey: string;
  deadlineMs: number;
}

/** Notices inferences that do not come back: native code can wait for a device for ever. Pure: time comes in. */
export class RunWatch {
  readonly #running = new Set<WatchedRun>();
  readonly #knownSizes = new Set<string>();

  begin(sizeKey: string, nowMs: number): WatchedRun {
    const limitMs = this.#knownSizes.has(sizeKey) ? RUN_LIMIT_MS : FIRST_RUN_LIMIT_MS;
    const run = { sizeKey, deadlineMs: nowMs + limitMs };
    this.#running.add(run);
    return run;
  }

  end(run: WatchedRun): void {
    this.#running.delete(run);
    this.#knownSizes.add(run.sizeKey);
  }

  isHung(nowMs: number): boolean {
    return [...this.#running].some(({ deadlineMs }) => nowMs > deadlineMs);
  }
}
