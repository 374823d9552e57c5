import type { ModelGeometry } from '../capture/contract.ts';
import type { Detection } from './contract.ts';
import { OBJECT_NUMBERS } from './detector-session.ts';
import { pictureBox } from './letterbox.ts';

/**
 * What a session found in a frame, in terms of the camera's picture. Objects wholly in the padding are no
 * objects.
 *
 * @param objects as `DetectorSession.detect` gives them
 */
export function detectionsOf(
  objects: Float32Array,
  geometry: ModelGeometry,
  labels: readonly string[],
): Detection[] {
  const detections: Detection[] = [];
  for (let start = 0; start < objects.length; start += OBJECT_NUMBERS) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0, score = 0, classId = 0] = objects.subarray(
      start,
      start + OBJECT_NUMBERS,
    );
    const box = pictureBox({ x1, y1, x2, y2 }, geometry);
    if (box !== null) detections.push({ label: labels[classId] ?? '', classId, score, box });
  }
  return detections;
}
