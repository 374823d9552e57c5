/**
 * `newest`: a frame that is not taken in time is replaced by the next one, so nobody ever waits for the model.
 * `every`: no frame is lost, and whoever delivers them waits when there is no room.
 */
export type SlotMode = 'newest' | 'every';

type SlotState = 'free' | 'filling' | 'ready' | 'busy';

/**
 * Who owns which part of a camera's frame memory: the capture fills one slot, finished frames wait in others,
 * workers read from others again. Knows numbers of slots only, not their bytes.
 *
 * With `2 + readers` slots, where at most `readers` frames are busy at once, there is always one to fill in
 * mode `newest`.
 */
export class FrameSlots {
  readonly #mode: SlotMode;
  readonly #states: SlotState[];
  /** Oldest first. */
  readonly #ready: number[] = [];
  #filling: number | null = null;

  constructor(count: number, mode: SlotMode) {
    this.#states = new Array<SlotState>(count).fill('free');
    this.#mode = mode;
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Whether a frame can be filled without taking the room of another. */
  get hasRoom(): boolean {
    return this.#filling !== null || this.#states.includes('free');
  }

  /** The slot for the next frame; the same until `complete` or `abandon`. */
  fill(): number {
    if (this.#filling !== null) return this.#filling;
    const slot = this.#states.indexOf('free');
    if (slot < 0) throw new RangeError('no slot is free');
    this.#states[slot] = 'filling';
    this.#filling = slot;
    return slot;
  }

  /** The slot being filled is full. Returns the slot whose frame it replaced, or null. */
  complete(): { slot: number; replaced: number | null } {
    const slot = this.#filling;
    if (slot === null) throw new RangeError('no slot is being filled');
    this.#filling = null;
    this.#states[slot] = 'ready';
    const replaced = this.#mode === 'newest' ? (this.#ready.shift() ?? null) : null;
    if (replaced !== null) this.#states[replaced] = 'free';
    this.#ready.push(slot);
    return { slot, replaced };
  }

  /** What is being filled is forgotten. */
  abandon(): void {
    if (this.#filling !== null) this.#states[this.#filling] = 'free';
    this.#filling = null;
  }

  /** Gives the oldest ready frame to a worker; null when there is none. */
  take(): number | null {
    const slot = this.#ready.shift();
    if (slot === undefined) return null;
    this.#states[slot] = 'busy';
    return slot;
  }

  /** The worker is done with the slot. */
  release(slot: number): void {
    if (this.#states[slot] !== 'busy') throw new RangeError(`slot ${slot} is not busy`);
    this.#states[slot] = 'free';
  }
}
