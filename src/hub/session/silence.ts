/**
 * How long a client has been silent. Counted in beats of the hub's liveness clock, so that a hub which itself stood
 * still does not take all its clients for dead.
 */
export class Silence {
  #beats = 0;

  /** Something came from the client. */
  end(): void {
    this.#beats = 0;
  }

  /** One beat without a sign of the client. What is due, and how long it has been silent in milliseconds. */
  onBeat(
    beatMs: number,
    { silenceMs, pingMs }: { readonly silenceMs: number; readonly pingMs: number | null },
  ): { readonly due: 'nothing' | 'ping' | 'drop'; readonly silentMs: number } {
    this.#beats++;
    const silentMs = this.#beats * beatMs;
    if (silentMs > silenceMs) return { due: 'drop', silentMs };
    return { due: pingMs !== null && silentMs % pingMs === 0 ? 'ping' : 'nothing', silentMs };
  }
}
