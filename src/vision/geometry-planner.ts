import type { CameraSpec, ModelGeometry } from '../capture/contract.ts';
import {
  COARSEST_STRIDE,
  type FramePlan,
  frameSize,
  letterbox,
  planGeometry,
  type Size,
} from './letterbox.ts';

/** Each size of frames costs every worker a session of tens of megabytes, which is never given back. */
const MOST_SIZES = 6;

export interface Wish {
  picture: Size;
  /** Largest analysed picture; null for what suits the model. */
  limit: CameraSpec['analysed'];
  /** Whether a size of frames may be added for it. */
  mayAddSize: boolean;
}

/** Gives each camera its geometry, and keeps down how many sizes of frames there are. */
export class GeometryPlanner {
  readonly #plan: FramePlan;
  readonly #sizes = new Map<string, Size>();

  constructor(plan: FramePlan) {
    this.#plan = plan;
  }

  /**
   * A model of one size gets every picture in that size. Otherwise the picture is as large as the limit allows; where
   * no size may be added, it shares frames that there are: the smallest in which it loses nothing, or else those in
   * which it loses least.
   */
  geometryFor({ picture, limit, mayAddSize }: Wish): ModelGeometry {
    if (this.#plan.kind === 'fixed') return planGeometry(picture, this.#plan);
    const { longSide } = this.#plan;
    const wanted = frameSize(
      picture,
      limit === null ? longSide : longestSide(picture, limit, longSide),
    );
    const name = `${wanted.width}x${wanted.height}`;
    const isFull = this.#sizes.size >= MOST_SIZES || (!mayAddSize && this.#sizes.size > 0);
    if (isFull && !this.#sizes.has(name)) {
      return this.#shared({ picture, limit, mayAddSize }, letterbox(picture, wanted), longSide);
    }
    this.#sizes.set(name, wanted);
    return letterbox(picture, wanted);
  }

  #shared({ picture, mayAddSize }: Wish, wanted: ModelGeometry, longSide: number): ModelGeometry {
    const known = [...this.#sizes.values()].map((size) => letterbox(picture, size));
    const byArea = known.toSorted((a, b) => frameArea(a) - frameArea(b));
    const holding = byArea.find(({ contentWidth }) => contentWidth >= wanted.contentWidth);
    if (holding !== undefined) return holding;
    const largest = known.toSorted((a, b) => b.contentWidth - a.contentWidth)[0];
    if (largest !== undefined && !mayAddSize) return largest;
    // A square holds any shape, and there is never more than this one.
    return letterbox(picture, { width: longSide, height: longSide });
  }
}

/** The longest side of frames, up to the model's, whose picture keeps within the limit. */
function longestSide(
  picture: Size,
  { maxWidth, maxHeight }: NonNullable<CameraSpec['analysed']>,
  modelSide: number,
): number {
  for (let side = modelSide; side > COARSEST_STRIDE; side -= COARSEST_STRIDE) {
    const { contentWidth, contentHeight } = letterbox(picture, frameSize(picture, side));
    if (contentWidth <= maxWidth && contentHeight <= maxHeight) return side;
  }
  return COARSEST_STRIDE;
}

function frameArea({ modelWidth, modelHeight }: ModelGeometry): number {
  return modelWidth * modelHeight;
}
