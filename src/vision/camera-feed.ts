import type {
  FrameMeta,
  FrameSink,
  ModelGeometry,
  PictureSize,
  StreamInfo,
} from '../capture/contract.ts';
import type { Clock } from '../system/clock.ts';
import type { CameraCounters } from './contract.ts';
import type { FrameMemory } from './frame-memory.ts';
import { FrameRate } from './frame-rate.ts';
import { FrameSlots, type SlotMode } from './frame-slots.ts';
import type { Size } from './letterbox.ts';
import { type Picture, PictureRing } from './picture-ring.ts';

/** Pictures kept beyond those of frames that still wait or are being analysed. */
const PAST_PICTURES = 6;

export interface CameraFeedOptions {
  cameraId: string;
  mode: SlotMode;
  /** Most frames of this camera that are analysed at once. */
  readers: number;
  /** Number of the first frame. */
  firstFrameId: number;
  clock: Clock;
  memory: FrameMemory;
  /** A frame waits to be analysed. */
  onFrame: () => void;
}

/** Frame memory for one geometry. */
interface Bank {
  geometry: ModelGeometry;
  slots: FrameSlots;
  /** By slot; of its own for each, since a thread that gets any of it has to account for all of it. */
  memory: SharedArrayBuffer[];
  /** By slot. */
  frames: { frameId: number; meta: FrameMeta }[];
}

/** A frame in the hands of a worker. */
export interface TakenFrame {
  frameId: number;
  meta: FrameMeta;
  geometry: ModelGeometry;
  memory: SharedArrayBuffer;
  /** Gives the memory back. */
  release: () => void;
}

/** One camera inside the vision process: where its capture puts frames, and from where workers take them. */
export class CameraFeed implements FrameSink {
  readonly cameraId: string;
  readonly #options: CameraFeedOptions;
  readonly #slotCount: number;
  readonly #pictures: PictureRing;
  readonly #rate = new FrameRate();
  /** The current one last; those before it are emptied first. */
  #banks: Bank[] = [];
  #received: number;
  #analysed = 0;
  #dropped = 0;
  #isPaused = false;
  #resume: (() => void) | null = null;

  constructor(options: CameraFeedOptions) {
    this.cameraId = options.cameraId;
    this.#options = options;
    this.#slotCount = options.readers + 2;
    this.#received = options.firstFrameId;
    this.#pictures = new PictureRing(this.#slotCount + PAST_PICTURES);
  }

  open(_stream: StreamInfo, geometry: ModelGeometry, snapshotSize: PictureSize | null): void {
    const current = this.#banks.at(-1);
    current?.slots.abandon();
    this.#isPaused = false;
    const isSame = current !== undefined && sameGeometry(current.geometry, geometry);
    if (!isSame || !current.slots.hasRoom) {
      if (this.#options.mode === 'newest') this.#dropAll();
      this.#banks = [...this.#banks.filter(({ slots }) => slots.hasReady), this.#newBank(geometry)];
    }
    this.#pictures.open(snapshotSize, this.#received);
  }

  target(): Uint8Array {
    const bank = this.#current();
    return new Uint8Array(bank.memory[bank.slots.fill()] as SharedArrayBuffer);
  }

  complete(meta: FrameMeta): 'next' | 'pause' {
    const bank = this.#current();
    const { slot, replaced } = bank.slots.complete();
    if (replaced !== null) this.#drop(bank, replaced);
    bank.frames[slot] = { frameId: this.#received++, meta };
    this.#options.onFrame();
    if (bank.slots.hasRoom) return 'next';
    this.#isPaused = true;
    return 'pause';
  }

  onResume(callback: () => void): void {
    this.#resume = callback;
  }

  pictureTarget(): Uint8Array {
    return this.#pictures.target();
  }

  pictureComplete(): void {
    this.#pictures.complete();
  }

  close(): void {
    this.#banks.at(-1)?.slots.abandon();
    this.#isPaused = false;
    this.#pictures.close();
  }

  /** What waits is no longer wanted. Frames in the hands of workers are left to them. */
  forgetWaiting(): void {
    this.#dropAll();
  }

  /** Gives its memory back until it is opened again. Nothing is delivered or in the hands of workers. */
  vacate(): void {
    for (const { memory } of this.#banks) this.#options.memory.giveBack(memory);
    this.#banks = [];
  }

  /** Size of the next frame to analyse; null when none waits. */
  get waiting(): Size | null {
    const bank = this.#banks.find(({ slots }) => slots.hasReady);
    if (bank === undefined) return null;
    return { width: bank.geometry.modelWidth, height: bank.geometry.modelHeight };
  }

  /** The next frame to analyse, out of the reach of the capture until it is released. */
  take(): TakenFrame | null {
    const bank = this.#banks.find(({ slots }) => slots.hasReady);
    const slot = bank?.slots.take();
    const frame = bank?.frames[slot ?? -1];
    const memory = bank?.memory[slot ?? -1];
    if (bank === undefined || slot == null || !frame || !memory) return null;
    return {
      ...frame,
      geometry: bank.geometry,
      memory,
      release: () => {
        bank.slots.release(slot);
        this.#resumeIfRoom();
      },
    };
  }

  /** A frame was analysed. A picture with nothing on it need not be kept. */
  analysed(frameId: number, isEmpty: boolean): void {
    this.#analysed++;
    this.#rate.count(this.#options.clock.monotonicMs());
    if (isEmpty) this.#pictures.discard(frameId);
  }

  picture(frameId: number): Promise<Picture | null> {
    return this.#pictures.picture(frameId);
  }

  get counters(): CameraCounters {
    return {
      cameraId: this.cameraId,
      framesReceived: this.#received,
      framesAnalysed: this.#analysed,
      framesDropped: this.#dropped,
      fps: this.#rate.perSecond(this.#options.clock.monotonicMs()),
    };
  }

  #current(): Bank {
    const bank = this.#banks.at(-1);
    if (bank === undefined) throw new RangeError(`camera ${this.cameraId} is not open`);
    return bank;
  }

  #newBank(geometry: ModelGeometry): Bank {
    const frameBytes = geometry.modelWidth * geometry.modelHeight * 3;
    return {
      geometry,
      slots: new FrameSlots(this.#slotCount, this.#options.mode),
      memory: Array.from({ length: this.#slotCount }, () => this.#options.memory.take(frameBytes)),
      frames: [],
    };
  }

  /** Frames of a geometry that the camera no longer has are old by the time a worker gets to them. */
  #dropAll(): void {
    for (const bank of this.#banks) {
      for (let slot = bank.slots.take(); slot !== null; slot = bank.slots.take()) {
        this.#drop(bank, slot);
        bank.slots.release(slot);
      }
    }
  }

  #drop(bank: Bank, slot: number): void {
    this.#dropped++;
    const frame = bank.frames[slot];
    if (frame !== undefined) this.#pictures.discard(frame.frameId);
  }

  #resumeIfRoom(): void {
    if (!this.#isPaused || !this.#current().slots.hasRoom) return;
    this.#isPaused = false;
    this.#resume?.();
  }
}

function sameGeometry(a: ModelGeometry, b: ModelGeometry): boolean {
  const keys = Object.keys(a) as (keyof ModelGeometry)[];
  return keys.every((key) => a[key] === b[key]);
}
