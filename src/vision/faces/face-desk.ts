import type { RgbPicture } from '../../faces/contract.ts';
import type { BoundingBox } from '../../protocol/detection.ts';
import type { PersonFace } from '../contract.ts';
import type { Picture } from '../picture-ring.ts';
import { hidePixels } from '../snapshot-image.ts';
import type { CropFace } from '../worker-protocol.ts';
import { cropOf, headRegion, type Region } from './person-crop.ts';

/** Requests that wait for a worker; of more the newest are refused, since each is old before its turn. */
const MOST_WAITING = 8;

interface Waiting {
  readonly crops: readonly RgbPicture[];
  readonly resolve: (faces: (CropFace | null)[] | null) => void;
}

/** Faces that were asked for, until a worker has looked at them. */
export class FaceDesk {
  readonly #waiting: Waiting[] = [];
  readonly #onWork: () => void;

  constructor(onWork: () => void) {
    this.#onWork = onWork;
  }

  get hasWork(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * The faces of people in a picture.
   * @param persons relative to the picture
   * @param hidden parts that nobody may see
   * @returns for each person the face, null where none is seen; null where there is too much to do
   */
  async read(
    picture: Picture,
    persons: readonly BoundingBox[],
    hidden: Parameters<typeof hidePixels>[1],
  ): Promise<(PersonFace | null)[] | null> {
    if (this.#waiting.length >= MOST_WAITING) return null;
    const regions = persons.map((person) => headRegion(person, picture));
    // The capture goes on writing, so what is needed is copied before anything is waited for.
    const seen =
      hidden.length === 0 ? picture : { ...picture, pixels: await hidePixels(picture, hidden) };
    const crops = regions.flatMap((region) =>
      region === null
        ? []
        : [{ pixels: cropOf(seen, region), width: region.width, height: region.height }],
    );
    const found = await new Promise<(CropFace | null)[] | null>((resolve) => {
      this.#waiting.push({ crops, resolve });
      this.#onWork();
    });
    if (found === null) return null;
    let next = 0;
    return regions.map((region) => {
      if (region === null) return null;
      const face = found[next++] ?? null;
      return face && inPicture(face, region, picture);
    });
  }

  /** Hands the oldest request to a worker. @param run never rejects */
  async work(
    run: (crops: readonly RgbPicture[]) => Promise<(CropFace | null)[] | null>,
  ): Promise<void> {
    const next = this.#waiting.shift();
    next?.resolve(await run(next.crops));
  }

  /** Nobody will look at what waits. */
  giveUp(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(null);
  }
}

/** A face of a crop, relative to the picture that the crop is of. */
function inPicture(
  { sample, jpeg }: CropFace,
  { left, top, width, height }: Region,
  picture: { readonly width: number; readonly height: number },
): PersonFace {
  const place = ({ x, y }: { x: number; y: number }) => ({
    x: (left + x * width) / picture.width,
    y: (top + y * height) / picture.height,
  });
  const { box, landmarks } = sample;
  return {
    ...sample,
    box: {
      ...place(box),
      width: (box.width * width) / picture.width,
      height: (box.height * height) / picture.height,
    },
    landmarks: landmarks.map(place),
    jpeg,
  };
}
