export interface SendLoopOptions {
  /** Nothing may be sent now; who ends that calls `run`. */
  readonly isBlocked: () => boolean;
  /** Resolves to false where there is nothing to send for now. */
  readonly sendOne: () => Promise<boolean>;
  readonly onFailure: (error: unknown) => void;
}

/** Sends one after the other until nothing is left. Reading the outbox takes a while, and must not overtake itself. */
export class SendLoop {
  readonly #options: SendLoopOptions;
  #isRunning = false;
  #isWanted = false;

  constructor(options: SendLoopOptions) {
    this.#options = options;
  }

  /** Something may have to be sent. */
  run(): void {
    this.#isWanted = true;
    if (this.#isRunning || this.#options.isBlocked()) return;
    this.#sendAll().catch(this.#options.onFailure);
  }

  async #sendAll(): Promise<void> {
    const { isBlocked, sendOne } = this.#options;
    this.#isRunning = true;
    try {
      // Asked again where something changed while the last answer was on its way.
      while (this.#isWanted) {
        this.#isWanted = false;
        while (!isBlocked() && (await sendOne())) {}
      }
    } finally {
      this.#isRunning = false;
    }
  }
}
