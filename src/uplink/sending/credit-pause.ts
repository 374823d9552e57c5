import type { FlowCredit } from '../../protocol/batch.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import type { Window } from './window.ts';

/** Less credit that the hub gives for a time only: the credit before comes back by itself. */
export class CreditPause {
  readonly #window: Window;
  readonly #clock: Clock;
  readonly #onOver: () => void;
  #timer: TimerHandle | null = null;

  constructor(window: Window, clock: Clock, onOver: () => void) {
    this.#window = window;
    this.#clock = clock;
    this.#onOver = onOver;
  }

  /** @param resumeAfterMs how long less credit holds; undefined until the hub says otherwise */
  setCredit(credit: FlowCredit, resumeAfterMs: number | undefined): void {
    const before = this.#window.credit;
    this.#window.setCredit(credit);
    this.#timer?.cancel();
    if (resumeAfterMs === undefined || before.credit_messages <= credit.credit_messages) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#window.setCredit(before);
      this.#onOver();
    }, resumeAfterMs);
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
