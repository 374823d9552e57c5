import { LIMITS } from '../protocol/limits.ts';
import type { Environment } from './environment.ts';

/** Time that the server has for an answer: what its silence may last, less the interval between heartbeats. */
const ANSWER_MS = LIMITS.serverSilenceMs - LIMITS.heartbeatMs;

export interface HeartbeatEvents {
  readonly send: (requestId: string) => void;
  /** Round trip in ms. */
  readonly onLatency: (latencyMs: number) => void;
  /** Nothing was heard since a heartbeat that is long overdue. */
  readonly onDead: () => void;
}

/**
 * Keeps one connection alive and measures it. Silence counts from an unanswered heartbeat, not from the last
 * message: a page whose timers were held back (background tab, sleep) has to ask before it judges.
 */
export class Heartbeats {
  readonly #environment: Environment;
  readonly #intervalMs: number;
  readonly #events: HeartbeatEvents;
  #newest: { readonly requestId: string; readonly sentMs: number } | null = null;
  #cancelNext: (() => void) | null = null;
  #cancelDeadline: (() => void) | null = null;

  constructor(environment: Environment, intervalMs: number, events: HeartbeatEvents) {
    this.#environment = environment;
    this.#intervalMs = intervalMs;
    this.#events = events;
  }

  /** Sends one now, and the next after the interval. */
  beat(): void {
    this.#cancelNext?.();
    const requestId = this.#environment.newId();
    this.#newest = { requestId, sentMs: this.#environment.nowMs() };
    this.#cancelDeadline ??= this.#environment.schedule(() => this.#events.onDead(), ANSWER_MS);
    this.#cancelNext = this.#environment.schedule(() => this.beat(), this.#intervalMs);
    this.#events.send(requestId);
  }

  onHeard(): void {
    this.#cancelDeadline?.();
    this.#cancelDeadline = null;
  }

  onAcknowledged(requestId: unknown): void {
    if (this.#newest === null || this.#newest.requestId !== requestId) return;
    this.#events.onLatency(this.#environment.nowMs() - this.#newest.sentMs);
  }

  stop(): void {
    this.#cancelNext?.();
    this.#cancelDeadline?.();
  }
}
