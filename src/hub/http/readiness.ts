import type { Clock, TimerHandle } from '../../system/clock.ts';
import type { EventStore } from '../store/event-store.ts';

export interface ReadinessOptions {
  readonly store: Pick<EventStore, 'probe'>;
  readonly clock: Clock;
  readonly isDraining: () => boolean;
}

export type NotReady = 'draining' | 'store_not_writable';

/** Whoever asks again within this gets the same answer, so that asking costs no disk. */
const PROBED_EVERY_MS = 1000;
const PROBE_DEADLINE_MS = 2000;

/** Whether new clients should come here: not while the hub drains or cannot write. */
export class Readiness {
  readonly #options: ReadinessOptions;
  #probe: { readonly atMs: number; readonly isWritable: Promise<boolean> } | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** What is in the way; nothing when the hub is ready. */
  async reasons(): Promise<NotReady[]> {
    if (this.#options.isDraining()) return ['draining'];
    return (await this.#isWritable()) ? [] : ['store_not_writable'];
  }

  #isWritable(): Promise<boolean> {
    const atMs = this.#options.clock.monotonicMs();
    if (this.#probe === undefined || atMs - this.#probe.atMs > PROBED_EVERY_MS)
      this.#probe = { atMs, isWritable: this.#ask() };
    return this.#probe.isWritable;
  }

  async #ask(): Promise<boolean> {
    const { store, clock } = this.#options;
    let deadline: TimerHandle | undefined;
    const late = new Promise<boolean>((resolve) => {
      deadline = clock.setTimeout(() => resolve(false), PROBE_DEADLINE_MS);
    });
    const answer = store.probe().then(
      () => true,
      () => false,
    );
    const isWritable = await Promise.race([answer, late]);
    deadline?.cancel();
    return isWritable;
  }
}
