import type { ModelGeometry } from '../capture/contract.ts';
import { type FramePlan, planGeometry } from './letterbox.ts';

/** Each size of frames costs every worker a session of tens of megabytes. */
const MOST_SIZES = 4;

/** Gives each camera its geometry, and keeps down how many sizes of frames there are. */
export class GeometryPlanner {
  readonly #plan: FramePlan;
  readonly #sizes = new Set<string>();

  constructor(plan: FramePlan) {
    this.#plan = plan;
  }

  /** Beyond the limit, pictures of further shapes share square frames, which hold any shape. */
  geometryFor(picture: { width: number; height: number }): ModelGeometry {
    const geometry = planGeometry(picture, this.#plan);
    const size = `${geometry.modelWidth}x${geometry.modelHeight}`;
    if (this.#plan.kind === 'fixed' || this.#sizes.has(size)) return geometry;
    if (this.#sizes.size < MOST_SIZES) {
      this.#sizes.add(size);
      return geometry;
    }
    const { longSide } = this.#plan;
    return planGeometry(picture, { kind: 'fixed', width: longSide, height: longSide });
  }
}
