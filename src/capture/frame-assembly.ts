import type { Readable } from 'node:stream';

export interface FrameConsumer {
  /** Memory for the next frame. */
  target(): Uint8Array;
  /** The target is full. */
  complete(): 'next' | 'pause';
}

/**
 * Cuts a stream of raw frames into frames, copying each byte once: from the chunk that the kernel filled to
 * the memory of the receiver.
 */
export class FrameAssembly {
  readonly #source: Readable;
  readonly #frameBytes: number;
  readonly #consumer: FrameConsumer;
  #target: Uint8Array | null = null;
  #filled = 0;
  #paused = false;
  /** What was read beyond the frame after which a pause was asked for. */
  #held: Uint8Array | null = null;

  constructor(source: Readable, frameBytes: number, consumer: FrameConsumer) {
    this.#source = source;
    this.#frameBytes = frameBytes;
    this.#consumer = consumer;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  pause(): void {
    this.#paused = true;
    this.#source.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#take(held);
    if (!this.#paused) this.#source.resume();
  }

  #take(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#paused) {
        this.#hold(chunk.subarray(offset));
        return;
      }
      this.#target ??= this.#consumer.target();
      const length = Math.min(this.#frameBytes - this.#filled, chunk.length - offset);
      this.#target.set(chunk.subarray(offset, offset + length), this.#filled);
      this.#filled += length;
      offset += length;
      if (this.#filled === this.#frameBytes) this.#finishFrame();
    }
  }

  #finishFrame(): void {
    this.#target = null;
    this.#filled = 0;
    if (this.#consumer.complete() === 'pause') this.pause();
  }

  /** A chunk that was on its way when the pause was asked for comes after what is held already. */
  #hold(rest: Uint8Array): void {
    this.#held = this.#held === null ? rest : Buffer.concat([this.#held, rest]);
  }
}
