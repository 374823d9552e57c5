import type { Lane } from '../../protocol/lanes.ts';
import type { Evidence, Suspects } from './suspects.ts';

/** A hub that answered a heartbeat and held the connection for so many beats (2 s) is well. */
const QUIET_BEATS = 4;

interface Head {
  readonly epoch: string;
  readonly lane: Lane;
  readonly sentThrough: number;
}

/**
 * How suspected messages are tried out on one connection: each alone, when nothing else is in flight, and not
 * before the hub has shown that it is well; until then the other lanes go on.
 */
export class Trial {
  readonly #suspects: Suspects;
  #evidence: Evidence = 'none';
  #beats = 0;
  #hasHeartbeat = false;
  /** Evidence at the time when the suspect in flight was sent. */
  #alone: Evidence | null = null;

  constructor(suspects: Suspects) {
    this.#suspects = suspects;
  }

  /** Evidence for the suspect that is in flight; null where none is. */
  get alone(): Evidence | null {
    return this.#alone;
  }

  /** Which lanes may send now. @param heads of the streams that have something to send */
  allowed(heads: readonly Head[], batchesInFlight: number): (lane: Lane) => boolean {
    if (this.#alone !== null) return () => false;
    const suspects = heads
      .filter((head) => this.#suspects.needsTrial(head))
      .map(({ lane }) => lane);
    const [first] = suspects;
    if (first === undefined) return () => true;
    const isReady = this.#evidence !== 'none' || this.#suspects.isBlind(first);
    if (!isReady) return (lane) => !suspects.includes(lane);
    return (lane) => lane === first && batchesInFlight === 0;
  }

  onSend(head: Head): void {
    if (this.#suspects.needsTrial(head)) this.#alone = this.#evidence;
  }

  onAcked(): void {
    this.#evidence = 'batch';
    this.#alone = null;
  }

  onHeartbeat(): void {
    this.#hasHeartbeat = true;
  }

  /** One beat of the connection. True where the hub has just shown that it is well. */
  onBeat(): boolean {
    this.#beats++;
    const isQuiet = this.#hasHeartbeat && this.#beats >= QUIET_BEATS;
    if (!isQuiet || this.#evidence !== 'none') return false;
    this.#evidence = 'heartbeat';
    return true;
  }
}
