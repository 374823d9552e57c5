import type { Landmark } from '../contract.ts';

/** Side of an aligned face, pixels. */
export const FACE_SIDE = 112;

/**
 * Where eye, eye, nose and the corners of the mouth lie in an aligned face, in pixels. The template of ArcFace, which
 * InsightFace and OpenCV's recognisers share:
 * https://github.com/deepinsight/insightface/blob/master/python-package/insightface/utils/face_align.py
 */
export const FACE_TEMPLATE: readonly Landmark[] = [
  { x: 38.2946, y: 51.6963 },
  { x: 73.5318, y: 51.5014 },
  { x: 56.0252, y: 71.7366 },
  { x: 41.5493, y: 92.3655 },
  { x: 70.7299, y: 92.2041 },
];

/** Turns (x, y) into (a x - b y + tx, b x + a y + ty): scale, rotation and shift. */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly tx: number;
  readonly ty: number;
}

function meanOf(points: readonly Landmark[]): Landmark {
  const sum = points.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), {
    x: 0,
    y: 0,
  });
  return { x: sum.x / points.length, y: sum.y / points.length };
}

/**
 * The similarity that takes `from` to `to` with the least squared error (S. Umeyama, 1991; in the plane it has a closed
 * form).
 * @returns null where all points of `from` are one
 */
export function similarityBetween(
  from: readonly Landmark[],
  to: readonly Landmark[],
): Similarity | null {
  const [source, target] = [meanOf(from), meanOf(to)];
  let [along, across, spread] = [0, 0, 0];
  from.forEach(({ x, y }, index) => {
    const [sx, sy] = [x - source.x, y - source.y];
    const [dx, dy] = [(to[index]?.x ?? 0) - target.x, (to[index]?.y ?? 0) - target.y];
    along += sx * dx + sy * dy;
    across += sx * dy - sy * dx;
    spread += sx * sx + sy * sy;
  });
  if (!(spread > 0)) return null;
  const [a, b] = [along / spread, across / spread];
  return {
    a,
    b,
    tx: target.x - a * source.x + b * source.y,
    ty: target.y - b * source.x - a * source.y,
  };
}
