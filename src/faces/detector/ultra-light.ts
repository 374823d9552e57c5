import type { DetectorAdapter } from './detector-adapter.ts';

/**
 * Ultra-Light RFB: https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB . Boxes come decoded, as
 * corners from 0 to 1; of the two scores the second is that of a face. It finds no landmarks.
 */
export const ultraLight: DetectorAdapter = {
  name: 'Ultra-Light RFB',
  recognises: ({ outputs }) =>
    outputs.size === 2 && outputs.get('scores')?.at(-1) === 2 && outputs.get('boxes')?.at(-1) === 4,
  findsLandmarks: false,
  input: { order: 'rgb', mean: 127, scale: 1 / 128, multiple: 16 },
  minScore: 0.7,
  maxOverlap: 0.4,
  decode: ({ scores, boxes }, { width, height }, minScore) => {
    if (!scores || !boxes) throw new RangeError('the face detector gave no output');
    const found = [];
    for (let index = 0; index < scores.length / 2; index++) {
      const score = scores[2 * index + 1] as number;
      if (score < minScore) continue;
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = boxes.subarray(4 * index, 4 * index + 4);
      found.push({
        ...{ x: x1 * width, y: y1 * height, score, landmarks: null },
        ...{ width: (x2 - x1) * width, height: (y2 - y1) * height },
      });
    }
    return found;
  },
};
