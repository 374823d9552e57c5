import type { ClientType } from '../../protocol/session.ts';

/** One connection as statistics show it. */
export interface ClientView {
  readonly connectionId: string;
  readonly clientId: string;
  readonly clientType: ClientType;
  readonly address: string;
  readonly protocol: 'current' | 'legacy';
  /** Identified at, and last heard of; Unix milliseconds. */
  readonly connectedMs: number;
  readonly lastSeenMs: number;
  readonly messages: number;
  readonly credit: number | null;
  readonly bufferedBytes: number;
}

/** What the hub as a whole does with a session. */
export interface RegisteredSession {
  readonly connectionId: string;
  /** Bytes sent that have not left this process. */
  readonly bufferedBytes: number;
  /** It speaks the original protocol. */
  readonly isLegacy: boolean;
  readonly isThrottled: boolean;
  /** Null until it has identified itself. */
  view(): ClientView | null;
  tick(beatMs: number): void;
  /** Ends the session because the token of this name is no longer good. */
  expel(tokenName: string, reason: string): void;
  drain(reconnectAfterMs: number, deadlineMs: number): void;
  terminate(): void;
}

/** All connections of this process, identified or not. Who they are is in the `SessionDirectory`. */
export class SessionRegistry {
  readonly #connections = new Map<string, RegisteredSession>();
  readonly #whenEmpty: (() => void)[] = [];

  add(session: RegisteredSession): void {
    this.#connections.set(session.connectionId, session);
  }

  remove({ connectionId }: RegisteredSession): void {
    this.#connections.delete(connectionId);
    if (this.#connections.size > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  /** Undefined where it is another process's, or gone. */
  find(connectionId: string): RegisteredSession | undefined {
    return this.#connections.get(connectionId);
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Bytes that wait in memory for clients to read them. */
  get bufferedBytes(): number {
    let bytes = 0;
    for (const session of this.#connections.values()) bytes += session.bufferedBytes;
    return bytes;
  }

  count(isCounted: (session: RegisteredSession) => boolean): number {
    let count = 0;
    for (const session of this.#connections.values()) if (isCounted(session)) count++;
    return count;
  }

  connections(): readonly RegisteredSession[] {
    return [...this.#connections.values()];
  }

  /** Resolves when the last connection is gone. */
  empty(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }
}
