import { CLIENT_TYPES, type ClientType } from '../../protocol/session.ts';
import type { HubToken } from '../door/tokens.ts';
import type { AdmittedClient } from './dialect.ts';

/** A session whose token was good, as every process of the hub knows it. */
export interface SessionEntry {
  /** No other session of any process has it. */
  readonly connectionId: string;
  readonly client: Pick<AdmittedClient, 'clientId' | 'clientType' | 'key'>;
  readonly token: HubToken;
}

/**
 * Which clients are here, in whichever process: who speaks for a client id, and who came by a token.
 *
 * What is asked is answered at once, from what this process has heard so far. Of two sessions that take a client over
 * at the same time in two processes one is left in the end, and a count may lag behind for as long as the news travels.
 */
export interface SessionDirectory {
  /**
   * An admitted session, which counts for its token from here on.
   * @param onSuperseded a newer session of its client took over; called once at most
   */
  register(entry: SessionEntry, onSuperseded: () => void): void;
  /** The session speaks for its client now; an older one that did is superseded and no longer counted. */
  takeOver(connectionId: string): void;
  /** The session is in service beside others of its client. */
  join(connectionId: string): void;
  /** The session is over. Without effect on one that was superseded, or is not known. */
  remove(connectionId: string): void;
  /** Who speaks for a client. @param key `clientKey` of it */
  holderOf(key: string): SessionEntry | undefined;
  countOfToken(token: HubToken): number;
  /** Connection ids of its sessions. */
  idsOfToken(token: HubToken): readonly string[];
  /** Those of the sessions, each once. */
  tokensInUse(): readonly HubToken[];
  /** Sessions that took over or joined. */
  countByType(): Readonly<Record<ClientType, number>>;
}

interface Place {
  readonly entry: SessionEntry;
  readonly onSuperseded: () => void;
  isInService: boolean;
}

/** The directory of a hub that is one process. */
export class LocalSessionDirectory implements SessionDirectory {
  readonly #places = new Map<string, Place>();
  readonly #holders = new Map<string, Place>();
  readonly #tokens = new Map<string, { token: HubToken; readonly ids: Set<string> }>();

  register(entry: SessionEntry, onSuperseded: () => void): void {
    const { connectionId, token } = entry;
    this.#places.set(connectionId, { entry, onSuperseded, isInService: false });
    const use = this.#tokens.get(tokenKey(token)) ?? { token, ids: new Set<string>() };
    // It may have been written down anew since, with another expiry.
    use.token = token;
    use.ids.add(connectionId);
    this.#tokens.set(tokenKey(token), use);
  }

  takeOver(connectionId: string): void {
    const place = this.#places.get(connectionId);
    if (place === undefined) return;
    const { key } = place.entry.client;
    const older = this.#holders.get(key);
    this.#holders.set(key, place);
    place.isInService = true;
    if (older === undefined || older === place) return;
    this.remove(older.entry.connectionId);
    older.onSuperseded();
  }

  join(connectionId: string): void {
    const place = this.#places.get(connectionId);
    if (place !== undefined) place.isInService = true;
  }

  remove(connectionId: string): void {
    const place = this.#places.get(connectionId);
    if (place === undefined) return;
    const { client, token } = place.entry;
    this.#places.delete(connectionId);
    if (this.#holders.get(client.key) === place) this.#holders.delete(client.key);
    const ids = this.#tokens.get(tokenKey(token))?.ids;
    ids?.delete(connectionId);
    if (ids?.size === 0) this.#tokens.delete(tokenKey(token));
  }

  holderOf(key: string): SessionEntry | undefined {
    return this.#holders.get(key)?.entry;
  }

  countOfToken(token: HubToken): number {
    return this.#tokens.get(tokenKey(token))?.ids.size ?? 0;
  }

  idsOfToken(token: HubToken): readonly string[] {
    return [...(this.#tokens.get(tokenKey(token))?.ids ?? [])];
  }

  tokensInUse(): readonly HubToken[] {
    return [...this.#tokens.values()].map(({ token }) => token);
  }

  countByType(): Readonly<Record<ClientType, number>> {
    const counts = Object.fromEntries(CLIENT_TYPES.map((type) => [type, 0])) as Record<
      ClientType,
      number
    >;
    for (const { entry, isInService } of this.#places.values())
      if (isInService) counts[entry.client.clientType]++;
    return counts;
  }
}

/** The list is read again as it changes, so a token is known by what it is. */
function tokenKey({ type, sha256 }: HubToken): string {
  return `${type}/${sha256}`;
}
