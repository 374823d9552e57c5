import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameSize, letterbox, pictureBox, planGeometry } from '../../../src/vision/letterbox.ts';

describe('frameSize', () => {
  test.each([
    ['16:9', 1920, 1080, 640, 384],
    ['4:3', 640, 480, 640, 480],
    ['portrait', 1080, 1920, 384, 640],
    ['square', 500, 500, 640, 640],
    ['panorama', 3840, 1080, 640, 192],
    ['a sliver', 4000, 10, 640, 32],
  ])('%s', (_, width, height, frameWidth, frameHeight) => {
    expect(frameSize({ width, height }, 640)).toEqual({ width: frameWidth, height: frameHeight });
  });

  test('keeps the long side of smaller and larger models', () => {
    expect(frameSize({ width: 1280, height: 720 }, 320)).toEqual({ width: 320, height: 192 });
    expect(frameSize({ width: 1280, height: 720 }, 1280)).toEqual({ width: 1280, height: 736 });
  });
});

describe('letterbox', () => {
  test('puts the picture in the middle', () => {
    expect(letterbox({ width: 1280, height: 720 }, { width: 640, height: 384 })).toEqual({
      modelWidth: 640,
      modelHeight: 384,
      contentWidth: 640,
      contentHeight: 360,
      padLeft: 0,
      padTop: 12,
    });
  });

  test('gives an odd pixel of padding to the bottom', () => {
    const { contentHeight, padTop } = letterbox(
      { width: 640, height: 359 },
      { width: 640, height: 640 },
    );
    expect([contentHeight, padTop]).toEqual([359, 140]);
  });

  test('fits any picture into its frame', () => {
    const side = fc.integer({ min: 1, max: 8000 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        const g = planGeometry({ width, height }, { kind: 'rectangular', longSide: 640 });
        expect(g.modelWidth % 32 === 0 && g.modelHeight % 32 === 0).toBe(true);
        expect(Math.max(g.modelWidth, g.modelHeight)).toBe(640);
        expect(g.padLeft + g.contentWidth).toBeLessThanOrEqual(g.modelWidth);
        expect(g.padTop + g.contentHeight).toBeLessThanOrEqual(g.modelHeight);
        expect(Math.min(g.padLeft, g.padTop)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('pictureBox', () => {
  const geometry = letterbox({ width: 1280, height: 720 }, { width: 640, height: 384 });

  test('takes the padding away', () => {
    expect(pictureBox({ x1: 160, y1: 102, x2: 480, y2: 282 }, geometry)).toEqual({
      x: 0.25,
      y: 0.25,
      width: 0.5,
      height: 0.5,
    });
  });

  test('cuts at the edges of the picture', () => {
    expect(pictureBox({ x1: -20, y1: 0, x2: 320, y2: 400 }, geometry)).toEqual({
      x: 0,
      y: 0,
      width: 0.5,
      height: 1,
    });
  });

  test('knows boxes that lie in the padding alone', () => {
    expect(pictureBox({ x1: 10, y1: 0, x2: 50, y2: 12 }, geometry)).toBeNull();
  });
});
