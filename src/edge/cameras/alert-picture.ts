import sharp, { type Sharp } from 'sharp';
import type { BoundingBox } from '../../protocol/detection.ts';
import { MAX_THUMBNAIL_CHARACTERS } from '../../protocol/payloads.ts';
import type { Thumbnail } from '../thumbnail-post.ts';

/** A picture of a camera. */
interface Picture {
  readonly jpeg: Uint8Array;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Pixels of either side; and what of the picture is around the object, in shares of the object. */
const LONGEST_SIDE = 320;
const MARGIN = 0.3;
/** The worse one where the better one takes more room than the hub accepts. */
const JPEG_QUALITIES = [75, 40] as const;
const MAX_BYTES = (MAX_THUMBNAIL_CHARACTERS / 4) * 3;

/** The object that raised an alert, with some of what is around it. @throws Error where the picture cannot be read */
export async function alertPicture(picture: Picture, box: BoundingBox): Promise<Thumbnail> {
  const small = sharp(picture.jpeg)
    .extract(surroundings(box, picture))
    .resize({ width: LONGEST_SIDE, height: LONGEST_SIDE, fit: 'inside', withoutEnlargement: true });
  const [good, poor] = JPEG_QUALITIES;
  const best = await encoded(small, good);
  return best.jpeg.length <= MAX_BYTES ? best : encoded(small, poor);
}

async function encoded(image: Sharp, quality: number): Promise<Thumbnail> {
  const { data, info } = await image
    .clone()
    .jpeg({ quality })
    .toBuffer({ resolveWithObject: true });
  return { jpeg: data, width: info.width, height: info.height };
}

/** In pixels of the picture. */
function surroundings(
  { x, y, width, height }: BoundingBox,
  picture: Picture,
): { left: number; top: number; width: number; height: number } {
  const within = (value: number, size: number): number =>
    Math.min(size, Math.max(0, Math.round(value * size)));
  const left = Math.min(within(x - MARGIN * width, picture.width), picture.width - 1);
  const top = Math.min(within(y - MARGIN * height, picture.height), picture.height - 1);
  const right = Math.max(left + 1, within(x + width * (1 + MARGIN), picture.width));
  const bottom = Math.max(top + 1, within(y + height * (1 + MARGIN), picture.height));
  return { left, top, width: right - left, height: bottom - top };
}
