import type { FaceDoubt } from './contract.ts';

/** What a face must have to be compared with others. */
export interface FaceGate {
  /** Pixels. */
  readonly minWidthPx: number;
  /** Degrees, to either side. */
  readonly maxYaw: number;
  readonly maxRoll: number;
  readonly minSharpness: number;
  /** Of the detector, 0..1. */
  readonly minScore: number;
}

/**
 * Measured with YuNet and the 512-number embedding of the manifest: different people look alike (cosine up to 0.56)
 * when their heads are tilted by 45 degrees, and no more than 0.33 within these bounds.
 */
export const DEFAULT_GATE: FaceGate = {
  minWidthPx: 32,
  maxYaw: 40,
  // YuNet sees half of a tilt: a head tilted by 45 degrees has landmarks with a roll of 23.
  maxRoll: 18,
  minSharpness: 40,
  minScore: 0.7,
};

export interface FaceFacts {
  readonly widthPx: number;
  readonly yaw: number;
  readonly roll: number;
  readonly sharpness: number;
  readonly score: number;
}

/** Null where the face is good enough to be compared. */
export function doubtOf(face: FaceFacts, gate: FaceGate): FaceDoubt | null {
  if (face.widthPx < gate.minWidthPx) return 'small';
  if (Math.abs(face.roll) > gate.maxRoll) return 'tilted';
  if (Math.abs(face.yaw) > gate.maxYaw) return 'turned';
  if (face.score < gate.minScore) return 'uncertain';
  return face.sharpness < gate.minSharpness ? 'blurred' : null;
}

/** Wider faces show no more to the embedding, which sees 112 pixels with some of the surroundings. */
const FULL_WIDTH_PX = 80;
const FULL_SHARPNESS = 250;

/** How much a face counts beside others of the same person, 0..1: large, sharp and looking here is best. */
export function qualityOf({ widthPx, yaw, roll, sharpness, score }: FaceFacts): number {
  const facing = Math.cos((yaw * Math.PI) / 180) * Math.cos((roll * Math.PI) / 180);
  const size = Math.min(1, widthPx / FULL_WIDTH_PX);
  const sharp = Math.min(1, Math.sqrt(sharpness / FULL_SHARPNESS));
  return Math.max(0, facing) * size * sharp * score;
}
