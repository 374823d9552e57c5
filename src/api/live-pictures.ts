import type { LiveObject } from '../protocol/local-api/live-picture.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';

/** A picture that was analysed, as JPEG, with what nobody may see made black. */
export interface LivePicture {
  readonly cameraId: string;
  readonly frameId: number;
  /** When the frame came, Unix milliseconds. */
  readonly wallMs: number;
  readonly jpeg: Uint8Array;
  /** In this very frame. */
  readonly objects: readonly LiveObject[];
}

/** Encodes the picture of a frame that was analysed a moment ago; null where it is gone. */
type TakePicture = (
  cameraId: string,
  frameId: number,
  maxWidth: number,
) => Promise<{ readonly jpeg: Uint8Array } | null>;

export interface LivePicturesDeps {
  readonly take: TakePicture;
  readonly clock: Pick<Clock, 'setTimeout'>;
}

type Frame = Pick<LivePicture, 'frameId' | 'wallMs' | 'objects'>;

interface Feed {
  readonly watchers: Set<(picture: LivePicture) => void>;
  isBusy: boolean;
}

/** Asked-for widths are rounded up to these, so that who looks at the same shares the work. */
const WIDTHS = [320, 640, 960, 1280, 1920];
/** For the next frame to come, where the picture of the last one is gone. */
const NEXT_FRAME_MS = 2000;

/**
 * Pictures for whoever looks on now. Each is encoded once for all who look at its size, and none that nobody looks at;
 * a camera whose pictures take longer than they come loses those in between.
 */
export class LivePictures {
  readonly #deps: LivePicturesDeps;
  readonly #newest = new Map<string, Frame>();
  readonly #feeds = new Map<string, Map<number, Feed>>();

  constructor(deps: LivePicturesDeps) {
    this.#deps = deps;
  }

  /** A frame was analysed, and its picture can be had for a moment. */
  frame(cameraId: string, frame: Frame): void {
    this.#newest.set(cameraId, frame);
    for (const [maxWidth, feed] of this.#feeds.get(cameraId) ?? [])
      if (!feed.isBusy) void this.#feed(cameraId, maxWidth, feed);
  }

  /** A camera is no more. */
  forget(cameraId: string): void {
    this.#newest.delete(cameraId);
  }

  /**
   * Has every picture of a camera given to somebody from now on, no wider than the next of a few widths.
   * @returns what ends it
   */
  watch(cameraId: string, maxWidth: number, onPicture: (picture: LivePicture) => void): () => void {
    const width = widthFor(maxWidth);
    const feeds = this.#feeds.get(cameraId) ?? new Map<number, Feed>();
    const feed = feeds.get(width) ?? { watchers: new Set(), isBusy: false };
    this.#feeds.set(cameraId, feeds.set(width, feed));
    feed.watchers.add(onPicture);
    return () => {
      feed.watchers.delete(onPicture);
      if (feed.watchers.size > 0) return;
      feeds.delete(width);
      if (feeds.size === 0) this.#feeds.delete(cameraId);
    };
  }

  /** The newest picture, or the next; null where none comes. */
  async latest(cameraId: string, maxWidth: number): Promise<LivePicture | null> {
    const width = widthFor(maxWidth);
    const newest = this.#newest.get(cameraId);
    return (newest && (await this.#take(cameraId, newest, width))) ?? this.#next(cameraId, width);
  }

  #next(cameraId: string, width: number): Promise<LivePicture | null> {
    return new Promise((resolve) => {
      let timer: TimerHandle | null = null;
      const end = this.watch(cameraId, width, (picture) => {
        timer?.cancel();
        end();
        resolve(picture);
      });
      timer = this.#deps.clock.setTimeout(() => {
        end();
        resolve(null);
      }, NEXT_FRAME_MS);
    });
  }

  async #feed(cameraId: string, width: number, feed: Feed): Promise<void> {
    feed.isBusy = true;
    const frame = this.#newest.get(cameraId);
    const picture = frame && (await this.#take(cameraId, frame, width));
    feed.isBusy = false;
    if (picture) for (const onPicture of [...feed.watchers]) onPicture(picture);
    const isBehind = this.#newest.get(cameraId)?.frameId !== frame?.frameId;
    if (isBehind && feed.watchers.size > 0) void this.#feed(cameraId, width, feed);
  }

  async #take(
    cameraId: string,
    { frameId, wallMs, objects }: Frame,
    width: number,
  ): Promise<LivePicture | null> {
    const image = await this.#deps.take(cameraId, frameId, width).catch(() => null);
    return image && { cameraId, frameId, wallMs, jpeg: image.jpeg, objects };
  }
}

function widthFor(maxWidth: number): number {
  // Never wider than asked for, where that is possible.
  return WIDTHS.findLast((width) => width <= maxWidth) ?? WIDTHS[0] ?? maxWidth;
}
