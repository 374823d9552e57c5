import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { FaceReader, FaceSample } from '../../../src/faces/contract.ts';
import { clipPath, testWithAssets } from '../../support/assets.ts';
import { type FaceSet, faceReader, facesOf } from '../../support/faces.ts';

const real = testWithAssets(
  { models: 'face_detection_yunet_2026may.onnx' },
  { media: 'portraits/obama.jpg' },
);

function alike(a: FaceSample | undefined, b: FaceSample | undefined): number {
  if (!a?.embedding || !b?.embedding) throw new Error('a face is missing');
  return a.embedding.reduce((sum, value, index) => sum + value * (b.embedding?.[index] ?? 0), 0);
}

describe.each<FaceSet>(['yunet', 'ultra-light'])('faces of photos, %s', (set) => {
  let reader: FaceReader;
  const face = async (name: string) =>
    (await facesOf(reader, clipPath(join('portraits', name))))[0];

  beforeAll(async () => {
    reader = await faceReader(set);
  });
  afterAll(() => reader?.close());

  real('second photos are like the first of the same person, and like nobody else', async () => {
    const [obama, obama2] = [await face('obama.jpg'), await face('obama2.jpg')];
    const [biden, biden2] = [await face('biden.jpg'), await face('biden2.jpg')];
    const others = [await face('lin-manuel-miranda.png'), await face('alex-lacamoire.png')];
    expect(alike(obama, obama2)).toBeGreaterThan(0.45);
    expect(alike(biden, biden2)).toBeGreaterThan(0.45);
    const pairs = [obama, obama2].flatMap((one) =>
      [biden, biden2, ...others].map((two) => alike(one, two)),
    );
    const rest = [biden, biden2].flatMap((one) => others.map((two) => alike(one, two)));
    expect(Math.max(...pairs, ...rest, alike(others[0], others[1]))).toBeLessThan(0.32);
  });

  real('embeddings have the length 1, and a face is where it is', async () => {
    const found = await face('obama.jpg');
    expect(alike(found, found)).toBeCloseTo(1, 4);
    expect(found?.embedding).toHaveLength(512);
    expect(found).toMatchObject({ doubt: null });
    // The eyes are in the upper half of the face, the mouth in the lower.
    const [left, right, , mouth] = found?.landmarks ?? [];
    const middle = (found?.box.y ?? 0) + (found?.box.height ?? 0) / 2;
    expect(Math.max(left?.y ?? 1, right?.y ?? 1)).toBeLessThan(middle);
    expect(mouth?.y).toBeGreaterThan(middle);
    expect(left?.x).toBeLessThan(right?.x ?? 0);
  });
});

describe('doubts', () => {
  let reader: FaceReader;
  beforeAll(async () => {
    reader = await faceReader('yunet');
  });
  afterAll(() => reader?.close());

  /** The doubt about the largest face of a changed photo; `none` where there is no doubt. */
  async function doubt(change: (photo: Sharp) => Sharp): Promise<string> {
    const photo = sharp(clipPath('portraits/obama.jpg')).resize(400, 500, {
      fit: 'cover',
      position: 'top',
    });
    const { data, info } = await change(sharp(await photo.toBuffer()))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const [face] = await reader.read({ pixels: data, width: info.width, height: info.height });
    return face === undefined ? 'no face' : (face.doubt ?? 'none');
  }

  real('a photo is compared, and not when it is blurred, tilted or tiny', async () => {
    expect(await doubt((photo) => photo)).toBe('none');
    expect(await doubt((photo) => photo.blur(8))).toBe('blurred');
    expect(await doubt((photo) => photo.rotate(45))).toBe('tilted');
    expect(await doubt((photo) => photo.resize(80))).toBe('small');
  });

  real('an empty picture has no face', async () => {
    const pixels = new Uint8Array(64 * 48 * 3).fill(90);
    expect(await reader.read({ pixels, width: 64, height: 48 })).toEqual([]);
  });
});
