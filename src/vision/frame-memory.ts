/** Buffers kept for the next camera: two cameras' worth. */
const MOST_KEPT = 12;

/**
 * Memory for frames, used again: the collector comes late to memory that threads share, and cameras that come and go
 * would add up until it does.
 */
export class FrameMemory {
  /** The longest unused first. */
  readonly #spare: SharedArrayBuffer[] = [];

  take(bytes: number): SharedArrayBuffer {
    const index = this.#spare.findLastIndex(({ byteLength }) => byteLength === bytes);
    const [spare] = index < 0 ? [] : this.#spare.splice(index, 1);
    return spare ?? new SharedArrayBuffer(bytes);
  }

  /** Nobody reads or writes these any more. */
  giveBack(buffers: readonly SharedArrayBuffer[]): void {
    this.#spare.push(...buffers);
    this.#spare.splice(0, Math.max(0, this.#spare.length - MOST_KEPT));
  }
}
