import type { Clock } from '../system/clock.ts';

/** Questions that the vision process has not answered yet. Each gets an answer in the end. */
export class OpenRequests<Answer> {
  readonly #clock: Clock;
  readonly #limitMs: number | null;
  readonly #otherwise: Answer;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  /**
   * @param options.limitMs after which nobody wants the answer any more; null to wait as long as there is a process
   * @param options.otherwise the answer where none comes
   */
  constructor(clock: Clock, options: { limitMs: number | null; otherwise: Answer }) {
    this.#clock = clock;
    this.#limitMs = options.limitMs;
    this.#otherwise = options.otherwise;
  }

  /** @param send tells whether there is anybody to ask */
  ask(send: (requestId: number) => boolean): Promise<Answer> {
    const requestId = ++this.#lastId;
    return new Promise((resolve) => {
      const late = (): void => this.answer(requestId, this.#otherwise);
      const limit = this.#limitMs === null ? null : this.#clock.setTimeout(late, this.#limitMs);
      this.#open.set(requestId, (answer) => {
        limit?.cancel();
        resolve(answer);
      });
      if (!send(requestId)) this.answer(requestId, this.#otherwise);
    });
  }

  /** Answers that come too late are for nobody. */
  answer(requestId: number, answer: Answer): void {
    const resolve = this.#open.get(requestId);
    this.#open.delete(requestId);
    resolve?.(answer);
  }

  /** Nobody is left to answer. */
  giveUp(): void {
    for (const requestId of [...this.#open.keys()]) this.answer(requestId, this.#otherwise);
  }
}
