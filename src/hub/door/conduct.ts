import { LIMITS } from '../../protocol/limits.ts';
import { TokenBucket } from '../ingest/token-bucket.ts';
import type { HubLimits } from '../limits.ts';

/** Frames of a client that delivers nothing: requests and heartbeats. */
const REQUESTS = { perS: 200, burst: 2000 };
/** An edge may put each message into a frame of its own, and has heartbeats beside. */
const FRAMES_PER_MESSAGE = 2;
/** A frame counts as one more for so many of its bytes: reading and parsing them is the work. */
const BYTES_PER_FRAME = 16 * 1024;
/** The same for what is larger than a batch, with its envelope. */
const LARGEST_BATCH = 2 * LIMITS.batchBytes;
const LARGE_BYTES_PER_FRAME = 1024;
/** A refused frame was work for nothing. */
const BYTES_PER_REFUSAL = 4 * 1024;
/** The shortest time that a client is not read from: less is not worth the system calls. */
const MIN_PAUSE_MS = 20;
/** Refused frames come at most so many times as fast as they are forgiven, so that others get their turn between. */
const BURST_SPEED = 4;
/** The longest for what others of its token did: its heartbeats are to be heard in time. */
const MAX_SHARED_PAUSE_MS = LIMITS.heartbeatMs;

/** What to do about a client that sent a frame: nothing, not read from it for a time, or end its connection. */
export type Measure =
  | { readonly kind: 'none' }
  | { readonly kind: 'pause'; readonly forMs: number }
  | { readonly kind: 'close' };

const NONE: Measure = { kind: 'none' };

/**
 * How fast an identified client may make work that is not governed by its credit. Who is above it is not read from,
 * so its frames wait in the network. What comes behind a refused frame waits for a moment in any case: a burst of them
 * would hold up everybody else for as long as it takes to answer it. Who goes on with frames that are refused, until that debt is as large as the
 * allowance, is closed; a client of the original protocol is not, for it does not know the rules. The clients of one
 * token have an allowance in common as well: for those of them that are refused it makes no difference to connect anew.
 */
export class Conduct {
  readonly #refusals: TokenBucket;
  readonly #shared: TokenBucket;
  readonly #frames: TokenBucket;
  /** After each refused frame. */
  readonly #turnMs: number;
  /** Debt of refusals that ends the connection. */
  readonly #mostDebt: number;

  /**
   * @param shared refusals of all clients of its token
   * @param nowMs monotonic, as in all calls
   */
  constructor(
    { isEdge, isLegacy }: { readonly isEdge: boolean; readonly isLegacy: boolean },
    limits: HubLimits,
    shared: TokenBucket,
    nowMs: number,
  ) {
    const rate = isEdge
      ? {
          perS: FRAMES_PER_MESSAGE * limits.messagesPerS,
          burst: FRAMES_PER_MESSAGE * limits.burstMessages,
        }
      : REQUESTS;
    this.#refusals = new TokenBucket(limits.refusals, nowMs);
    this.#shared = shared;
    this.#frames = new TokenBucket(rate, nowMs);
    this.#turnMs = 1000 / (BURST_SPEED * limits.refusals.perS);
    this.#mostDebt = isLegacy ? Number.POSITIVE_INFINITY : limits.refusals.burst;
  }

  /** It has sent a frame of so many bytes; a control frame that asks for an answer is one too. */
  onFrame(nowMs: number, bytes: number): Measure {
    const unit = bytes > LARGEST_BATCH ? LARGE_BYTES_PER_FRAME : BYTES_PER_FRAME;
    this.#frames.take(1 + Math.floor(bytes / unit), nowMs);
    return pauseFor(this.#frames.waitFor(0, nowMs));
  }

  /** A frame of so many bytes is answered with an error. */
  onRefusal(nowMs: number, bytes: number): Measure {
    const weight = 1 + Math.floor(bytes / BYTES_PER_REFUSAL);
    this.#refusals.take(weight, nowMs);
    this.#shared.take(weight, nowMs);
    if (this.#refusals.level(nowMs) <= -this.#mostDebt) return { kind: 'close' };
    const sharedMs = Math.min(MAX_SHARED_PAUSE_MS, this.#shared.waitFor(0, nowMs));
    const pause = pauseFor(Math.max(this.#refusals.waitFor(0, nowMs), sharedMs));
    if (pause.kind === 'pause' || this.#turnMs < 1) return pause;
    return { kind: 'pause', forMs: this.#turnMs };
  }
}

function pauseFor(ms: number): Measure {
  return ms > 0 ? { kind: 'pause', forMs: Math.max(MIN_PAUSE_MS, ms) } : NONE;
}
