import { describe, expect, test } from 'vitest';
import { intAttribute, node } from '../../../src/models/onnx/graph.ts';
import {
  decodeModel,
  encodeModel,
  TENSOR_FLOAT,
  TENSOR_FLOAT16,
} from '../../../src/models/onnx/proto.ts';
import { inspectYolo } from '../../../src/models/yolo/inspect.ts';
import { prepareYolo } from '../../../src/models/yolo/prepare.ts';
import { wrapYolo } from '../../../src/models/yolo/wrap.ts';
import { decodeBoxes, largestDifference } from '../../support/decode-head.ts';
import { patternFrame, runOnFrames, runOriginal } from '../../support/run-model.ts';
import { type TinyYoloOptions, tinyYolo } from '../../support/tiny-yolo.ts';

const SIZE = { width: 320, height: 320 };
const frame = patternFrame(SIZE.width, SIZE.height);
const NAMES = "{0: 'person', 1: 'cat', 2: 'car'}";

async function reference(bytes: Uint8Array, size = SIZE, pixels = frame) {
  const { answer } = await runOriginal(bytes, 'pictures', pixels, size);
  const cells = answer!.dims[2]!;
  return {
    all: answer!.data,
    cells,
    boxes: answer!.data.subarray(0, 4 * cells),
    scores: answer!.data.subarray(4 * cells),
  };
}

const variants: Record<string, TinyYoloOptions> = {
  'boxes and classes joined apart': {},
  'joined together with a Split': { head: 'split' },
  'joined together with a Slice': { head: 'slice' },
  'constants as nodes': { constants: 'nodes', head: 'split' },
  'enlarging to fixed sizes': { enlarge: 'sizes' },
  'cells written out': { flatten: 'fixed', enlarge: 'sizes', constants: 'nodes' },
};

describe.each(Object.entries(variants))('an export with %s', (_, options) => {
  const bytes = tinyYolo({ ...options, metadata: { names: NAMES } });

  test('gives the same boxes and scores when prepared', async () => {
    const expected = await reference(bytes);
    const model = prepareYolo(bytes, { ...SIZE, labels: null });
    const { boxes, scores } = await runOnFrames(model, frame);
    expect(scores!.dims).toEqual([1, 3, expected.cells]);
    expect(largestDifference(scores!.data, expected.scores)).toBeLessThan(1e-4);
    expect(largestDifference(decodeBoxes(boxes!.data, SIZE), expected.boxes)).toBeLessThan(0.02);
  });

  test('gives at another size what an export of that size gives', async () => {
    const size = { width: 416, height: 256 };
    const pixels = patternFrame(size.width, size.height);
    const expected = await reference(tinyYolo({ ...options, ...size }), size, pixels);
    const model = prepareYolo(bytes, { ...size, labels: null });
    const { boxes, scores } = await runOnFrames(model, pixels);
    expect(largestDifference(scores!.data, expected.scores)).toBeLessThan(1e-4);
    expect(largestDifference(decodeBoxes(boxes!.data, size), expected.boxes)).toBeLessThan(0.02);
  });

  test('runs several frames at once, each as if alone', async () => {
    const model = prepareYolo(bytes, { ...SIZE, labels: null });
    const dark = frame.map((value) => value >> 1);
    const pair = new Uint8Array(2 * frame.length);
    pair.set(frame);
    pair.set(dark, frame.length);
    const both = (await runOnFrames(model, pair)).scores!;
    const second = (await runOnFrames(model, dark)).scores!;
    expect(both.dims[0]).toBe(2);
    expect(largestDifference(both.data.subarray(second.data.length), second.data)).toBeLessThan(
      1e-5,
    );
  });

  test('keeps only the labels asked for', async () => {
    const { scores, cells } = await reference(bytes);
    const model = prepareYolo(bytes, { ...SIZE, labels: ['car', 'person', 'unicorn'] });
    expect(model.labels).toEqual(['person', 'car']);
    const pruned = (await runOnFrames(model, frame)).scores!;
    expect(pruned.dims).toEqual([1, 2, cells]);
    expect(
      largestDifference(pruned.data.subarray(0, cells), scores.subarray(0, cells)),
    ).toBeLessThan(1e-4);
    expect(largestDifference(pruned.data.subarray(cells), scores.subarray(2 * cells))).toBeLessThan(
      1e-4,
    );
  });

  test('gives its own output when wrapped', async () => {
    const { all } = await reference(bytes);
    const model = wrapYolo(bytes);
    const output = (await runOnFrames(model, frame))[model.outputs[0]!]!;
    expect(largestDifference(output.data, all)).toBeLessThan(0.02);
  });
});

test('an export with open sizes is prepared like any other', async () => {
  const open = tinyYolo({
    inputShape: ['batch', 3, 'height', 'width'],
    outputShape: ['batch', 7, 'anchors'],
    metadata: { imgsz: '[320, 320]', names: NAMES },
  });
  expect(inspectYolo(open)).toMatchObject({ dynamicSize: true, inputWidth: 320, batch: 'any' });
  const model = prepareYolo(open, { width: 384, height: 256, labels: null });
  const { scores } = await runOnFrames(model, patternFrame(384, 256));
  expect(scores!.dims).toEqual([1, 3, 48 * 32 + 24 * 16 + 12 * 8]);
});

test('an export of half precision is prepared and wrapped, and gives full precision', async () => {
  const model = decodeModel(tinyYolo());
  const graph = model.graph!;
  for (const info of [...graph.input, ...graph.output])
    info.type!.tensor!.elemType = TENSOR_FLOAT16;
  for (const each of graph.node) {
    each.input = each.input.map((name) => (name === 'pictures' ? 'pictures32' : name));
    each.output = each.output.map((name) => (name === 'answer' ? 'answer32' : name));
    if (each.name === 'answer') each.name = 'answer32';
  }
  const to = (type: number) => [intAttribute('to', type)];
  graph.node.unshift(node('Cast', ['pictures'], 'pictures32', to(TENSOR_FLOAT)));
  graph.node.push(node('Cast', ['answer32'], 'answer', to(TENSOR_FLOAT16)));
  const half = encodeModel(model);
  const expected = await reference(tinyYolo());

  const prepared = await runOnFrames(prepareYolo(half, { ...SIZE, labels: null }), frame);
  expect(largestDifference(prepared.scores!.data, expected.scores)).toBeLessThan(0.01);
  const wrapped = wrapYolo(half);
  const output = (await runOnFrames(wrapped, frame))[wrapped.outputs[0]!]!;
  const scores = output.data.subarray(4 * expected.cells);
  expect(output.data).toBeInstanceOf(Float32Array);
  expect(largestDifference(scores, expected.scores)).toBeLessThan(0.01);
});
