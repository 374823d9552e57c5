import type { HubToken } from '../door/tokens.ts';
import type { HistoryPage, HistoryQuery } from './history-query.ts';
import type {
  ClientRecord,
  EventPage,
  IdentifiedClient,
  ReadEvents,
  StoreBatch,
  StoredBatch,
  TokenUse,
} from './requests.ts';

/**
 * What the hub needs of the place where events are kept. One SQLite file today; a database that several hubs share
 * keeps the same promises: a write has its commit when its promise resolves, writes of one client are applied in the
 * order of the calls, event ids ascend, and none is given out twice.
 */
export interface EventStore {
  /** Names the store; a client that sees another one knows that the hub was replaced. */
  readonly storeId: string;
  /** Newest event when the store was opened. */
  readonly openedAtEventId: number;
  /** Nothing from this event on was deleted by retention. */
  readonly oldestEventId: number;
  readonly commitTimes: {
    readonly commits: number;
    readonly averageMs: number;
    readonly longestMs: number;
  };
  /** Events deleted by retention since the start. */
  readonly deletedEvents: number;
  /** Orders of edges to forget a person that were carried out since the start, and events that were changed for it. */
  readonly forgottenPersons: number;
  readonly scrubbedEvents: number;
  /** Is told how long each commit took, milliseconds. */
  onCommit: ((ms: number) => void) | undefined;
  /**
   * Binds an edge's client id to the token that it first came with.
   * @param tokens all that the hub admits
   * @returns whether this is that token: another one must not speak as this edge
   */
  claimEdge(clientId: string, token: HubToken, tokens: readonly HubToken[]): boolean;
  /** Records the session and tells where each of the client's streams goes on. */
  identify(client: ClientRecord): Promise<IdentifiedClient>;
  /** Resolves when the batch and its high-water mark are on disk. */
  store(batch: StoreBatch): Promise<StoredBatch>;
  /** Notes that the client has its newest session token. */
  confirm(use: TokenUse): Promise<null>;
  /** Resolves when something was written and is on disk; rejects where that fails. */
  probe(): Promise<void>;
  /** Commits what is queued and lets go of the store. */
  close(): Promise<void>;
}

/** What sessions need of it. */
export type SessionStore = Pick<
  EventStore,
  'storeId' | 'oldestEventId' | 'claimEdge' | 'identify' | 'store' | 'confirm'
>;

/** Looking back at what is stored. Never in the way of the writes; sees all whose promise has resolved. */
export interface EventHistory {
  /**
   * @param asker the token's name; askers take turns
   * @throws ApexError HISTORY_BUSY, HISTORY_CROWDED, HISTORY_FAILED
   */
  page(query: HistoryQuery, asker: string): Promise<HistoryPage>;
  /** A bounded part of the events after a cursor, in the order of their ids. Throws as `page` does. */
  follow(read: ReadEvents): Promise<EventPage>;
  close(): Promise<void>;
}
