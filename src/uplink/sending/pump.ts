import type { Lane } from '../../protocol/lanes.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { LaneCursor } from './lane-cursor.ts';
import { RoundRobin } from './round-robin.ts';
import type { Room, Window } from './window.ts';

/** How long the first message of a batch waits for company. Alerts do not wait. */
const LINGER_MS = 20;

export type PumpDecision =
  | ({ readonly do: 'send'; readonly lane: Lane } & Room)
  /** Nothing before so many milliseconds, unless something changes. */
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'idle' };

/** Decides what goes out next. Asked again after every frame, so an alert waits for one frame at most. */
export class Pump {
  readonly #lanes: readonly LaneCursor[];
  readonly #window: Window;
  readonly #roundRobin = new RoundRobin();
  #lingerMs = LINGER_MS;

  constructor(lanes: readonly LaneCursor[], window: Window) {
    this.#lanes = lanes;
    this.#window = window;
  }

  /** From now on no message waits for company. */
  hurry(): void {
    this.#lingerMs = 0;
  }

  /** @param isAllowed lanes that may send at all now */
  decide(nowMs: number, isAllowed: (lane: Lane) => boolean = () => true): PumpDecision {
    const hasAlerts = this.#lanes[0]?.available && isAllowed(0);
    const alerts = hasAlerts ? this.#window.room(0) : null;
    if (alerts !== null) return { do: 'send', lane: 0, ...alerts };
    // The lanes below share one window, and their turns count only while it is open.
    const room = this.#window.room(1);
    if (room === null) return { do: 'idle' };
    const waitMs = (lane: Lane): number =>
      isAllowed(lane) ? this.#waitMs(lane, nowMs) : Number.POSITIVE_INFINITY;
    const turn = this.#roundRobin.next((lane) => waitMs(lane) === 0);
    if (turn === null) return this.#whenNot(waitMs);
    const maxItems = Math.min(turn.maxItems, room.maxItems);
    return { do: 'send', lane: turn.lane, maxItems, maxBytes: room.maxBytes };
  }

  onSent(lane: Lane, messages: number): void {
    this.#roundRobin.onSent(lane, messages);
  }

  #whenNot(waitMs: (lane: Lane) => number): PumpDecision {
    const waits = this.#lanes.slice(1).map(({ lane }) => waitMs(lane));
    const ms = Math.min(...waits);
    return Number.isFinite(ms) ? { do: 'wait', ms } : { do: 'idle' };
  }

  /** 0 where the lane is ready, infinite where it has nothing. */
  #waitMs(lane: Lane, nowMs: number): number {
    const cursor = this.#lanes[lane];
    const since = cursor?.waitingSinceMs ?? null;
    if (cursor === undefined || since === null) return Number.POSITIVE_INFINITY;
    if (cursor.available >= LIMITS.batchItems) return 0;
    return Math.max(0, since + this.#lingerMs - nowMs);
  }
}
