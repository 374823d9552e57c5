import type { StoredBatch, StoredItem } from './store/requests.ts';
import { EVENT_STATUS } from './store/schema.ts';

/** What the hub has done since it started. */
export class HubCounters {
  connections = 0;
  /** Handshakes answered with 503 because too many connections had not identified themselves. */
  connectionsRefused = 0;
  /** Handshakes of pages whose origin is not allowed, answered with 403. */
  originsRefused = 0;
  /** HTTP connections ended because their answers were not read, or too many were asked for at once. */
  answersCut = 0;
  framesIn = 0;
  /** Binary frames among them, and what they unfolded to. */
  deflatedFrames = 0;
  inflatedBytes = 0;
  errorsSent = 0;
  authFailures = 0;
  /** Clients turned away because their token had as many as it may have. */
  tokenFull = 0;
  /** Frames and messages that their client has no right to send. */
  forbidden = 0;
  identifyTimeouts = 0;
  superseded = 0;
  epochForks = 0;
  silentDropped = 0;
  subscribersClosed = 0;
  batches = 0;
  acksSent = 0;
  messagesStored = 0;
  duplicates = 0;
  /** Messages under numbers that other messages have. */
  forked = 0;
  quarantined = 0;
  gaps = 0;
  clockSuspects = 0;
  resyncs = 0;
  flowUpdates = 0;
  flowViolations = 0;
  streamsPurged = 0;
  /** Requests of viewers for a camera's stream, those repeated, and those that an edge or its silence failed. */
  streamRequests = 0;
  streamRequestsRepeated = 0;
  streamRequestsFailed = 0;
  /** Requests that their edge did not answer in time. */
  edgeTimeouts = 0;
  /** Answers of edges that were not asked, or not any more. */
  streamAnswersUnasked = 0;
  /** Times that edges were told that two of them have a camera of one id. */
  cameraConflicts = 0;
  /** Evidence that viewers asked for, what came to nothing, and bytes that came from edges. */
  evidenceRequests = 0;
  evidenceFailed = 0;
  evidenceBytes = 0;
  storeFailures = 0;

  /** @param items of the batch that was stored */
  stored(items: readonly StoredItem[], { duplicates, forked, eventIds }: StoredBatch): void {
    this.batches++;
    this.duplicates += duplicates;
    this.forked += forked;
    for (const [index, eventId] of eventIds.entries()) {
      const item = items[index];
      if (eventId === 0 || item === undefined) continue;
      if (item.status === EVENT_STATUS.gap) this.gaps++;
      else this.messagesStored++;
      if (item.status === EVENT_STATUS.quarantined) this.quarantined++;
      if (item.clockSuspect) this.clockSuspects++;
    }
  }
}
