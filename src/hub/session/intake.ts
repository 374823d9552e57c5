import type { WebSocket } from 'ws';
import { LIMITS } from '../../protocol/limits.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import type { Conduct, Measure } from '../door/conduct.ts';

export interface InboundFrame {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/**
 * Where the frames of a connection come in, in their order. It is not read from while its conversation says so, nor
 * while its conduct asks for a pause: its frames wait in the network then, and here those that were read already.
 */
export class Intake {
  readonly #ws: WebSocket;
  readonly #clock: Clock;
  readonly #onFrame: (frame: InboundFrame) => void;
  #held: InboundFrame[] = [];
  /** How the client behaves once it is identified. */
  #conduct: Conduct | undefined;
  /** It is not read from for its conduct; `#isToRead`: there is no other reason not to. */
  #pause: TimerHandle | undefined;
  #isToRead = true;
  /** Size of the frame that is being dealt with. */
  #bytes = 0;

  constructor(ws: WebSocket, clock: Clock, onFrame: (frame: InboundFrame) => void) {
    this.#ws = ws;
    this.#clock = clock;
    this.#onFrame = onFrame;
  }

  get isPaused(): boolean {
    return this.#ws.isPaused;
  }

  /** A frame was read. */
  take(frame: InboundFrame): void {
    if (this.#pause === undefined) this.#pass(frame);
    else this.hold(frame);
  }

  /** Keeps a frame until `release`, or until a pause ends. */
  hold(frame: InboundFrame): void {
    this.#held.push(frame);
  }

  /** Goes on with what was held. One of the frames may begin a pause. */
  release(): void {
    while (this.#pause === undefined) {
      const frame = this.#held.shift();
      if (frame === undefined) return;
      this.#pass(frame);
    }
  }

  setReading(isReading: boolean): void {
    const mayRead = isReading && this.#pause === undefined;
    this.#isToRead = isReading;
    if (mayRead && this.#ws.isPaused) this.#ws.resume();
    if (!isReading && !this.#ws.isPaused) this.#ws.pause();
  }

  /** The client's conduct counts from here on. */
  judge(conduct: Conduct): void {
    this.#conduct = conduct;
  }

  /** A frame was dealt with. Returns whether the client floods, and is to be closed. */
  isFloodedBy(bytes: number): boolean {
    return this.#isFlooded(this.#conduct?.onFrame(this.#clock.monotonicMs(), bytes));
  }

  /** A frame was refused. Returns whether the client floods, and is to be closed. */
  isFloodedByRefusal(): boolean {
    return this.#isFlooded(this.#conduct?.onRefusal(this.#clock.monotonicMs(), this.#bytes));
  }

  /** What it sent is no WebSocket: its connection ends by that, and it counts for those that come after. */
  onBrokenFrame(): void {
    this.#conduct?.onRefusal(this.#clock.monotonicMs(), LIMITS.batchBytes);
  }

  /** Nothing more is taken, and its conduct is of no interest any more. */
  close(): void {
    this.#conduct = undefined;
    this.#held = [];
    this.#pause?.cancel();
    this.#pause = undefined;
  }

  #pass(frame: InboundFrame): void {
    this.#bytes = frame.data.byteLength;
    this.#onFrame(frame);
    this.#bytes = 0;
  }

  #isFlooded(measure: Measure | undefined): boolean {
    if (measure?.kind === 'pause' && this.#pause === undefined) {
      this.#ws.pause();
      this.#pause = this.#clock.setTimeout(() => {
        this.#pause = undefined;
        this.release();
        this.setReading(this.#isToRead);
      }, measure.forMs);
    }
    if (measure?.kind !== 'close') return false;
    // The answer must not be counted against it again.
    this.#conduct = undefined;
    return true;
  }
}
