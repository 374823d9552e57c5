import type { Lane } from '../../protocol/lanes.ts';
import { LIMITS } from '../../protocol/limits.ts';

/** Messages that a lane may send per round: 8 : 4 : 1. */
const QUANTUM: Readonly<Record<Exclude<Lane, 0>, number>> = { 1: 64, 2: 32, 3: 8 };

const ORDER: readonly Exclude<Lane, 0>[] = [1, 2, 3];

/**
 * Deficit round robin over the lanes below alerts (Shreedhar and Varghese, SIGCOMM 1995): under pressure each
 * gets its share, so that no lane starves, and an idle one leaves its share to the others.
 */
export class RoundRobin {
  #turn = 0;
  readonly #deficit: Record<Exclude<Lane, 0>, number> = { 1: QUANTUM[1], 2: 0, 3: 0 };

  /** The lane whose turn it is among those that want to send, and how many messages it may. */
  next(wants: (lane: Lane) => boolean): { lane: Exclude<Lane, 0>; maxItems: number } | null {
    const [alone, ...others] = ORDER.filter(wants);
    if (alone !== undefined && others.length === 0)
      return { lane: alone, maxItems: LIMITS.batchItems };
    for (let step = 0; step <= ORDER.length; step++) {
      const lane = this.#lane;
      const maxItems = this.#deficit[lane];
      if (maxItems > 0 && wants(lane)) return { lane, maxItems };
      if (!wants(lane)) this.#deficit[lane] = 0;
      this.#advance();
    }
    return null;
  }

  onSent(lane: Lane, messages: number): void {
    if (lane !== 0) this.#deficit[lane] = Math.max(0, this.#deficit[lane] - messages);
  }

  get #lane(): Exclude<Lane, 0> {
    return ORDER[this.#turn] ?? 1;
  }

  #advance(): void {
    this.#turn = (this.#turn + 1) % ORDER.length;
    this.#deficit[this.#lane] += QUANTUM[this.#lane];
  }
}
