import type {
  FrameMeta,
  FrameSink,
  ModelGeometry,
  PictureSize,
  StreamInfo,
} from '../../src/capture/contract.ts';

/** A sink that keeps every frame, and pauses the capture when told to. */
export class CollectingSink implements FrameSink {
  readonly frames: Uint8Array[] = [];
  readonly metas: FrameMeta[] = [];
  readonly pictures: Uint8Array[] = [];
  readonly openings: {
    stream: StreamInfo;
    geometry: ModelGeometry;
    pictureSize: PictureSize | null;
  }[] = [];
  closings = 0;
  /** Asks for a pause after each so many frames. */
  pauseEvery = Number.POSITIVE_INFINITY;
  isPaused = false;
  resume: () => void = () => {
    throw new Error('the capture has not registered');
  };
  #frame = new Uint8Array();
  #picture = new Uint8Array();

  open(stream: StreamInfo, geometry: ModelGeometry, pictureSize: PictureSize | null): void {
    this.openings.push({ stream, geometry, pictureSize });
  }

  target(): Uint8Array {
    if (this.isPaused) throw new Error('a frame was begun in a pause');
    const { modelWidth, modelHeight } = this.#opening().geometry;
    this.#frame = new Uint8Array(modelWidth * modelHeight * 3);
    return this.#frame;
  }

  complete(meta: FrameMeta): 'next' | 'pause' {
    this.frames.push(this.#frame);
    this.metas.push(meta);
    this.isPaused = this.frames.length % this.pauseEvery === 0;
    return this.isPaused ? 'pause' : 'next';
  }

  onResume(callback: () => void): void {
    this.resume = () => {
      this.isPaused = false;
      callback();
    };
  }

  pictureTarget(): Uint8Array {
    const size = this.#opening().pictureSize;
    if (size === null) throw new Error('no pictures were agreed on');
    this.#picture = new Uint8Array(size.width * size.height * 3);
    return this.#picture;
  }

  pictureComplete(): void {
    this.pictures.push(this.#picture);
  }

  close(): void {
    this.closings++;
  }

  #opening() {
    const opening = this.openings.at(-1);
    if (opening === undefined || this.closings === this.openings.length) {
      throw new Error('the sink is not open');
    }
    return opening;
  }
}
