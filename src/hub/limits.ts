import { LIMITS } from '../protocol/limits.ts';
import type { Rate } from './ingest/token-bucket.ts';

/** What the hub lets its clients do; none of it loses a message, it only comes later. */
export interface HubLimits {
  /** What one client may deliver over time, messages a second. */
  readonly messagesPerS: number;
  /** What it may deliver at once on top, after it was away for example. */
  readonly burstMessages: number;
  /** Connections that have not identified themselves: all of them, and from one address. */
  readonly unidentified: number;
  readonly unidentifiedPerAddress: number;
  /** Refused frames of one connection that are answered at once; a token's clients have twice that in common. */
  readonly refusals: Rate;
  /** Clients that are connected by one token. */
  readonly sessionsPerToken: number;
  /** How long an edge may take to answer a stream request. */
  readonly streamRequestTimeoutMs: number;
}

export const DEFAULT_HUB_LIMITS: HubLimits = {
  messagesPerS: 2000,
  burstMessages: 10_000,
  unidentified: 4096,
  // A thousand edges behind one router come back together.
  unidentifiedPerAddress: 2048,
  refusals: { perS: 50, burst: 200 },
  // Every page of a large control room, or a thousand boxes that were set up alike.
  sessionsPerToken: 1024,
  streamRequestTimeoutMs: LIMITS.requestTimeoutMs,
};
