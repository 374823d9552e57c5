import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { decodeModel, encodeModel } from '../../../src/models/onnx/proto.ts';
import { inspectYolo } from '../../../src/models/yolo/inspect.ts';
import { prepareYolo } from '../../../src/models/yolo/prepare.ts';
import { wrapYolo } from '../../../src/models/yolo/wrap.ts';
import { clipPath, modelPath, testWithAssets } from '../../support/assets.ts';
import { decodeBoxes, largestDifference } from '../../support/decode-head.ts';
import { frameOfClip } from '../../support/frame-of-clip.ts';
import { runOnFrames, runOriginal } from '../../support/run-model.ts';

const CLIP = 'people-walking.mp4';
const testReal = testWithAssets({ models: 'yolov8n.onnx' }, { media: CLIP });
const SQUARE = { width: 640, height: 640 };

testReal('a file that is decoded and encoded stays the same, byte for byte', () => {
  const bytes = readFileSync(modelPath('yolov8n.onnx'));
  expect(bytes.equals(encodeModel(decodeModel(bytes)))).toBe(true);
});

testReal('reads names and size from the model itself', () => {
  const facts = inspectYolo(readFileSync(modelPath('yolov8n.onnx')));
  expect(facts).toMatchObject({ classes: 80, inputWidth: 640, inputHeight: 640, batch: 1 });
  expect(facts.labels.slice(0, 3)).toEqual(['person', 'bicycle', 'car']);
  expect(facts.labels[79]).toBe('toothbrush');
});

testReal('prepared and wrapped see in a real frame what the original sees', async () => {
  const bytes = readFileSync(modelPath('yolov8n.onnx'));
  const frame = frameOfClip(clipPath(CLIP), 4, SQUARE);
  const original = (await runOriginal(bytes, 'images', frame, SQUARE)).output0!;
  const cells = original.dims[2]!;
  const expectedScores = original.data.subarray(4 * cells);
  expect(Math.max(...expectedScores.subarray(0, cells))).toBeGreaterThan(0.5);

  const prepared = await runOnFrames(prepareYolo(bytes, { ...SQUARE, labels: null }), frame);
  expect(largestDifference(prepared.scores!.data, expectedScores)).toBeLessThan(1e-4);
  const boxes = decodeBoxes(prepared.boxes!.data, SQUARE);
  expect(largestDifference(boxes, original.data.subarray(0, 4 * cells))).toBeLessThan(0.05);

  const wrapped = wrapYolo(bytes);
  const output = (await runOnFrames(wrapped, frame))[wrapped.outputs[0]!]!;
  expect(largestDifference(output.data, original.data)).toBeLessThan(0.05);

  const pruned = prepareYolo(bytes, { ...SQUARE, labels: ['car', 'person'] });
  expect(pruned.labels).toEqual(['person', 'car']);
  const scores = (await runOnFrames(pruned, frame)).scores!.data;
  expect(scores.length).toBe(2 * cells);
  expect(
    largestDifference(scores.subarray(0, cells), expectedScores.subarray(0, cells)),
  ).toBeLessThan(1e-4);
  const cars = expectedScores.subarray(2 * cells, 3 * cells);
  expect(largestDifference(scores.subarray(cells), cars)).toBeLessThan(1e-4);
});

testReal.each([
  { width: 640, height: 384 },
  { width: 640, height: 480 },
  { width: 320, height: 320 },
])('finds the person at $width x $height', async (size) => {
  const bytes = readFileSync(modelPath('yolov8n.onnx'));
  const model = prepareYolo(bytes, { ...size, labels: ['person'] });
  const { scores } = await runOnFrames(model, frameOfClip(clipPath(CLIP), 4, size));
  const cells =
    (size.width * size.height) / 64 +
    (size.width * size.height) / 256 +
    (size.width * size.height) / 1024;
  expect(scores!.dims).toEqual([1, 1, cells]);
  expect(Math.max(...scores!.data)).toBeGreaterThan(0.5);
});
