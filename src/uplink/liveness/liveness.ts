import { LIMITS } from '../../protocol/limits.ts';

/** Length of one beat. */
export const BEAT_MS = 500;

const ACK_TIMEOUT_MS = 10_000;
/** An alert is asked after sooner: first by a ping. */
const ALERT_ACK_TIMEOUT_MS = 3_000;
const PONG_TIMEOUT_MS = 2_000;
/** The slowest link that is still served, in bytes per millisecond: 256 kbit/s. */
const SLOWEST_LINK = 32;

export type LivenessVerdict =
  | { readonly do: 'nothing' }
  | { readonly do: 'heartbeat' }
  | { readonly do: 'ping' }
  | { readonly do: 'give_up'; readonly reason: string };

export interface Outstanding {
  readonly batches: number;
  readonly hasAlerts: boolean;
  /** Of the largest batch in flight; everything behind it has to wait while a slow link carries it. */
  readonly largestBytes: number;
}

/**
 * Whether the hub is still there. Time is counted in beats of the process's own timer, so that a process which
 * itself stood still (SIGSTOP, suspend) does not take a good connection for dead.
 */
export class Liveness {
  #sinceInbound = 0;
  #sinceOutbound = 0;
  #sinceProgress = 0;
  #sincePing: number | null = null;

  /** Anything came in. */
  onInbound(): void {
    this.#sinceInbound = 0;
    this.#sincePing = null;
  }

  onOutbound(): void {
    this.#sinceOutbound = 0;
  }

  /** An acknowledgement came, or the first batch went out after none was in flight. */
  onProgress(): void {
    this.#sinceProgress = 0;
  }

  beat(outstanding: Outstanding): LivenessVerdict {
    this.#sinceInbound += BEAT_MS;
    this.#sinceOutbound += BEAT_MS;
    this.#sinceProgress = outstanding.batches > 0 ? this.#sinceProgress + BEAT_MS : 0;
    if (this.#sincePing !== null) this.#sincePing += BEAT_MS;
    return this.#verdict(outstanding);
  }

  #verdict({ hasAlerts, largestBytes }: Outstanding): LivenessVerdict {
    const allowance = Math.max(0, largestBytes - LIMITS.batchBytes) / SLOWEST_LINK;
    if (this.#sinceInbound > LIMITS.serverSilenceMs + allowance)
      return { do: 'give_up', reason: `nothing heard for ${this.#sinceInbound} ms` };
    if (this.#sinceProgress > ACK_TIMEOUT_MS + allowance)
      return { do: 'give_up', reason: `no acknowledgement for ${this.#sinceProgress} ms` };
    if (this.#sincePing !== null && this.#sincePing >= PONG_TIMEOUT_MS + allowance)
      return { do: 'give_up', reason: `no answer to a ping for ${this.#sincePing} ms` };
    const isAlertLate = hasAlerts && this.#sinceProgress >= ALERT_ACK_TIMEOUT_MS + allowance;
    if (isAlertLate && this.#sincePing === null && this.#sinceInbound > BEAT_MS) {
      this.#sincePing = 0;
      return { do: 'ping' };
    }
    return this.#sinceOutbound >= LIMITS.heartbeatMs ? { do: 'heartbeat' } : { do: 'nothing' };
  }
}
