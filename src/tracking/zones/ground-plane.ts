import { offsetFrom, type Point } from './geometry.ts';

/** Row by row; turns (x, y, 1) into (X, Y, W), which is the place (X / W, Y / W). */
type Homography = readonly [
  ...[number, number, number],
  ...[number, number, number],
  ...[number, number, number],
];

/** The plane on which things move, from a quadrilateral in the picture that is a rectangle on the ground. */
export class GroundPlane {
  readonly #toSquare: Homography;
  readonly #widthM: number;
  readonly #depthM: number;

  /**
   * @param corners of the rectangle in the picture, in their order around it
   * @param widthM from the first to the second corner, metres
   * @param depthM from the second to the third
   * @returns null where no rectangle looks like that: four corners without a dent
   */
  static of(corners: readonly Point[], widthM: number, depthM: number): GroundPlane | null {
    return isConvexQuadrilateral(corners) ? new GroundPlane(corners, widthM, depthM) : null;
  }

  private constructor(corners: readonly Point[], widthM: number, depthM: number) {
    this.#toSquare = inverse(fromSquare(corners));
    this.#widthM = widthM;
    this.#depthM = depthM;
  }

  /** Where a point of the picture lies on the ground, metres; null for what is at the horizon or beyond. */
  place({ x, y }: Point): Point | null {
    const [a, b, c, d, e, f, g, h, i] = this.#toSquare;
    const w = g * x + h * y + i;
    if (!(w > 1e-9)) return null;
    return {
      x: (this.#widthM * (a * x + b * y + c)) / w,
      y: (this.#depthM * (d * x + e * y + f)) / w,
    };
  }
}

/**
 * From the unit square to a quadrilateral, in closed form (P. Heckbert, Fundamentals of Texture Mapping and Image
 * Warping, 1989, section 2.2.3).
 */
function fromSquare(corners: readonly Point[]): Homography {
  const [p0, p1, p2, p3] = corners as [Point, Point, Point, Point];
  const [dx1, dx2, sx] = [p1.x - p2.x, p3.x - p2.x, p0.x - p1.x + p2.x - p3.x];
  const [dy1, dy2, sy] = [p1.y - p2.y, p3.y - p2.y, p0.y - p1.y + p2.y - p3.y];
  const determinant = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / determinant;
  const h = (dx1 * sy - sx * dy1) / determinant;
  return [
    ...([p1.x - p0.x + g * p1.x, p3.x - p0.x + h * p3.x, p0.x] as const),
    ...([p1.y - p0.y + g * p1.y, p3.y - p0.y + h * p3.y, p0.y] as const),
    ...([g, h, 1] as const),
  ];
}

/** Up to a factor, of which only the sign matters: points of the quadrilateral itself have W above zero. */
function inverse([a, b, c, d, e, f, g, h, i]: Homography): Homography {
  const sign = Math.sign(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g));
  const scaled = (value: number): number => sign * value;
  return [
    ...([scaled(e * i - f * h), scaled(c * h - b * i), scaled(b * f - c * e)] as const),
    ...([scaled(f * g - d * i), scaled(a * i - c * g), scaled(c * d - a * f)] as const),
    ...([scaled(d * h - e * g), scaled(b * g - a * h), scaled(a * e - b * d)] as const),
  ];
}

/** All turns go the same way, and none is straight on. */
function isConvexQuadrilateral(corners: readonly Point[]): boolean {
  if (corners.length !== 4) return false;
  const turns = corners.map((corner, index) => {
    const [next, then] = [corners[(index + 1) % 4], corners[(index + 2) % 4]];
    if (next === undefined || then === undefined) return 0;
    const offset = offsetFrom(corner, next, then);
    return Math.abs(offset) > 1e-6 ? Math.sign(offset) : 0;
  });
  return turns[0] !== 0 && turns.every((turn) => turn === turns[0]);
}
