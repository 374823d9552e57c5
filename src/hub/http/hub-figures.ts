import type { HubStats } from '../hub-stats.ts';

export type FigureGroup = 'server' | 'store' | 'connections' | 'streams' | 'ingest' | 'fan_out';

/** How one number of the hub is shown: in a group of `GET /api/stats`, and as a metric. */
export interface Figure {
  readonly group: FigureGroup;
  /** Within its group. */
  readonly name: string;
  readonly help: string;
  /** Name of the metric behind `apex_hub_`; null where it is none. Counters end in `_total`. */
  readonly metric: string | null;
  /** What the number is multiplied with for the metric; metrics are in seconds and bytes. */
  readonly factor: number;
}

function gauge(group: FigureGroup, name: string, help: string, metric = name): Figure {
  return { group, name, help, metric, factor: 1 };
}

function count(group: FigureGroup, name: string, help: string): Figure {
  return { group, name, help, metric: `${name}_total`, factor: 1 };
}

function milliseconds(group: FigureGroup, name: string, help: string, metric: string): Figure {
  return { group, name, help, metric, factor: 0.001 };
}

function fact(group: FigureGroup, name: string, help: string): Figure {
  return { group, name, help, metric: null, factor: 1 };
}

/** Everything that the hub knows of itself. Nothing of `HubStats` can be left out. */
export const HUB_FIGURES: Readonly<Record<keyof HubStats, Figure>> = {
  uptimeS: gauge('server', 'uptime_s', 'Time since the hub started.', 'uptime_seconds'),
  errorsSent: count('server', 'errors_sent', 'Frames of type `error` sent.'),

  storeId: fact('store', 'store_id', 'Names the event file.'),
  lastEventId: gauge('store', 'last_event_id', 'Newest event.'),
  oldestEventId: gauge(
    'store',
    'oldest_event_id',
    'Nothing from this event on was deleted by retention.',
  ),
  deletedEvents: count('store', 'deleted_events', 'Events deleted by retention.'),
  forgottenPersons: count(
    'store',
    'forgotten_persons',
    'People taken out of all events of their edge.',
  ),
  scrubbedEvents: count('store', 'scrubbed_events', 'Events that were changed for it.'),
  commits: count('store', 'commits', 'Transactions written.'),
  averageCommitMs: milliseconds(
    'store',
    'average_commit_ms',
    'Time of a transaction with its fsync, moving average.',
    'average_commit_seconds',
  ),
  longestCommitMs: milliseconds(
    'store',
    'longest_commit_ms',
    'Longest transaction since the start.',
    'longest_commit_seconds',
  ),
  storeFailures: count('store', 'store_failures', 'Batches and sessions that were not stored.'),

  connections: count('connections', 'connections', 'WebSockets opened.'),
  connectionsRefused: count(
    'connections',
    'connections_refused',
    'Handshakes refused because too many connections had not identified themselves.',
  ),
  originsRefused: count(
    'connections',
    'origins_refused',
    'Handshakes of pages whose origin is not allowed.',
  ),
  answersCut: count(
    'connections',
    'answers_cut',
    'HTTP connections ended because their answers were not read, or too many were asked for at once.',
  ),
  tokenFull: count(
    'connections',
    'token_full',
    'Clients turned away because as many as may be were connected by their token.',
  ),
  forbidden: count(
    'connections',
    'forbidden',
    'Frames and messages that their client has no right to send.',
  ),
  clients: gauge('connections', 'clients', 'Clients that are connected, by type.'),
  legacyClients: gauge('connections', 'legacy_clients', 'Those of the original protocol.'),
  unidentified: gauge(
    'connections',
    'unidentified',
    'Connections that have not identified themselves.',
  ),
  authFailures: count('connections', 'auth_failures', 'Tokens refused.'),
  identifyTimeouts: count(
    'connections',
    'identify_timeouts',
    'Connections that did not identify themselves in time.',
  ),
  superseded: count('connections', 'superseded', 'Connections that a newer one replaced.'),
  epochForks: count('connections', 'epoch_forks', 'Clients told to begin a new epoch.'),
  silentDropped: count(
    'connections',
    'silent_dropped',
    'Clients dropped because they fell silent.',
  ),

  cameras: gauge('streams', 'cameras', 'Cameras that edges have.'),
  contestedCameras: gauge(
    'streams',
    'contested_cameras',
    'Cameras that more than one edge announced; the first keeps them.',
  ),
  openStreamRequests: gauge('streams', 'open_requests', 'Stream requests that wait for an edge.'),
  streamRequests: count('streams', 'stream_requests', 'Stream requests of viewers.'),
  streamRequestsRepeated: count(
    'streams',
    'stream_requests_repeated',
    'Stream requests that were asked before under the same id.',
  ),
  streamRequestsFailed: count('streams', 'stream_requests_failed', 'Stream requests that failed.'),
  edgeTimeouts: count('streams', 'edge_timeouts', 'Stream requests that no edge answered in time.'),
  streamAnswersUnasked: count(
    'streams',
    'stream_answers_unasked',
    'Answers of edges that were not asked, or not any more.',
  ),
  openEvidenceRequests: gauge(
    'streams',
    'open_evidence_requests',
    'Requests for evidence that wait for an edge.',
  ),
  evidenceRequests: count('streams', 'evidence_requests', 'Requests of viewers for evidence.'),
  evidenceFailed: count('streams', 'evidence_failed', 'Those that came to nothing.'),
  evidenceBytes: count('streams', 'evidence_bytes', 'Evidence that edges uploaded.'),
  cameraConflicts: count(
    'streams',
    'camera_conflicts',
    'Times that edges were told that two of them have a camera of one id.',
  ),

  framesIn: count('ingest', 'frames_in', 'Frames received.'),
  deflatedFrames: count('ingest', 'deflated_frames', 'Frames received compressed.'),
  inflatedBytes: count('ingest', 'inflated_bytes', 'What compressed frames unfolded to.'),
  batches: count('ingest', 'batches', 'Batches stored.'),
  acksSent: count('ingest', 'acks_sent', 'Acknowledgements sent.'),
  messagesStored: count('ingest', 'messages_stored', 'Messages stored.'),
  duplicates: count('ingest', 'duplicates', 'Messages that were stored already.'),
  forked: count('ingest', 'forked', 'Messages under numbers that other messages have.'),
  quarantined: count('ingest', 'quarantined', 'Messages that failed validation, kept aside.'),
  gaps: count('ingest', 'gaps', 'Losses that clients declared.'),
  clockSuspects: count('ingest', 'clock_suspects', 'Messages of clients whose clock is off.'),
  resyncs: count('ingest', 'resyncs', 'Batches that began too far ahead.'),
  flowUpdates: count('ingest', 'flow_updates', 'Changes of credit told to clients.'),
  flowViolations: count('ingest', 'flow_violations', 'Clients closed for ignoring their credit.'),
  streamsPurged: count('ingest', 'streams_purged', 'High-water marks of old epochs forgotten.'),
  throttledClients: gauge('ingest', 'throttled_clients', 'Clients without credit now.'),
  uncommittedBytes: gauge('ingest', 'uncommitted_bytes', 'Received and not yet committed.'),
  ackLatencyMs: milliseconds(
    'ingest',
    'ack_latency_ms',
    'From receiving the newest batch to its commit.',
    'newest_ack_seconds',
  ),

  subscribers: gauge('fan_out', 'subscribers', 'Subscriptions in force.'),
  subscribersClosed: count(
    'fan_out',
    'subscribers_closed',
    'Subscribers closed because they could not be served.',
  ),
  bufferedBytes: gauge('fan_out', 'buffered_bytes', 'Bytes that wait for clients to read them.'),
};
