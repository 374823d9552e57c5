import type { PictureSize } from './contract.ts';

/**
 * The largest size of the picture's shape that fits into the limits; never larger than the picture. Even
 * numbers, as chroma subsampling needs them.
 */
export function fitPicture(
  picture: PictureSize,
  limits: { maxWidth: number; maxHeight: number },
): PictureSize {
  const factor = Math.min(1, limits.maxWidth / picture.width, limits.maxHeight / picture.height);
  return { width: even(picture.width * factor), height: even(picture.height * factor) };
}

function even(length: number): number {
  return Math.max(2, 2 * Math.floor(length / 2 + 1e-6));
}
