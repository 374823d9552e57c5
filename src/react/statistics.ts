/** Numbers of a client's whole life, through all its connections. */
export class Statistics {
  readonly #onChange: () => void;
  #received = 0;
  #sent = 0;
  #latencyMs: number | null = null;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get current(): { messagesReceived: number; messagesSent: number; latency: number | null } {
    return {
      messagesReceived: this.#received,
      messagesSent: this.#sent,
      latency: this.#latencyMs,
    };
  }

  onReceived(): void {
    this.#received++;
    this.#onChange();
  }

  onSent(): void {
    this.#sent++;
    this.#onChange();
  }

  /** @param latencyMs round trip of the newest answered heartbeat */
  onLatency(latencyMs: number): void {
    this.#latencyMs = latencyMs;
    this.#onChange();
  }
}
