import type { BoundingBox } from '../../protocol/detection.ts';

/** Part of a picture, in whole pixels. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Added around a person's box, in shares of its size: heads stick out of boxes. */
const MARGIN = 0.1;
/** Of a tall box the head is in the upper part: at most so high, in widths and in heights of the box. */
const MOST_WIDTHS = 1.5;
const MOST_HEIGHTS = 0.5;

/**
 * Where to look for the face of a person.
 * @param person relative to the picture
 * @returns null where nothing of it is in the picture
 */
export function headRegion(
  person: BoundingBox,
  picture: { readonly width: number; readonly height: number },
): Region | null {
  const box = {
    x: person.x * picture.width,
    y: person.y * picture.height,
    width: person.width * picture.width,
    height: person.height * picture.height,
  };
  const reach = Math.min(box.height, Math.max(MOST_WIDTHS * box.width, MOST_HEIGHTS * box.height));
  const left = Math.max(0, Math.floor(box.x - MARGIN * box.width));
  const top = Math.max(0, Math.floor(box.y - MARGIN * box.height));
  const right = Math.min(picture.width, Math.ceil(box.x + box.width * (1 + MARGIN)));
  const bottom = Math.min(picture.height, Math.ceil(box.y + reach));
  if (!(right - left >= 1 && bottom - top >= 1)) return null;
  return { left, top, width: right - left, height: bottom - top };
}

/** A copy of a part of a picture: interleaved RGB of the region's size. */
export function cropOf(
  picture: { readonly pixels: Uint8Array; readonly width: number },
  { left, top, width, height }: Region,
): Uint8Array<ArrayBuffer> {
  const crop = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * picture.width + left) * 3;
    crop.set(picture.pixels.subarray(start, start + width * 3), row * width * 3);
  }
  return crop;
}
