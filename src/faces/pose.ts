import type { Landmark } from './contract.ts';

/** How far the tip of the nose is in front of the eyes, in distances between the eyes: of an average head. */
const NOSE_DEPTH = 0.6;
const DEGREES = 180 / Math.PI;

/** How a head is held, in degrees. */
export interface Pose {
  /** 0 looks into the camera, above zero to the right of the picture. */
  readonly yaw: number;
  /** Above zero is tilted clockwise. */
  readonly roll: number;
}

/**
 * An estimate from five landmarks in pixels: roll is the slope of the line through the eyes; a nose that is not
 * halfway between the eyes is that of a turned head.
 */
export function poseOf(landmarks: readonly Landmark[]): Pose {
  const [left, right, nose] = landmarks;
  if (left === undefined || right === undefined || nose === undefined)
    throw new RangeError('a face has five landmarks');
  const [dx, dy] = [right.x - left.x, right.y - left.y];
  const eyes = Math.hypot(dx, dy) || 1;
  const along =
    ((nose.x - (left.x + right.x) / 2) * dx + (nose.y - (left.y + right.y) / 2) * dy) / eyes;
  return {
    yaw: Math.atan(along / eyes / NOSE_DEPTH) * DEGREES,
    roll: Math.atan2(dy, dx) * DEGREES,
  };
}
