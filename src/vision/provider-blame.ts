import type { ExecutionProvider, ProviderReport } from './contract.ts';

/** Ends in a row on one provider, after which it is not used any more. */
const LAST_STRAW = 3;
/** An end after this long is not in a row with those before. */
const SUSTAINED_MS = 60_000;

/**
 * Finds out which execution provider makes the vision process crash: a fault in native code leaves no message
 * but the end of the process. The CPU is never blamed, since nothing is left without it.
 */
export class ProviderBlame {
  readonly #excluded: { provider: ExecutionProvider; reason: string }[] = [];
  #trying: ExecutionProvider | null = null;
  #running: ExecutionProvider | null = null;
  #settledMs = 0;
  #deaths = 0;

  /** Providers that the next process must not try. */
  get excluded(): ProviderReport['refused'] {
    return [...this.#excluded];
  }

  trying(provider: ExecutionProvider): void {
    this.#trying = provider;
  }

  /** A provider was found that runs the model. */
  settled(provider: ExecutionProvider, nowMs: number): void {
    if (this.#running !== provider) this.#deaths = 0;
    this.#trying = null;
    this.#running = provider;
    this.#settledMs = nowMs;
  }

  /** The process has ended by itself. Returns the provider that is excluded from now on, if any. */
  died(how: string, nowMs: number): ExecutionProvider | null {
    if (nowMs - this.#settledMs >= SUSTAINED_MS) this.#deaths = 0;
    const { suspect, reason } = this.#suspicion(how);
    this.#trying = null;
    if (suspect === null || suspect === 'cpu') return null;
    this.#excluded.push({ provider: suspect, reason });
    this.#deaths = 0;
    return suspect;
  }

  #suspicion(how: string): { suspect: ExecutionProvider | null; reason: string } {
    if (this.#trying !== null) {
      return { suspect: this.#trying, reason: `the vision process ended while trying it: ${how}` };
    }
    this.#deaths++;
    const suspect = this.#deaths >= LAST_STRAW ? this.#running : null;
    return { suspect, reason: `the vision process kept ending while it ran: ${how}` };
  }
}
