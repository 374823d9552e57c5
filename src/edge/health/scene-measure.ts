import sharp from 'sharp';
import { SCENE_GRID, structureOf } from '../../events/watch/scene-features.ts';
import type { SceneSample } from '../../events/watch/scene-watch.ts';

// Measuring must not take all cores from the detector; and there is nothing to keep between pictures.
sharp.concurrency(1);
sharp.cache(false);

/** Width of the pictures that are measured, pixels. */
export const SCENE_WIDTH = 160;
/** Difference of the colours of a picture without any, grey levels. */
const COLOURLESS = 4;

/**
 * Measures a small picture of a camera.
 * @param jpeg about `SCENE_WIDTH` wide
 * @throws Error where it is no picture
 */
export async function measureScene(jpeg: Uint8Array): Promise<SceneSample> {
  const grey = await sharp(jpeg).greyscale().raw().toBuffer({ resolveWithObject: true });
  const { width, height } = grey.info;
  const { channels, sharpness } = await sharp(grey.data, {
    raw: { width, height, channels: 1 },
  }).stats();
  const { stdev: deviation = 0 } = channels[0] ?? {};
  const small = await sharp(jpeg)
    .resize({ ...SCENE_GRID, fit: 'fill' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  const cells = Array.from({ length: SCENE_GRID.width * SCENE_GRID.height }, (_, index) =>
    Array.from(small.subarray(3 * index, 3 * index + 3)),
  );
  const spreads = cells.map((colours) => Math.max(...colours) - Math.min(...colours));
  const chroma = spreads.reduce((sum, value) => sum + value, 0) / cells.length;
  const greys = cells.map(([red = 0, green = 0, blue = 0]) => (red + 2 * green + blue) / 4);
  return { deviation, sharpness, isGrey: chroma < COLOURLESS, structure: structureOf(greys) };
}
