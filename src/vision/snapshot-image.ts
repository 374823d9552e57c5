import sharp from 'sharp';
import type { SnapshotImage } from './contract.ts';
import type { Picture } from './picture-ring.ts';

const JPEG_QUALITY = 85;

// One snapshot must not take all cores from the detector; and there is nothing to keep between snapshots.
sharp.concurrency(1);
sharp.cache(false);

type Polygon = readonly { readonly x: number; readonly y: number }[];

/**
 * Encodes a picture, made smaller where it is wider than `maxWidth` pixels.
 * @param hidden parts that are black in it, corners from 0 to 1
 */
export async function snapshotImage(
  picture: Picture,
  maxWidth: number,
  hidden: readonly Polygon[],
): Promise<SnapshotImage> {
  const { width, height } = picture;
  // In a step of its own: sharp composes after it has scaled.
  const pixels = await hidePixels(picture, hidden);
  const image = sharp(pixels, { raw: { width, height, channels: 3 } });
  if (maxWidth > 0 && maxWidth < width) image.resize({ width: maxWidth });
  const { data, info } = await image
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer({ resolveWithObject: true });
  return { jpeg: data, width: info.width, height: info.height };
}

/**
 * A copy of the pixels of a picture, black where nobody may see.
 * @param hidden corners from 0 to 1
 */
export async function hidePixels(
  picture: Picture,
  hidden: readonly Polygon[],
): Promise<Uint8Array> {
  const { width, height } = picture;
  // sharp reads in its own time, and the capture goes on writing.
  const pixels = picture.pixels.slice();
  if (hidden.length === 0) return pixels;
  return await sharp(pixels, { raw: { width, height, channels: 3 } })
    .composite([{ input: blackParts(hidden, picture) }])
    .removeAlpha()
    .raw()
    .toBuffer();
}

/** Black with a pixel to spare around every part: an edge that is half seen tells something. */
function blackParts(hidden: readonly Polygon[], { width, height }: Picture): Buffer {
  const polygons = hidden.map((corners) => {
    const points = corners.map(({ x, y }) => `${x * width},${y * height}`).join(' ');
    return `<polygon points="${points}"/>`;
  });
  const style = 'fill="#000" stroke="#000" stroke-width="2" shape-rendering="crispEdges"';
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${style}>${polygons.join('')}</svg>`,
  );
}
