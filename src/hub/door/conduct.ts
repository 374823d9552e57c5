import { TokenBucket } from '../ingest/token-bucket.ts';
import type { HubLimits } from '../limits.ts';

/** Refused frames of one client that are answered at once, and how fast that allowance comes back. */
const REFUSALS = { perS: 100, burst: 500 };
/** Frames of a client that delivers nothing: requests and heartbeats. */
const REQUESTS = { perS: 200, burst: 2000 };
/** An edge may put each message into a frame of its own, and has heartbeats beside. */
const FRAMES_PER_MESSAGE = 2;
/** A frame counts as one more for so many of its bytes: reading and parsing them is the work. */
const BYTES_PER_FRAME = 16 * 1024;
/** The shortest time that a client is not read from: less is not worth the system calls. */
const MIN_PAUSE_MS = 20;

/** What to do about a client that sent a frame: nothing, not read from it for a time, or end its connection. */
export type Measure =
  | { readonly kind: 'none' }
  | { readonly kind: 'pause'; readonly forMs: number }
  | { readonly kind: 'close' };

const NONE: Measure = { kind: 'none' };

/**
 * How fast an identified client may make work that is not governed by its credit. Who is above it is not read from,
 * so its frames wait in the network. Who goes on with frames that are refused, until that debt is as large as the
 * allowance, is closed; a client of the original protocol is not, for it does not know the rules.
 */
export class Conduct {
  readonly #refusals: TokenBucket;
  readonly #frames: TokenBucket;
  /** Debt of refusals that ends the connection. */
  readonly #mostDebt: number;

  /** @param nowMs monotonic, as in all calls */
  constructor(
    { isEdge, isLegacy }: { readonly isEdge: boolean; readonly isLegacy: boolean },
    limits: HubLimits,
    nowMs: number,
  ) {
    const rate = isEdge
      ? {
          perS: FRAMES_PER_MESSAGE * limits.messagesPerS,
          burst: FRAMES_PER_MESSAGE * limits.burstMessages,
        }
      : REQUESTS;
    this.#refusals = new TokenBucket(REFUSALS, nowMs);
    this.#frames = new TokenBucket(rate, nowMs);
    this.#mostDebt = isLegacy ? Number.POSITIVE_INFINITY : REFUSALS.burst;
  }

  /** The client has sent a frame of so many bytes; a control frame that asks for an answer is one too. */
  onFrame(nowMs: number, bytes: number): Measure {
    this.#frames.take(1 + Math.floor(bytes / BYTES_PER_FRAME), nowMs);
    return measureOf(this.#frames, Number.POSITIVE_INFINITY, nowMs);
  }

  /** One of its frames was answered with an error. */
  onRefusal(nowMs: number): Measure {
    this.#refusals.take(1, nowMs);
    return measureOf(this.#refusals, this.#mostDebt, nowMs);
  }
}

function measureOf(bucket: TokenBucket, mostDebt: number, nowMs: number): Measure {
  const level = bucket.level(nowMs);
  if (level >= 0) return NONE;
  if (level <= -mostDebt) return { kind: 'close' };
  return { kind: 'pause', forMs: Math.max(MIN_PAUSE_MS, bucket.waitFor(0, nowMs)) };
}
