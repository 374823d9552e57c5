import { doCross, offsetFrom, type Point } from './geometry.ts';

export interface LineSpec {
  readonly name: string;
  readonly from: Point;
  readonly to: Point;
}

/** To which side of who looks from `from` to `to` in the picture. */
export type Direction = 'left' | 'right';

/** Nearer to the line than this a foot is on neither side: boxes tremble by about a hundredth of the picture. */
const MARGIN = 0.01;

interface Settled {
  readonly side: Direction;
  readonly foot: Point;
}

/** Counts who crosses a line. Who walks around its end, or up to it and back, does not. */
export class LineCrossing {
  readonly spec: LineSpec;
  /** By track: where it was last clearly on a side. */
  readonly #settled = new Map<number, Settled>();
  readonly counts: Record<Direction, number> = { left: 0, right: 0 };

  constructor(spec: LineSpec) {
    this.spec = spec;
  }

  /** A track was seen with its foot there. Returns to which side it has crossed; null where it has not. */
  see(trackId: number, foot: Point): Direction | null {
    const { from, to } = this.spec;
    const offset = offsetFrom(from, to, foot);
    if (Math.abs(offset) < MARGIN) return null;
    const side = offset > 0 ? 'right' : 'left';
    const before = this.#settled.get(trackId);
    this.#settled.set(trackId, { side, foot });
    if (before === undefined || before.side === side) return null;
    if (!doCross([from, to], [before.foot, foot])) return null;
    this.counts[side]++;
    return side;
  }

  /** The track is no more. */
  forget(trackId: number): void {
    this.#settled.delete(trackId);
  }
}
