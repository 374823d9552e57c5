import { iou } from '../../tracking/box.ts';
import type { Landmark } from '../contract.ts';

/** A face as a detector sees it, in pixels of its input. */
export interface FaceCandidate {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** 0..1 */
  readonly score: number;
  /** Five, in the order of `FaceSample`; null where the model finds none. */
  readonly landmarks: readonly Landmark[] | null;
}

/** Of faces that overlap by more than `limit` (intersection over union) the best, largest face first. */
export function distinctFaces(
  candidates: readonly FaceCandidate[],
  limit: number,
): FaceCandidate[] {
  const kept: FaceCandidate[] = [];
  for (const candidate of [...candidates].sort((a, b) => b.score - a.score))
    if (kept.every((other) => iou(candidate, other) <= limit)) kept.push(candidate);
  return kept.sort((a, b) => b.width - a.width);
}
