import type { FaceCandidate } from './candidate.ts';
import type { DetectorAdapter, Outputs } from './detector-adapter.ts';

const STRIDES = [8, 16, 32];
const LANDMARKS = 5;
const PARTS = ['cls', 'obj', 'bbox', 'kps'] as const;

/**
 * YuNet: https://github.com/opencv/opencv/blob/4.x/modules/objdetect/src/face_detect.cpp . For each stride and cell
 * two scores, an offset of the centre with the logarithm of the size, and five points, in cells.
 */
export const yunet: DetectorAdapter = {
  name: 'YuNet',
  recognises: ({ outputs }) =>
    STRIDES.every((stride) => PARTS.every((part) => outputs.has(`${part}_${stride}`))),
  findsLandmarks: true,
  input: { order: 'bgr', mean: 0, scale: 1, multiple: 32 },
  minScore: 0.6,
  maxOverlap: 0.3,
  decode: (outputs, { width }, minScore) =>
    STRIDES.flatMap((stride) => decodeStride(outputs, { stride, width, minScore })),
};

function decodeStride(
  outputs: Outputs,
  { stride, width, minScore }: { stride: number; width: number; minScore: number },
): FaceCandidate[] {
  const [cls, obj, bbox, kps] = PARTS.map((part) => outputs[`${part}_${stride}`]);
  if (!cls || !obj || !bbox || !kps) throw new RangeError('the face detector gave no output');
  const columns = width / stride;
  const found: FaceCandidate[] = [];
  for (let cell = 0; cell < cls.length; cell++) {
    const score = Math.sqrt(clamp(cls[cell] as number) * clamp(obj[cell] as number));
    if (score < minScore) continue;
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    const [dx = 0, dy = 0, logWidth = 0, logHeight = 0] = bbox.subarray(4 * cell, 4 * cell + 4);
    const size = { width: Math.exp(logWidth) * stride, height: Math.exp(logHeight) * stride };
    const landmarks = Array.from({ length: LANDMARKS }, (_, index) => ({
      x: (column + (kps[10 * cell + 2 * index] as number)) * stride,
      y: (row + (kps[10 * cell + 2 * index + 1] as number)) * stride,
    }));
    const x = (column + dx) * stride - size.width / 2;
    const y = (row + dy) * stride - size.height / 2;
    found.push({ x, y, ...size, score, landmarks });
  }
  return found;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
