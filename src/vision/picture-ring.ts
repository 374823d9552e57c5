import type { PictureSize } from '../capture/contract.ts';

/** Interleaved RGB bytes. */
export interface Picture extends PictureSize {
  frameId: number;
  pixels: Uint8Array;
}

/**
 * The last few pictures of a camera, by the number of the frame they belong to.
 *
 * Pictures come on a pipe of their own, a little before or after their frame. Memory is taken as it is needed
 * and used again.
 */
export class PictureRing {
  readonly #capacity: number;
  /** Oldest first. */
  readonly #pictures = new Map<number, Picture>();
  readonly #spare: Uint8Array[] = [];
  readonly #awaited = new Map<number, ((picture: Picture | null) => void)[]>();
  #size: PictureSize | null = null;
  #nextFrameId = 0;
  #isOpen = false;
  #filling: Uint8Array | null = null;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A connection begins, whose first picture belongs to this frame. */
  open(size: PictureSize | null, firstFrameId: number): void {
    this.close();
    if (size?.width !== this.#size?.width || size?.height !== this.#size?.height) {
      this.#spare.length = 0;
    }
    this.#size = size;
    this.#nextFrameId = firstFrameId;
    this.#isOpen = true;
  }

  /** Memory for the next picture; the same until `complete`. */
  target(): Uint8Array {
    if (this.#filling !== null) return this.#filling;
    if (this.#size === null) throw new RangeError('this connection has no pictures');
    if (this.#pictures.size >= this.#capacity) this.#forgetOldest();
    const bytes = this.#size.width * this.#size.height * 3;
    this.#filling = this.#spare.pop() ?? new Uint8Array(bytes);
    return this.#filling;
  }

  complete(): void {
    if (this.#filling === null || this.#size === null) throw new RangeError('no picture is filled');
    const frameId = this.#nextFrameId++;
    const picture = { frameId, pixels: this.#filling, ...this.#size };
    this.#filling = null;
    this.#pictures.set(frameId, picture);
    this.#answer(frameId, picture);
  }

  /** Nobody will ask for this picture, so its memory may go before that of older ones. */
  discard(frameId: number): void {
    const picture = this.#pictures.get(frameId);
    if (picture === undefined) return;
    this.#pictures.delete(frameId);
    this.#reuse(picture);
  }

  /**
   * The picture of a frame, also when it is still on its way; null when it is gone or never comes.
   * Its pixels are valid until the next turn of the event loop.
   */
  picture(frameId: number): Promise<Picture | null> {
    const picture = this.#pictures.get(frameId);
    const isToCome = this.#isOpen && this.#size !== null && frameId >= this.#nextFrameId;
    if (picture !== undefined || !isToCome) return Promise.resolve(picture ?? null);
    return new Promise((resolve) => {
      this.#awaited.set(frameId, [...(this.#awaited.get(frameId) ?? []), resolve]);
    });
  }

  /** The connection ended: what has not come will not come. */
  close(): void {
    if (this.#filling !== null) this.#spare.push(this.#filling);
    this.#filling = null;
    this.#isOpen = false;
    for (const frameId of [...this.#awaited.keys()]) this.#answer(frameId, null);
  }

  #answer(frameId: number, picture: Picture | null): void {
    for (const resolve of this.#awaited.get(frameId) ?? []) resolve(picture);
    this.#awaited.delete(frameId);
  }

  #forgetOldest(): void {
    const [oldest] = this.#pictures.keys();
    if (oldest !== undefined) this.discard(oldest);
  }

  #reuse({ pixels, width, height }: Picture): void {
    if (width === this.#size?.width && height === this.#size.height) this.#spare.push(pixels);
  }
}
