const KIB = 1024;

/** Limits of the wire protocol. Both sides hold them; the server also tells its own in `connection_established`. */
export const LIMITS = {
  /** Largest frame in bytes of UTF-8, inflated where it came deflated; a larger one ends the connection with 4413. */
  maxFrameBytes: 1024 * KIB,
  /** Largest frame of a client that only asks and is shown: any but an `ai_engine`. */
  viewerFrameBytes: 64 * KIB,
  /** Largest frame of a client that has not identified itself. */
  preAuthFrameBytes: 16 * KIB,
  /** Frames smaller than this are not worth deflating. */
  deflateMinBytes: 4 * KIB,
  /** Objects and lists in one another, the frame included. */
  maxDepth: 64,
  /** Time a client has to identify itself before the server closes with 4408. */
  identifyTimeoutMs: 5_000,
  /** A client that was silent for so long sends a heartbeat. */
  heartbeatMs: 5_000,
  /** A client that heard nothing for so long holds the connection for dead. */
  serverSilenceMs: 12_000,
  /** A server that heard nothing for so long holds the client for dead. */
  clientSilenceMs: 15_000,
  /** The same for a client of the original protocol, which a WebSocket ping asks every `legacyPingMs`. */
  legacySilenceMs: 30_000,
  legacyPingMs: 10_000,
  /** An unacknowledged batch older than this means a dead connection; with alerts in it, a ping is sent first. */
  ackTimeoutMs: 10_000,
  alertAckTimeoutMs: 3_000,
  /** A stream request that its edge has not answered by then is answered with `edge_timeout`. */
  requestTimeoutMs: 20_000,
  /** Answers kept per client, so that a request sent twice is done once. */
  keptAnswers: 256,
  /** A message that waited longer is sent as `replayed`. */
  replayedAfterMs: 5_000,
  /** A client's clock that is further off is not believed. */
  clockSuspectMs: 5_000,
  /** One `message_batch`: items, and bytes of their bodies. A single larger body travels alone. */
  batchItems: 64,
  batchBytes: 64 * KIB,
  /** Largest body of one message in bytes of UTF-8: a frame less its envelope. */
  maxBodyBytes: 1020 * KIB,
  /** In flight and not yet acknowledged, per connection. */
  windowBatches: 8,
  windowMessages: 512,
  windowBytes: 1024 * KIB,
} as const;
