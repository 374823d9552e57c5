import type { ConnectionFault, ConnectionStatus } from './connection-state.ts';
import type { Environment } from './environment.ts';

export interface ConnectionStats {
  readonly status: ConnectionStatus;
  /** Frames, heartbeats included. */
  readonly messagesReceived: number;
  readonly messagesSent: number;
  /** Round trip of the newest answered heartbeat, ms; null before one. */
  readonly latency: number | null;
  /** Attempts in a row that came to nothing. */
  readonly reconnectAttempts: number;
}

export interface Snapshot {
  readonly status: ConnectionStatus;
  /** What went wrong last. While connected: a camera that was refused, or events that may be missing. */
  readonly error: ConnectionFault | null;
  readonly stats: ConnectionStats;
}

export const INITIAL_SNAPSHOT: Snapshot = {
  status: 'disconnected',
  error: null,
  stats: {
    status: 'disconnected',
    messagesReceived: 0,
    messagesSent: 0,
    latency: null,
    reconnectAttempts: 0,
  },
};

/** A change of numbers waits for so long, so that a busy camera does not redraw the page with every message. */
const QUIET_MS = 250;

/** The newest snapshot and who is told of it: of states at once, of numbers at most four times a second. */
export class SnapshotPublisher {
  readonly #environment: Environment;
  readonly #take: () => Snapshot;
  readonly #listeners = new Set<() => void>();
  #current: Snapshot = INITIAL_SNAPSHOT;
  #cancelPending: (() => void) | null = null;

  constructor(environment: Environment, take: () => Snapshot) {
    this.#environment = environment;
    this.#take = take;
  }

  get current(): Snapshot {
    return this.#current;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The listeners are told also where the snapshot stays the same: there is more to ask the client for. */
  onStateChanged(): void {
    const next = this.#take();
    const isSame = next.status === this.#current.status && next.error === this.#current.error;
    if (!isSame) {
      this.#publish(next);
      return;
    }
    this.onNumbersChanged();
    this.#tell();
  }

  onNumbersChanged(): void {
    this.#cancelPending ??= this.#environment.schedule(() => this.#publish(this.#take()), QUIET_MS);
  }

  stop(): void {
    this.#cancelPending?.();
    this.#cancelPending = null;
  }

  #publish(snapshot: Snapshot): void {
    this.stop();
    this.#current = snapshot;
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
