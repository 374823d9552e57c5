import { describe, expect, test } from 'vitest';
import { decodeModel, encodeModel, type ModelProto } from '../../../src/models/onnx/proto.ts';
import { parseClassNames } from '../../../src/models/yolo/class-names.ts';
import { inspectYolo } from '../../../src/models/yolo/inspect.ts';
import { prepareYolo } from '../../../src/models/yolo/prepare.ts';
import { wrapYolo } from '../../../src/models/yolo/wrap.ts';
import { tinyYolo } from '../../support/tiny-yolo.ts';

describe('parseClassNames', () => {
  test.each([
    ["{0: 'person', 1: 'cat'}", ['person', 'cat']],
    [`{0: "driver's seat", 1: 'a, b: {c}'}`, ["driver's seat", 'a, b: {c}']],
    [String.raw`{0: 'it\'s', 1: 'caf\xe9', 2: 'back\\slash'}`, ["it's", 'café', 'back\\slash']],
    ["{1: 'second', 0: 'first',}", ['first', 'second']],
    ['["person", "cat"]', ['person', 'cat']],
    ['{"0": "person", "1": "cat"}', ['person', 'cat']],
  ])('reads %s', (text, names) => {
    expect(parseClassNames(text)).toEqual(names);
  });

  test.each([
    '',
    'person',
    '{}',
    "{0: 'person', 2: 'cat'}",
    '{0: person}',
    "{0: 'person' 1: 'cat'}",
  ])('refuses %s', (text) => {
    expect(parseClassNames(text)).toBeNull();
  });
});

describe('inspectYolo', () => {
  test('reads names and sizes from the model', () => {
    const metadata = { names: "{0: 'person', 1: 'cat', 2: 'car'}", task: 'detect' };
    expect(inspectYolo(tinyYolo({ metadata, width: 416, height: 320 }))).toEqual({
      labels: ['person', 'cat', 'car'],
      classes: 3,
      inputWidth: 416,
      inputHeight: 320,
      inputName: 'pictures',
      outputName: 'answer',
      dynamicSize: false,
      batch: 1,
      precision: 'float32',
    });
  });

  test('numbers the classes of a model without names', () => {
    expect(inspectYolo(tinyYolo({ classes: 2 })).labels).toEqual(['class_0', 'class_1']);
  });

  test.each([
    ['a small input', { inputShape: [1, 3, 224, 224] }, '[1,3,224,224]'],
    ['an input that strides do not divide', { inputShape: [1, 3, 330, 330] }, '[1,3,330,330]'],
    ['a grey input', { inputShape: [1, 1, 320, 320] }, '[1,1,320,320]'],
    ['another number of anchors', { outputShape: [1, 7, 8400] }, 'has 2100 anchors'],
    ['a flat output', { outputShape: [1, 1000] }, '[1,1000]'],
    ['detections instead of cells', { outputShape: [1, 300, 6] }, '[1,300,6]'],
    ['another task', { metadata: { task: 'pose' } }, 'task pose'],
    [
      'too few names',
      { metadata: { names: "['a', 'b']" } },
      'names 2 classes and its output has 3',
    ],
    ['names that are none', { metadata: { names: 'a, b, c' } }, '`names`'],
  ])('refuses %s and says what was found and expected', (_, options, found) => {
    const attempt = () => inspectYolo(tinyYolo(options));
    expect(attempt).toThrow(expect.objectContaining({ code: 'MODEL_NOT_YOLOV8' }));
    expect(attempt).toThrow(found);
    expect(attempt).toThrow('expected one input float [1,3,H,W]');
  });

  function edited(edit: (model: ModelProto) => void): Uint8Array {
    const model = decodeModel(tinyYolo());
    edit(model);
    return encodeModel(model);
  }

  test('refuses a second output, as segmentation models have', () => {
    const bytes = edited(({ graph }) =>
      graph!.output.push({ ...graph!.output[0]!, name: 'masks' }),
    );
    expect(() => inspectYolo(bytes)).toThrow('masks');
  });

  test('refuses weights that are in another file', () => {
    const bytes = edited(({ graph }) => {
      graph!.initializer[0]!.dataLocation = 1;
    });
    expect(() => inspectYolo(bytes)).toThrow('weights are in another file');
  });

  test.each(['', 'hello', '\x0a\x03abc'])('says that %j is not an ONNX model', (text) => {
    expect(() => inspectYolo(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ code: 'MODEL_UNREADABLE' }),
    );
  });
});

describe('prepareYolo', () => {
  const size = { width: 320, height: 256, labels: null };

  test('leaves the bytes it is given as they were', () => {
    const bytes = tinyYolo();
    const before = Uint8Array.from(bytes);
    prepareYolo(bytes, { ...size, labels: ['class_1'] });
    wrapYolo(bytes);
    expect(bytes).toEqual(before);
  });

  test('takes away what only the decoding needed', () => {
    const { graph } = decodeModel(prepareYolo(tinyYolo(), size).bytes);
    const kinds = new Set(graph!.node.map((node) => node.opType));
    for (const gone of ['Softmax', 'Transpose', 'Sub', 'Div']) expect(kinds).not.toContain(gone);
    expect(graph!.initializer.map((tensor) => tensor.name)).not.toContain('anchors');
    expect(graph!.input.map((input) => input.name)).toEqual(['frame']);
  });

  test('says why a head cannot be cut', () => {
    expect(() => prepareYolo(tinyYolo({ head: 'unusual' }), size)).toThrow(
      expect.objectContaining({ code: 'MODEL_CANNOT_BE_CUT' }),
    );
  });

  test('names the labels there are when none of those asked for is among them', () => {
    expect(() => prepareYolo(tinyYolo(), { ...size, labels: ['dog'] })).toThrow(
      expect.objectContaining({
        code: 'MODEL_LABELS_UNKNOWN',
        remedy: "Choose from the model's labels: class_0, class_1, class_2.",
      }),
    );
  });

  test('wants a size that strides divide', () => {
    expect(() => prepareYolo(tinyYolo(), { ...size, width: 330 })).toThrow(RangeError);
  });
});
