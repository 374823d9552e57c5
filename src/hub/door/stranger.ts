import type { Socket } from 'node:net';
import { LIMITS } from '../../protocol/limits.ts';
import type { TimerHandle } from '../../system/clock.ts';
import type { SessionContext } from '../hub-context.ts';

/** A stranger that has sent so much is cut off, closing handshake or not. */
const STRANGER_BYTES = 4 * LIMITS.preAuthFrameBytes;

/** Frames in place of a `client_identify` that are answered. */
const WRONG_FRAMES = 8;

export interface Peer {
  readonly connectionId: string;
  readonly remoteAddress: string;
  /** Name in the client certificate that it has shown; null where it has shown none. */
  readonly certificateName: string | null;
  /** Below the WebSocket. */
  readonly socket: Socket;
}

export interface StrangerLimits {
  /** It did not identify itself in time. */
  readonly onTimeout: () => void;
  /** It has sent more than a `client_identify` may have. */
  readonly onTooLarge: () => void;
  /** It goes on all the same. */
  readonly onFlood: () => void;
}

/** A connection whose client is not known yet: it gets little time, little room, and few answers. */
export class Stranger {
  readonly #hub: Pick<SessionContext, 'clock' | 'doorman'>;
  readonly #peer: Peer;
  readonly #limits: StrangerLimits;
  #identifyTimer: TimerHandle | undefined;
  #refusalTimer: TimerHandle | undefined;
  #isGone = false;
  #bytes = 0;
  #wrongFrames = 0;

  constructor(hub: Pick<SessionContext, 'clock' | 'doorman'>, peer: Peer, limits: StrangerLimits) {
    this.#hub = hub;
    this.#peer = peer;
    this.#limits = limits;
  }

  /** Its time begins. */
  begin(): void {
    this.#peer.socket.on('data', this.#count);
    const { onTimeout } = this.#limits;
    this.#identifyTimer = this.#hub.clock.setTimeout(onTimeout, LIMITS.identifyTimeoutMs);
  }

  /** It was refused, and the answer waits. */
  get isHeldBack(): boolean {
    return this.#refusalTimer !== undefined;
  }

  /**
   * Answers a refused token, later where its address was refused often; within `MAX_HOLD_MS` in any case. False where
   * the answer waits.
   */
  answerRefusal(answer: () => void): boolean {
    const { clock, doorman } = this.#hub;
    const holdMs = doorman.holdRefusal(this.#peer.remoteAddress, clock.monotonicMs());
    // It has identified itself in time, as somebody who is not let in: told that instead of a timeout, it would soon
    // be back. The doorman holds nothing for long.
    this.#identifyTimer?.cancel();
    if (holdMs === 0) answer();
    else this.#refusalTimer = clock.setTimeout(answer, holdMs);
    return holdMs === 0;
  }

  /** It sent something else than a `client_identify`. False where it has done so often enough. */
  noteWrongFrame(): boolean {
    this.#wrongFrames++;
    return this.#wrongFrames <= WRONG_FRAMES;
  }

  /** The client is known now, or gone. */
  leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#identifyTimer?.cancel();
    this.#refusalTimer?.cancel();
    this.#peer.socket.off('data', this.#count);
    this.#hub.doorman.leave(this.#peer.remoteAddress);
  }

  /** A frame counts for the WebSocket once it is complete; a stranger gets no room for a large one to grow. */
  readonly #count = (chunk: Buffer): void => {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > STRANGER_BYTES) this.#limits.onFlood();
    else if (this.#bytes > LIMITS.preAuthFrameBytes) this.#limits.onTooLarge();
  };
}
