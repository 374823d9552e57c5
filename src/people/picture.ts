import sharp from 'sharp';
import type { RgbPicture } from '../faces/contract.ts';
import type { BoundingBox } from '../protocol/detection.ts';
import { ApexError } from '../system/errors.ts';

/** What a file may unfold to: a picture of 100 megapixels. */
const MAX_PIXELS = 100_000_000;
/** Shown around a face on each side, as a part of its size. */
const MARGIN = 0.3;
const PHOTO_PX = 320;
const PHOTO_QUALITY = 85;

/**
 * An image file as it is to be looked at: upright, as its EXIF orientation says.
 * @param origin what a message calls it
 * @throws ApexError PEOPLE_PICTURE_UNREADABLE
 */
export async function readPicture(image: Uint8Array, origin: string): Promise<RgbPicture> {
  try {
    const { data, info } = await sharp(image, { limitInputPixels: MAX_PIXELS })
      .rotate()
      .flatten()
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { pixels: data, width: info.width, height: info.height };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApexError('PEOPLE_PICTURE_UNREADABLE', `${origin}: ${reason}`, { cause });
  }
}

/** A small JPEG of a face with something around it. @param box relative to the picture */
export function photoOf(
  { pixels, width, height }: RgbPicture,
  { x, y, width: w, height: h }: BoundingBox,
): Promise<Buffer> {
  const left = clamp(Math.floor((x - MARGIN * w) * width), width - 1);
  const top = clamp(Math.floor((y - MARGIN * h) * height), height - 1);
  const right = Math.ceil((x + (1 + MARGIN) * w) * width);
  const bottom = Math.ceil((y + (1 + MARGIN) * h) * height);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .extract({
      left,
      top,
      width: Math.max(1, clamp(right, width) - left),
      height: Math.max(1, clamp(bottom, height) - top),
    })
    .resize({ width: PHOTO_PX, height: PHOTO_PX, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: PHOTO_QUALITY })
    .toBuffer();
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(0, value), max);
}
