import type { Clock } from '../system/clock.ts';
import type { SnapshotImage } from './contract.ts';

/** By then nobody wants the picture any more. */
const ANSWER_LIMIT_MS = 5000;

/** Questions for pictures that the vision process has not answered yet. Each gets an answer in the end. */
export class SnapshotRequests {
  readonly #clock: Clock;
  readonly #open = new Map<number, (image: SnapshotImage | null) => void>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ask(send: (requestId: number) => void): Promise<SnapshotImage | null> {
    const requestId = ++this.#lastId;
    return new Promise((resolve) => {
      const limit = this.#clock.setTimeout(() => this.answer(requestId, null), ANSWER_LIMIT_MS);
      this.#open.set(requestId, (image) => {
        limit.cancel();
        resolve(image);
      });
      send(requestId);
    });
  }

  /** Answers that come too late are for nobody. */
  answer(requestId: number, image: SnapshotImage | null): void {
    const resolve = this.#open.get(requestId);
    this.#open.delete(requestId);
    resolve?.(image);
  }

  /** Nobody is left to answer. */
  giveUp(): void {
    for (const requestId of [...this.#open.keys()]) this.answer(requestId, null);
  }
}
