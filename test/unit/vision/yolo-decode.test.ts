import { describe, expect, test } from 'vitest';
import { suppressOverlaps } from '../../../src/vision/nms.ts';
import { YoloDecoder } from '../../../src/vision/yolo-decode.ts';

// 64x32: 8x4 cells of stride 8, 4x2 of stride 16, 2x1 of stride 32.
const SHAPE = { width: 64, height: 32, classes: 3 };
const CELLS = 32 + 8 + 2;
const BINS = 16;

class Tensors {
  readonly boxes = new Float32Array(4 * BINS * CELLS);
  readonly scores = new Float32Array(SHAPE.classes * CELLS);

  /** An object whose sides are whole numbers of strides from the centre of the cell. */
  put(cell: number, sides: readonly number[], scores: Record<number, number>): void {
    sides.forEach((distance, side) => {
      // One bin so likely that the others do not count.
      this.boxes[(side * BINS + distance) * CELLS + cell] = 100;
    });
    for (const [classId, score] of Object.entries(scores)) {
      this.scores[Number(classId) * CELLS + cell] = score;
    }
  }
}

function rows(candidates: ReturnType<YoloDecoder['prepared']>) {
  return Array.from({ length: candidates.count }, (_, index) => ({
    box: [...candidates.boxes.subarray(4 * index, 4 * index + 4)].map(Math.round),
    score: Number(candidates.scores[index]!.toFixed(3)),
    classId: candidates.classes[index],
  }));
}

describe('YoloDecoder.prepared', () => {
  test('decodes cells of every stride', () => {
    const tensors = new Tensors();
    tensors.put(8 + 3, [1, 1, 2, 1], { 0: 0.9 }); // stride 8, row 1, column 3
    tensors.put(32 + 4 + 2, [1, 0, 1, 0], { 1: 0.8 }); // stride 16, row 1, column 2
    tensors.put(40 + 1, [1, 0, 0, 1], { 2: 0.7 }); // stride 32, row 0, column 1
    const found = new YoloDecoder(SHAPE).prepared(tensors.boxes, tensors.scores, 0.5);
    expect(rows(found)).toEqual([
      { box: [20, 4, 44, 20], score: 0.9, classId: 0 },
      { box: [24, 24, 56, 24], score: 0.8, classId: 1 },
      { box: [16, 16, 48, 48], score: 0.7, classId: 2 },
    ]);
  });

  test('takes the mean of the bins of a side', () => {
    const tensors = new Tensors();
    tensors.put(0, [], { 0: 0.9 });
    // All bins alike: 7.5 strides of 8 on each side of (4, 4).
    const found = new YoloDecoder(SHAPE).prepared(tensors.boxes, tensors.scores, 0.5);
    expect([...found.boxes.subarray(0, 4)]).toEqual([-56, -56, 64, 64]);
  });

  test('gives a cell its best class, wherever it stands', () => {
    const tensors = new Tensors();
    tensors.put(5, [1, 1, 1, 1], { 0: 0.6, 1: 0.9, 2: 0.7 });
    const found = new YoloDecoder(SHAPE).prepared(tensors.boxes, tensors.scores, 0.5);
    expect(rows(found).map(({ score, classId }) => [score, classId])).toEqual([[0.9, 1]]);
  });

  test('keeps what is just at the threshold and nothing below', () => {
    const tensors = new Tensors();
    tensors.put(1, [1, 1, 1, 1], { 0: 0.5 });
    tensors.put(2, [1, 1, 1, 1], { 0: 0.4999 });
    expect(new YoloDecoder(SHAPE).prepared(tensors.boxes, tensors.scores, 0.5).count).toBe(1);
  });

  test('forgets one frame at the next', () => {
    const decoder = new YoloDecoder(SHAPE);
    const busy = new Tensors();
    for (let cell = 0; cell < CELLS; cell++) busy.put(cell, [1, 1, 1, 1], { 1: 0.9 });
    expect(decoder.prepared(busy.boxes, busy.scores, 0.5).count).toBe(CELLS);
    const quiet = new Tensors();
    quiet.put(7, [1, 1, 1, 1], { 2: 0.6 });
    expect(rows(decoder.prepared(quiet.boxes, quiet.scores, 0.5))).toEqual([
      { box: [52, -4, 68, 12], score: 0.6, classId: 2 },
    ]);
  });
});

describe('YoloDecoder.exported', () => {
  test('turns centre and size into corners', () => {
    const output = new Float32Array((4 + SHAPE.classes) * CELLS);
    const cell = 13;
    [20, 10, 8, 4].forEach((value, row) => {
      output[row * CELLS + cell] = value;
    });
    output[(4 + 2) * CELLS + cell] = 0.75;
    expect(rows(new YoloDecoder(SHAPE).exported(output, 0.5))).toEqual([
      { box: [16, 8, 24, 12], score: 0.75, classId: 2 },
    ]);
  });
});

describe('suppressOverlaps', () => {
  function kept(objects: [box: number[], score: number, classId: number][]): number[] {
    const output = new Float32Array((4 + SHAPE.classes) * CELLS);
    objects.forEach(([[x1, y1, x2, y2], score, classId], cell) => {
      const values = [(x1! + x2!) / 2, (y1! + y2!) / 2, x2! - x1!, y2! - y1!];
      values.forEach((value, row) => {
        output[row * CELLS + cell] = value;
      });
      output[(4 + classId) * CELLS + cell] = score;
    });
    const candidates = new YoloDecoder(SHAPE).exported(output, 0.1);
    return suppressOverlaps(candidates).map((index) =>
      Number(candidates.scores[index]!.toFixed(2)),
    );
  }

  test('keeps the best of boxes that overlap', () => {
    expect(
      kept([
        [[0, 0, 10, 10], 0.6, 0],
        [[1, 0, 11, 10], 0.9, 0],
        [[2, 0, 12, 10], 0.7, 0],
      ]),
    ).toEqual([0.9]);
  });

  test('keeps boxes of different classes in one place', () => {
    expect(
      kept([
        [[0, 0, 10, 10], 0.6, 0],
        [[0, 0, 10, 10], 0.9, 1],
      ]),
    ).toEqual([0.9, 0.6]);
  });

  test('an overlap of 0.45 is still two objects', () => {
    // 10x10 boxes shifted by s overlap by (10 - s) / (10 + s): 0.449 at 3.8, 0.460 at 3.7.
    expect(
      kept([
        [[0, 0, 10, 10], 0.9, 0],
        [[3.8, 0, 13.8, 10], 0.8, 0],
      ]),
    ).toEqual([0.9, 0.8]);
    expect(
      kept([
        [[0, 0, 10, 10], 0.9, 0],
        [[3.7, 0, 13.7, 10], 0.8, 0],
      ]),
    ).toEqual([0.9]);
  });

  test('what was suppressed suppresses nothing itself', () => {
    expect(
      kept([
        [[0, 0, 10, 10], 0.9, 0],
        [[3, 0, 13, 10], 0.8, 0],
        [[6, 0, 16, 10], 0.7, 0],
      ]),
    ).toEqual([0.9, 0.7]);
  });
});
