import type { ClientType } from '../protocol/session.ts';
import type { HubCounters } from './counters.ts';
import type { HubContext } from './hub-context.ts';

type Counts = {
  readonly [Key in keyof HubCounters as HubCounters[Key] extends number ? Key : never]: number;
};

export interface HubStats extends Counts {
  readonly uptimeS: number;
  readonly storeId: string;
  readonly lastEventId: number;
  /** Nothing from this event on was deleted by retention. */
  readonly oldestEventId: number;
  readonly deletedEvents: number;
  /** People whom edges had forgotten, and events that were changed for it. */
  readonly forgottenPersons: number;
  readonly scrubbedEvents: number;
  readonly clients: Readonly<Record<ClientType, number>>;
  /** Those of the original protocol among them. */
  readonly legacyClients: number;
  /** Connections that have not identified themselves. */
  readonly unidentified: number;
  readonly subscribers: number;
  /** Cameras that edges have, and those that more than one edge has. */
  readonly cameras: number;
  readonly contestedCameras: number;
  /** Stream requests that wait for the answers of edges. */
  readonly openStreamRequests: number;
  /** Evidence that viewers wait for and no edge has begun to send. */
  readonly openEvidenceRequests: number;
  /** Clients without credit at this moment. */
  readonly throttledClients: number;
  readonly uncommittedBytes: number;
  /** Transactions of the store, milliseconds with their fsync; `ack` is from receiving a batch to its commit. */
  readonly commits: number;
  readonly averageCommitMs: number;
  readonly longestCommitMs: number;
  readonly ackLatencyMs: number;
  /** Bytes that wait in memory for clients to read them. */
  readonly bufferedBytes: number;
}

/** What the hub does and has done, at this moment. */
export function hubStats(
  { counters, registry, directory, fanOut, store, load, doorman, streams, evidence }: HubContext,
  uptimeS: number,
): HubStats {
  const { commits, averageMs, longestMs } = store.commitTimes;
  return {
    ...counters,
    uptimeS,
    storeId: store.storeId,
    lastEventId: fanOut.publishedThrough,
    oldestEventId: store.oldestEventId,
    deletedEvents: store.deletedEvents,
    forgottenPersons: store.forgottenPersons,
    scrubbedEvents: store.scrubbedEvents,
    clients: directory.countByType(),
    legacyClients: registry.count(({ isLegacy }) => isLegacy),
    unidentified: doorman.waiting,
    throttledClients: registry.count(({ isThrottled }) => isThrottled),
    uncommittedBytes: load.uncommittedBytes,
    commits,
    averageCommitMs: averageMs,
    longestCommitMs: longestMs,
    ackLatencyMs: load.latencyMs,
    subscribers: fanOut.subscriberCount,
    bufferedBytes: registry.bufferedBytes,
    cameras: streams.cameras,
    contestedCameras: streams.contestedCameras,
    openStreamRequests: streams.waiting,
    openEvidenceRequests: evidence.waiting,
  };
}
