/** Samples that the estimate is made of. */
const KEPT = 8;

export interface OffsetEstimate {
  /** The hub's wall clock less this box's monotonic one, in milliseconds. */
  readonly offsetMs: number;
  /** Time of a heartbeat on its way and back, less what the hub took. */
  readonly roundTripMs: number;
}

/** Four timestamps of one heartbeat: sent and answered here (monotonic), received and answered there (wall). */
export interface HeartbeatTimes {
  readonly sentMono: number;
  readonly receivedWall: number;
  readonly answeredWall: number;
  readonly backMono: number;
}

/**
 * How the hub's clock stands to this box's, by the formula of NTP (RFC 5905, section 8): the median of the last
 * eight heartbeats. It holds for one run of the kernel, which no process outlives.
 */
export class ClockOffset {
  #samples: OffsetEstimate[] = [];

  get estimate(): OffsetEstimate | null {
    if (this.#samples.length === 0) return null;
    return {
      offsetMs: median(this.#samples.map(({ offsetMs }) => offsetMs)),
      roundTripMs: median(this.#samples.map(({ roundTripMs }) => roundTripMs)),
    };
  }

  add({ sentMono, receivedWall, answeredWall, backMono }: HeartbeatTimes): void {
    const offsetMs = (receivedWall - sentMono + (answeredWall - backMono)) / 2;
    // A hub whose clock was set back in between would make it negative.
    const roundTripMs = Math.max(0, backMono - sentMono - (answeredWall - receivedWall));
    this.#samples = [...this.#samples, { offsetMs, roundTripMs }].slice(-KEPT);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
