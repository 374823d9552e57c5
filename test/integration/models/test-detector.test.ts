import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDetectorModel } from '../../../src/models/test-detector.ts';
import {
  TEST_SCENE,
  testSceneArguments,
  testSceneObjectAt,
} from '../../../src/models/test-scene.ts';
import { decodeBoxes } from '../../support/decode-head.ts';
import { framesOfClip } from '../../support/frame-of-clip.ts';
import { runOnFrames } from '../../support/run-model.ts';

const FPS = 4;
const SECONDS = 21;
let folder: string;
let clip: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'test-scene-'));
  clip = join(folder, 'scene.mp4');
  execFileSync('ffmpeg', testSceneArguments({ seconds: SECONDS, fps: FPS, output: clip }));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Found {
  score: number;
  iou: number;
}

/** What the detector finds in one frame, with the overlap of each with the visitor. */
async function detect(
  model: ReturnType<typeof testDetectorModel>,
  frame: Uint8Array,
  seconds: number,
): Promise<Found[]> {
  const { boxes, scores } = await runOnFrames(model, frame);
  const cells = scores!.dims[2]!;
  const decoded = decodeBoxes(boxes!.data, model);
  const truth = testSceneObjectAt(seconds);
  const contentHeight = (model.width * TEST_SCENE.height) / TEST_SCENE.width;
  const pad = (model.height - contentHeight) / 2;
  const found: Found[] = [];
  scores!.data.forEach((score, cell) => {
    if (score < 0.4) return;
    const [x, y, w, h] = [0, 1, 2, 3].map((part) => decoded[part * cells + cell]!) as [
      number,
      number,
      number,
      number,
    ];
    const box = { x: x - w / 2, y: y - h / 2, width: w, height: h };
    const real = truth && {
      x: truth.x * model.width,
      y: truth.y * contentHeight + pad,
      width: truth.width * model.width,
      height: truth.height * contentHeight,
    };
    found.push({ score, iou: real === null ? 0 : overlap(box, real) });
  });
  return found;
}

type Box = { x: number; y: number; width: number; height: number };

function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

describe.each([
  { width: 640, height: 384 },
  { width: 640, height: 640 },
  { width: 416, height: 256 },
])('at $width x $height', (size) => {
  test('finds every visitor that is wholly in the picture, and nothing else', async () => {
    const model = testDetectorModel(size);
    const frames = framesOfClip(clip, size);
    expect(frames.length).toBe(SECONDS * FPS);
    let whole = 0;
    for (const [index, frame] of frames.entries()) {
      const seconds = index / FPS;
      const found = await detect(model, frame, seconds);
      const truth = testSceneObjectAt(seconds);
      if (truth === null) {
        expect(found).toEqual([]);
      } else if (truth.width >= TEST_SCENE.objectWidth) {
        whole++;
        expect(found.length, `frame ${index}`).toBe(1);
        expect(found[0]!.iou, `frame ${index}`).toBeGreaterThan(0.85);
      }
    }
    expect(whole).toBeGreaterThan(50);
  });
});

test('has the outputs of a prepared YOLOv8 of one class, for several frames in one run', async () => {
  const model = testDetectorModel({ width: 640, height: 384 });
  expect(model.labels).toEqual(['test-object']);
  const { boxes, scores } = await runOnFrames(model, new Uint8Array(2 * 3 * 640 * 384));
  expect(boxes!.dims).toEqual([2, 64, 5040]);
  expect(scores!.dims).toEqual([2, 1, 5040]);
});
