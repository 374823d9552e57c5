import { describe, expect, test } from 'vitest';
import { distinctFaces } from '../../../src/faces/detector/candidate.ts';
import { scrfd } from '../../../src/faces/detector/scrfd.ts';
import { ultraLight } from '../../../src/faces/detector/ultra-light.ts';
import { yunet } from '../../../src/faces/detector/yunet.ts';

const INPUT = { width: 64, height: 32 };
const STRIDES = [8, 16, 32];

/** Outputs of zeros for an input of 64x32, `numbers` per anchor. */
function zeros(stride: number, numbers: number, anchors = 1): Float32Array {
  return new Float32Array((INPUT.width / stride) * (INPUT.height / stride) * anchors * numbers);
}

describe('YuNet', () => {
  function outputs() {
    return Object.fromEntries(
      STRIDES.flatMap((stride) => [
        [`cls_${stride}`, zeros(stride, 1)],
        [`obj_${stride}`, zeros(stride, 1)],
        [`bbox_${stride}`, zeros(stride, 4)],
        [`kps_${stride}`, zeros(stride, 10)],
      ]),
    );
  }

  test('places a face by its cell, offset and the logarithm of its size', () => {
    const out = outputs();
    // Stride 16 has four columns: cell 6 is column 2 of row 1.
    out.cls_16![6] = 0.81;
    out.obj_16![6] = 1;
    out.bbox_16!.set([0.5, -0.25, Math.log(1.5), Math.log(2)], 24);
    out.kps_16!.set([0, 0.5, 1, 0.5, 0.5, 1, 0.1, 1.5, 0.9, 1.5], 60);
    const [face, ...more] = yunet.decode(out, INPUT, 0.6);
    expect(more).toEqual([]);
    expect(face?.width).toBeCloseTo(24, 4);
    expect(face?.height).toBeCloseTo(32, 4);
    expect(face?.score).toBeCloseTo(0.9, 5);
    expect(face?.x).toBeCloseTo(40 - 12, 4);
    expect(face?.y).toBeCloseTo(12 - 16, 4);
    expect(face?.landmarks?.[0]).toEqual({ x: 32, y: 24 });
    expect(face?.landmarks?.[1]).toEqual({ x: 48, y: 24 });
  });

  test('both scores have to be high, and none counts for more than 1', () => {
    const out = outputs();
    out.cls_8!.set([1, 0.3, 7], 0);
    out.obj_8!.set([0.3, 1, 7], 0);
    const found = yunet.decode(out, INPUT, 0.6);
    expect(found.map(({ score }) => score)).toEqual([1]);
  });
});

describe('SCRFD', () => {
  test('two anchors to a cell, distances to the sides', () => {
    const names = [1, 4, 10].flatMap((numbers) => STRIDES.map((stride) => ({ numbers, stride })));
    const outputs = Object.fromEntries(
      names.map(({ numbers, stride }, index) => [`${400 + index}`, zeros(stride, numbers, 2)]),
    );
    expect(
      scrfd.recognises({
        outputs: new Map(
          names.map(({ numbers }, index) => [`${400 + index}`, ['?', numbers]] as const),
        ),
      }),
    ).toBe(true);
    // Stride 8 has eight columns: anchor 21 is the second one of cell 10, column 2 of row 1.
    outputs['400']![21] = 0.8;
    outputs['403']!.set([1, 0.5, 2, 1.5], 84);
    outputs['406']!.set([0.25, -0.5], 210);
    expect(scrfd.decode(outputs, INPUT, 0.5)).toEqual([
      {
        ...{ x: 8, y: 4, width: 24, height: 16, score: expect.closeTo(0.8, 5) },
        landmarks: [{ x: 18, y: 4 }, ...Array(4).fill({ x: 16, y: 8 })],
      },
    ]);
  });
});

describe('Ultra-Light', () => {
  test('takes the second score and boxes from 0 to 1, and has no landmarks', () => {
    const scores = Float32Array.of(0.9, 0.1, 0.2, 0.8);
    const boxes = Float32Array.of(0, 0, 1, 1, 0.25, 0.5, 0.5, 1);
    expect(ultraLight.decode({ scores, boxes }, INPUT, 0.7)).toEqual([
      {
        ...{ x: 16, y: 16, width: 16, height: 16, landmarks: null },
        score: expect.closeTo(0.8, 5),
      },
    ]);
  });
});

describe('distinctFaces', () => {
  const face = (x: number, width: number, score: number) => ({
    ...{ x, y: 0, width, height: width, score, landmarks: null },
  });

  test('keeps the best of those that overlap, and gives the largest first', () => {
    const small = face(100, 10, 0.7);
    const best = face(0, 20, 0.9);
    expect(distinctFaces([small, face(1, 20, 0.8), best], 0.3)).toEqual([best, small]);
  });
});
