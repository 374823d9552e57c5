import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a process says of itself in its metrics. */
export interface ProcessFacts {
  readonly rssBytes: number;
  readonly cpuSeconds: number;
  /** By how much the event loop was late since these were last taken, in seconds. */
  readonly eventLoopDelay: { readonly mean: number; readonly p99: number; readonly max: number };
}

const SAMPLED_EVERY_MS = 10;

/** Watches this process for its metrics. */
export class ProcessWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: SAMPLED_EVERY_MS });

  constructor() {
    this.#delay.enable();
  }

  /** The delay of the event loop is that since the last call. */
  facts(): ProcessFacts {
    const { user, system } = process.cpuUsage();
    const delay = this.#delay;
    // Node measures from one sample to the next; what is beyond the distance is the delay.
    const seconds = (nanoseconds: number): number =>
      delay.count === 0 ? 0 : Math.max(0, nanoseconds / 1e9 - SAMPLED_EVERY_MS / 1000);
    const eventLoopDelay = {
      mean: seconds(delay.mean),
      p99: seconds(delay.percentile(99)),
      max: seconds(delay.max),
    };
    delay.reset();
    return {
      rssBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      eventLoopDelay,
    };
  }

  stop(): void {
    this.#delay.disable();
  }
}
