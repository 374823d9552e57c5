import type { Clock, TimerHandle } from '../system/clock.ts';

/** Tells once when something that gives signs of life has given none for too long. */
export class SilenceWatch {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onSilent: () => void;
  #heardMs = 0;
  #timer: TimerHandle | null = null;

  constructor(clock: Clock, { limitMs, onSilent }: { limitMs: number; onSilent: () => void }) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onSilent = onSilent;
  }

  begin(): void {
    this.end();
    this.heard();
    this.#arm();
  }

  /** A sign of life. */
  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    const leftMs = this.#limitMs - this.#silentMs();
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#silentMs() < this.#limitMs) this.#arm();
      else this.#onSilent();
    }, leftMs);
  }

  #silentMs(): number {
    return this.#clock.monotonicMs() - this.#heardMs;
  }
}
