import type { FaceCandidate } from './candidate.ts';
import type { DetectorAdapter, Outputs } from './detector-adapter.ts';

const STRIDES = [8, 16, 32];
const ANCHORS = 2;
const LANDMARKS = 5;

/**
 * SCRFD with landmarks, and models made like it:
 * https://github.com/deepinsight/insightface/blob/master/python-package/insightface/model_zoo/scrfd.py . Nine outputs
 * without names of their own: scores, boxes and landmarks of strides 8, 16 and 32; two anchors to a cell; distances to
 * the sides and offsets of the points in cells.
 */
export const scrfd: DetectorAdapter = {
  name: 'SCRFD',
  recognises: ({ outputs }) =>
    outputs.size === 9 &&
    [...outputs.values()].every(
      (shape, index) => shape.at(-1) === [1, 4, 2 * LANDMARKS][Math.floor(index / 3)],
    ),
  findsLandmarks: true,
  input: { order: 'rgb', mean: 127.5, scale: 1 / 128, multiple: 32 },
  minScore: 0.5,
  maxOverlap: 0.4,
  decode: (outputs, { width }, minScore) =>
    STRIDES.flatMap((stride, level) =>
      decodeLevel(outputs, { level, stride, columns: width / stride, minScore }),
    ),
};

function decodeLevel(
  outputs: Outputs,
  at: { level: number; stride: number; columns: number; minScore: number },
): FaceCandidate[] {
  const all = Object.values(outputs);
  const [scores, sides, points] = [all[at.level], all[at.level + 3], all[at.level + 6]];
  if (!scores || !sides || !points) throw new RangeError('the face detector gave no output');
  const { stride, columns, minScore } = at;
  const found: FaceCandidate[] = [];
  for (let anchor = 0; anchor < scores.length; anchor++) {
    const score = scores[anchor] as number;
    if (score < minScore) continue;
    const cell = Math.floor(anchor / ANCHORS);
    const [x, y] = [(cell % columns) * stride, Math.floor(cell / columns) * stride];
    const [left = 0, top = 0, right = 0, bottom = 0] = sides.subarray(4 * anchor, 4 * anchor + 4);
    const landmarks = Array.from({ length: LANDMARKS }, (_, index) => ({
      x: x + (points[10 * anchor + 2 * index] as number) * stride,
      y: y + (points[10 * anchor + 2 * index + 1] as number) * stride,
    }));
    found.push({
      ...{ x: x - left * stride, y: y - top * stride, score, landmarks },
      ...{ width: (left + right) * stride, height: (top + bottom) * stride },
    });
  }
  return found;
}
