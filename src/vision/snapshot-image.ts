import sharp from 'sharp';
import type { SnapshotImage } from './contract.ts';
import type { Picture } from './picture-ring.ts';

const JPEG_QUALITY = 85;

// One snapshot must not take all cores from the detector; and there is nothing to keep between snapshots.
sharp.concurrency(1);
sharp.cache(false);

/** Encodes a picture, made smaller where it is wider than `maxWidth` pixels. */
export async function snapshotImage(picture: Picture, maxWidth: number): Promise<SnapshotImage> {
  const { width, height } = picture;
  // sharp reads in its own time, and the capture goes on writing.
  const image = sharp(picture.pixels.slice(), { raw: { width, height, channels: 3 } });
  if (maxWidth > 0 && maxWidth < width) image.resize({ width: maxWidth });
  const { data, info } = await image
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer({ resolveWithObject: true });
  return { jpeg: data, width: info.width, height: info.height };
}
