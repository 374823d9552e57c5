import type { WebSocket } from 'ws';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import type { Conduct, Measure } from '../door/conduct.ts';

/** Whether a connection is read from: not while its conversation says so, nor while its conduct asks for a pause. */
export class Intake {
  readonly #ws: WebSocket;
  readonly #clock: Clock;
  /** How the client behaves once it is identified. */
  #conduct: Conduct | undefined;
  /** It is not read from for its conduct; `#isToRead`: there is no other reason not to. */
  #pause: TimerHandle | undefined;
  #isToRead = true;

  constructor(ws: WebSocket, clock: Clock) {
    this.#ws = ws;
    this.#clock = clock;
  }

  get isPaused(): boolean {
    return this.#ws.isPaused;
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

  /** A frame came. Returns whether the client floods, and is to be closed. */
  onFrame(bytes: number): boolean {
    return this.#isFlooded(this.#conduct?.onFrame(this.#clock.monotonicMs(), bytes));
  }

  /** A frame was refused. Returns whether the client floods, and is to be closed. */
  onRefusal(): boolean {
    return this.#isFlooded(this.#conduct?.onRefusal(this.#clock.monotonicMs()));
  }

  /** Its conduct is of no interest any more. */
  pardon(): void {
    this.#conduct = undefined;
    this.#pause?.cancel();
    this.#pause = undefined;
  }

  #isFlooded(measure: Measure | undefined): boolean {
    if (measure?.kind === 'pause' && this.#pause === undefined) {
      this.#ws.pause();
      this.#pause = this.#clock.setTimeout(() => {
        this.#pause = undefined;
        this.setReading(this.#isToRead);
      }, measure.forMs);
    }
    if (measure?.kind !== 'close') return false;
    // The answer must not be counted against it again.
    this.#conduct = undefined;
    return true;
  }
}
