import type { FlowCredit } from '../../protocol/batch.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import type { HubLimits } from '../limits.ts';
import { creditOf, isOverrun, NO_CREDIT, type Uncommitted } from './credit.ts';
import type { IngestLoad } from './ingest-load.ts';
import { TokenBucket } from './token-bucket.ts';

export interface FlowControlOptions {
  readonly load: IngestLoad;
  readonly limits: HubLimits;
  readonly clock: Clock;
  /** What the client has on the way into the store. */
  readonly uncommitted: () => Uncommitted;
  readonly tell: (flow: FlowNews) => void;
  readonly setReading: (isReading: boolean) => void;
  /** The client goes on sending without credit. */
  readonly onAbuse: () => void;
}

/** Content of a `flow_update`. */
export interface FlowNews extends FlowCredit {
  readonly reason: string;
  readonly resume_after_ms?: number;
}

/** A hub that is busy looks again after this. */
const BUSY_RETRY_MS = 100;
/** A client at its rate limit goes on with messages for so long a time saved up. */
const SAVED_MS = 100;
/** A client that again and again sends twice its credit, without longer breaks, is closed after the first. */
const ABUSE_MS = 10_000;
const ABUSE_PAUSE_MS = 2000;

/**
 * One client's credit. It shrinks to nothing while the client is above its rate or the hub is busy, and the client
 * is told when it is back. Who sends on all the same is not read from for that time.
 */
export class FlowControl {
  readonly #options: FlowControlOptions;
  readonly #bucket: TokenBucket;
  #timer: TimerHandle | undefined;
  /** The client has sent too much and is not read from. */
  #isOverrun = false;
  #overrunAtMs = Number.NEGATIVE_INFINITY;
  /** Since when it has done so again and again. */
  #abusedSinceMs = 0;
  #isStopped = false;

  constructor(options: FlowControlOptions) {
    this.#options = options;
    const { messagesPerS: perS, burstMessages: burst } = options.limits;
    this.#bucket = new TokenBucket({ perS, burst }, options.clock.monotonicMs());
    options.load.clients++;
  }

  /** The credit of this moment, to be told to the client. Where it is none, news will follow. */
  announce(): FlowCredit {
    const credit = this.#credit();
    if (credit.credit_messages === 0 && this.#timer === undefined) this.#arm(this.#waitMs());
    return credit;
  }

  /** Messages that the client may have in flight now. */
  get creditMessages(): number {
    return this.#credit().credit_messages;
  }

  get isThrottled(): boolean {
    return this.#timer !== undefined;
  }

  received(messages: number): void {
    const nowMs = this.#nowMs();
    this.#bucket.take(messages, nowMs);
    const allowance = this.#bucket.level(nowMs);
    if (isOverrun(this.#options.uncommitted(), allowance)) this.#stopReading(nowMs);
    if (this.#credit().credit_messages === 0) this.#throttle();
  }

  /** Something of this client's was committed. */
  settled(): void {
    if (this.#isOverrun && !this.#isStopped && this.#timer === undefined) this.#review();
  }

  /** To be called once, when the connection is gone. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#options.load.clients--;
  }

  #stopReading(nowMs: number): void {
    this.#isOverrun = true;
    if (nowMs - this.#overrunAtMs > ABUSE_PAUSE_MS) this.#abusedSinceMs = nowMs;
    this.#overrunAtMs = nowMs;
    this.#options.setReading(false);
  }

  #throttle(): void {
    if (this.#timer !== undefined) return;
    const resumeAfterMs = this.#waitMs();
    const reason = this.#bucket.level(this.#nowMs()) < 1 ? 'rate_limit' : 'hub_busy';
    this.#options.tell({ ...NO_CREDIT, reason, resume_after_ms: resumeAfterMs });
    this.#arm(resumeAfterMs);
  }

  #arm(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#review();
    }, delayMs);
  }

  #review(): void {
    const { uncommitted, setReading, onAbuse } = this.#options;
    const nowMs = this.#nowMs();
    const allowance = this.#bucket.level(nowMs);
    // Once it has come so far, the whole debt is paid first.
    if (isOverrun(uncommitted(), allowance) || (this.#isOverrun && allowance < 0)) {
      this.#arm(this.#waitMs());
      return;
    }
    if (this.#isOverrun && nowMs - this.#abusedSinceMs > ABUSE_MS) {
      onAbuse();
      return;
    }
    this.#isOverrun = false;
    setReading(true);
    this.#resume();
  }

  #resume(): void {
    const credit = this.#credit();
    if (credit.credit_messages === 0) this.#arm(this.#waitMs());
    else this.#options.tell({ ...credit, reason: 'resumed' });
  }

  #credit(): FlowCredit {
    return creditOf(this.#options.load, this.#bucket.level(this.#nowMs()));
  }

  #waitMs(): number {
    const saved = (this.#options.limits.messagesPerS * SAVED_MS) / 1000;
    const waitMs = this.#bucket.waitFor(Math.max(1, saved), this.#nowMs());
    return Math.max(BUSY_RETRY_MS, Math.ceil(waitMs));
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
