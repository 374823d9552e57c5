import sharp from 'sharp';
import { expect, test } from 'vitest';
import { alertPicture } from '../../../../src/edge/cameras/alert-picture.ts';
import { MAX_THUMBNAIL_CHARACTERS } from '../../../../src/protocol/payloads.ts';

/** Black with a red box; or noise, which no codec can make small. */
async function picture(width: number, height: number, kind: 'box' | 'noise') {
  const raw = Buffer.alloc(width * height * 3);
  for (let index = 0; index < raw.length; index++)
    if (kind === 'noise') raw[index] = (Math.imul(index, 0x9e3779b1) >>> 13) & 0xff;
  if (kind === 'box')
    for (let y = height / 2; y < (height * 3) / 4; y++)
      for (let x = width / 2; x < (width * 3) / 4; x++) raw[(y * width + x) * 3] = 255;
  const jpeg = await sharp(raw, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 100 })
    .toBuffer();
  return { jpeg, width, height };
}

test('shows the object and some of what is around it', async () => {
  const box = { x: 0.5, y: 0.5, width: 0.25, height: 0.25 };
  const { jpeg, width, height } = await alertPicture(await picture(400, 400, 'box'), box);
  expect([width, height]).toEqual([160, 160]);
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  const redAt = (x: number, y: number) => (data[(y * info.width + x) * info.channels] ?? 0) > 128;
  // A margin of 0.3 of the box all around.
  expect([redAt(80, 80), redAt(15, 80), redAt(80, 145), redAt(40, 120)]).toEqual([
    ...[true, false, false, true],
  ]);
});

test('is no more than 320 pixels either way, and within the picture', async () => {
  const high = { x: 0.9, y: 0, width: 0.3, height: 1 };
  const { width, height } = await alertPicture(await picture(800, 1200, 'box'), high);
  expect(height).toBe(320);
  expect(width).toBeLessThan(100);
});

test('fits into a message even where nothing can be made small', async () => {
  const all = { x: 0, y: 0, width: 1, height: 1 };
  const { jpeg } = await alertPicture(await picture(640, 640, 'noise'), all);
  expect(Buffer.from(jpeg).toString('base64').length).toBeLessThanOrEqual(MAX_THUMBNAIL_CHARACTERS);
});
