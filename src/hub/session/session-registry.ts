import { CLIENT_TYPES, type ClientType } from '../../protocol/session.ts';

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
  /** Bytes sent that have not left this process. */
  readonly bufferedBytes: number;
  /** It speaks the original protocol. */
  readonly isLegacy: boolean;
  readonly isThrottled: boolean;
  /** Null until it has identified itself. */
  view(): ClientView | null;
  /** Ends the session because a newer one of the same client took over. */
  supersede(): void;
  tick(beatMs: number): void;
  drain(reconnectAfterMs: number, deadlineMs: number): void;
  terminate(): void;
}

/** All connections of the hub, and which of them speaks for which client. */
export class SessionRegistry {
  readonly #connections = new Set<RegisteredSession>();
  readonly #clients = new Map<string, RegisteredSession>();
  readonly #names = new Map<RegisteredSession, string>();
  readonly #whenEmpty: (() => void)[] = [];

  add(session: RegisteredSession): void {
    this.#connections.add(session);
  }

  /**
   * Makes the session the one that speaks for a client; an older one is superseded.
   * @param key `clientKey` of the client
   */
  claim(session: RegisteredSession, key: string): void {
    const older = this.#clients.get(key);
    this.#clients.set(key, session);
    this.#names.set(session, key);
    older?.supersede();
  }

  /** Counts a session of a client that may have several. */
  join(session: RegisteredSession, type: ClientType, connectionId: string): void {
    // No client id has a control character in front that a claim could meet.
    const name = `${type}/\0${connectionId}`;
    this.#clients.set(name, session);
    this.#names.set(session, name);
  }

  remove(session: RegisteredSession): void {
    this.#connections.delete(session);
    const name = this.#names.get(session);
    this.#names.delete(session);
    if (name !== undefined && this.#clients.get(name) === session) this.#clients.delete(name);
    if (this.#connections.size > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  /** Open connections, identified or not. */
  get size(): number {
    return this.#connections.size;
  }

  /** Bytes that wait in memory for clients to read them. */
  get bufferedBytes(): number {
    let bytes = 0;
    for (const session of this.#connections) bytes += session.bufferedBytes;
    return bytes;
  }

  count(isCounted: (session: RegisteredSession) => boolean): number {
    let count = 0;
    for (const session of this.#connections) if (isCounted(session)) count++;
    return count;
  }

  connections(): readonly RegisteredSession[] {
    return [...this.#connections];
  }

  /** Clients that have identified themselves, by type. */
  countByType(): Record<ClientType, number> {
    const counts = Object.fromEntries(CLIENT_TYPES.map((type) => [type, 0])) as Record<
      ClientType,
      number
    >;
    for (const name of this.#clients.keys()) {
      const type = name.slice(0, name.indexOf('/')) as ClientType;
      counts[type]++;
    }
    return counts;
  }

  /** Resolves when the last connection is gone. */
  empty(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }
}
