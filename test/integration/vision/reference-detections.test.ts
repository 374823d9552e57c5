import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BoundingBox } from '../../../src/protocol/detection.ts';
import { detectOffline, type OfflineResult } from '../../../src/vision/detect-offline.ts';
import { clipPath, modelPath, testWithAssets } from '../../support/assets.ts';
import { temporaryFolder } from '../../support/program.ts';

interface Reference {
  clip: string;
  frame: number;
  detections: ({ label: string; score: number } & BoundingBox)[];
}

type Found = OfflineResult['detections'][number];

const preparedDir = temporaryFolder('prepared');
const real = testWithAssets({ models: 'yolov8n.onnx', media: 'expected.json' });
const path = clipPath('expected.json');
const frames: Reference[] = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).frames : [];
const clips = [...new Set(frames.map(({ clip }) => clip))];

/** Scores between them come and go with the smallest change of the picture. */
const MUST_BE_FOUND = 0.5;
const MUST_BE_KNOWN = 0.6;

function overlap(a: BoundingBox, b: BoundingBox): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const both = Math.max(0, width) * Math.max(0, height);
  return both / (a.width * a.height + b.width * b.height - both);
}

function request(clip: string, reference: boolean) {
  const wanted = frames.filter((each) => each.clip === clip).map(({ frame }) => frame);
  return {
    model: modelPath('yolov8n.onnx'),
    input: clipPath(clip),
    frames: wanted,
    threshold: 0.25,
    reference,
    ffmpegPath: 'ffmpeg',
    preparedDir,
  };
}

async function all(results: AsyncGenerator<OfflineResult>): Promise<OfflineResult[]> {
  const list: OfflineResult[] = [];
  for await (const result of results) list.push(result);
  return list;
}

/** What was found in place of each reference detection that must be found. */
function matches(reference: Reference, found: readonly Found[]) {
  return reference.detections
    .filter(({ score }) => score >= MUST_BE_FOUND)
    .map((wanted) => {
      const same = found.filter(({ label }) => label === wanted.label);
      const best = same.toSorted((a, b) => overlap(b, wanted) - overlap(a, wanted))[0];
      const where = `${reference.clip} ${reference.frame} ${wanted.label} ${wanted.score}`;
      return {
        where,
        iou: best === undefined ? 0 : overlap(best, wanted),
        scoreDifference: Math.abs((best?.score ?? 0) - wanted.score),
      };
    });
}

function strangers(reference: Reference, found: readonly Found[]): Found[] {
  return found.filter(
    ({ score, label, ...box }) =>
      score > MUST_BE_KNOWN &&
      !reference.detections.some((each) => each.label === label && overlap(each, box) > 0.5),
  );
}

describe.each([
  { form: 'the exported model', reference: true, minIou: 0.95, maxScoreDifference: 0.02 },
  { form: 'the prepared model', reference: false, minIou: 0.85, maxScoreDifference: 0.1 },
])('$form finds the reference detections', ({ reference, minIou, maxScoreDifference }) => {
  for (const clip of clips) {
    real(clip, async () => {
      const results = await all(detectOffline(request(clip, reference)));
      const own = frames.filter((each) => each.clip === clip);
      expect(results.map(({ frame }) => frame)).toEqual(own.map(({ frame }) => frame));
      own.forEach((each, index) => {
        const { detections } = results[index]!;
        const wrong = matches(each, detections).filter(
          ({ iou, scoreDifference }) => iou < minIou || scoreDifference > maxScoreDifference,
        );
        expect(wrong).toEqual([]);
        expect(strangers(each, detections)).toEqual([]);
      });
    });
  }
});

describe('detectOffline', () => {
  const still = testWithAssets({ models: 'yolov8n.onnx', media: 'portraits' });

  still('takes images', async () => {
    const results = await all(
      detectOffline({
        ...request('portraits/obama.jpg', false),
        input: clipPath('portraits/obama.jpg'),
        frames: null,
        labels: ['person'],
      }),
    );
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ frame: 0, detections: [{ label: 'person' }] });
  });

  real('says of frames behind the end that they are missing', async () => {
    const results = await all(
      detectOffline({ ...request('car-detection.mp4', false), frames: [376, 377] }),
    );
    expect(results.map(({ frame, missing }) => [frame, missing])).toEqual([
      [376, undefined],
      [377, true],
    ]);
  });

  real('refuses what it cannot read', async () => {
    const attempt = (changes: object) =>
      all(detectOffline({ ...request('car-detection.mp4', true), ...changes }));
    await expect(attempt({ input: 'no-such.mp4' })).rejects.toMatchObject({
      code: 'VISION_INPUT_UNREADABLE',
    });
    await expect(attempt({ input: modelPath('yolov8n.onnx') })).rejects.toMatchObject({
      code: 'VISION_INPUT_UNREADABLE',
    });
    await expect(attempt({ model: 'no-such.onnx' })).rejects.toMatchObject({
      code: 'MODEL_UNREADABLE',
    });
    await expect(attempt({ labels: ['unicorn'] })).rejects.toMatchObject({
      code: 'MODEL_LABELS_UNKNOWN',
    });
  });

  test('needs an existing input before anything else', async () => {
    const nothing = { ...request('none', false), model: 'none', input: preparedDir };
    await expect(all(detectOffline(nothing))).rejects.toMatchObject({
      code: 'VISION_INPUT_UNREADABLE',
      message: expect.stringContaining('is not a file'),
    });
  });
});
