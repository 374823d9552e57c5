import type { BoundingBox } from '../protocol/detection.ts';
import { SMALLEST_SIDE } from './box.ts';

/** Order of the four measured quantities; each has a velocity of its own. */
const CX = 0;
const CY = 1;
const ASPECT = 2;
const HEIGHT = 3;
const AXES = [CX, CY, ASPECT, HEIGHT] as const;

// Wojke, Bewley, Paulus: Simple Online and Realtime Tracking with a Deep Association Metric (2017), and its
// reference code (deep_sort/kalman_filter.py), which ByteTrack took over, give the noise for each frame at
// about 30 frames a second: 1/20 of the object's size in position, 1/160 in velocity. Here the same numbers
// stand as spectral densities over time, so that the filter behaves alike at any frame rate:
// sqrt(30) / 20 = 0.27 sizes each sqrt(s), and sqrt(30) * 30 / 160 = 1 size/s each sqrt(s).
const POSITION_DRIFT = 0.27;
const VELOCITY_DRIFT = 1;
const MEASUREMENT = 1 / 20;
const FIRST_POSITION = 2 * MEASUREMENT;
const FIRST_VELOCITY = (10 * 30) / 160;

// The reference holds the aspect nearly constant, in absolute numbers made for standing people. People turn and
// cars do more so; these are relative to the aspect itself and let it follow within about half a second.
const ASPECT_DRIFT = 0.3;
const ASPECT_VELOCITY_DRIFT = 0.1;
const ASPECT_MEASUREMENT = 0.1;
const ASPECT_FIRST_VELOCITY = 0.1;

const SMALLEST_ASPECT = 1e-6;
/** A constant velocity says nothing about times beyond this. */
const LONGEST_STEP_S = 10;

/**
 * Constant-velocity Kalman filter over a box: 8 states, the centre, aspect (width / height) and height and their
 * velocities each second, in pictures' widths and heights.
 *
 * With the noise independent between the axes, the 8x8 covariance is block diagonal and stays so: four filters of
 * two states. Only the three different numbers of each block are kept.
 */
export class BoxFilter {
  /** Four positions, then their four velocities. */
  readonly #mean = new Float64Array(8);
  /** Var(position), Cov(position, velocity), Var(velocity) for each axis. */
  readonly #covariance = new Float64Array(12);

  constructor(box: BoundingBox) {
    this.#mean[CX] = box.x + box.width / 2;
    this.#mean[CY] = box.y + box.height / 2;
    this.#mean[ASPECT] = box.width / box.height;
    this.#mean[HEIGHT] = box.height;
    const size = this.#size();
    const aspect = this.#state(ASPECT);
    for (const axis of AXES) {
      const position = axis === ASPECT ? ASPECT_MEASUREMENT * aspect : FIRST_POSITION * size;
      const velocity = axis === ASPECT ? ASPECT_FIRST_VELOCITY * aspect : FIRST_VELOCITY * size;
      this.#covariance[axis * 3] = position ** 2;
      this.#covariance[axis * 3 + 2] = velocity ** 2;
    }
  }

  /**
   * Moves the state on in time.
   *
   * Process noise of a white-noise acceleration (Bar-Shalom, Li, Kirubarajan: Estimation with Applications to
   * Tracking and Navigation, 6.2.2) and a random walk of the position: exact for any step, so one step of 1 s
   * equals ten of 0.1 s.
   */
  predict(seconds: number): void {
    const dt = Math.min(Math.max(seconds, 0), LONGEST_STEP_S);
    const size = this.#size();
    const aspect = this.#state(ASPECT);
    for (const axis of AXES) {
      const walk = axis === ASPECT ? (ASPECT_DRIFT * aspect) ** 2 : (POSITION_DRIFT * size) ** 2;
      const push =
        axis === ASPECT ? (ASPECT_VELOCITY_DRIFT * aspect) ** 2 : (VELOCITY_DRIFT * size) ** 2;
      const [pp, pv, vv] = this.#block(axis);
      this.#mean[axis] = this.#state(axis) + dt * this.#state(axis + 4);
      this.#covariance[axis * 3] = pp + dt * (2 * pv + dt * vv) + dt * walk + (dt ** 3 / 3) * push;
      this.#covariance[axis * 3 + 1] = pv + dt * vv + (dt ** 2 / 2) * push;
      this.#covariance[axis * 3 + 2] = vv + dt * push;
    }
    this.#keepShape();
  }

  /** Takes in a measured box of the time predicted last. */
  update(box: BoundingBox): void {
    const measured = [
      box.x + box.width / 2,
      box.y + box.height / 2,
      box.width / box.height,
      box.height,
    ];
    const size = this.#size();
    const aspect = this.#state(ASPECT);
    for (const axis of AXES) {
      const noise = axis === ASPECT ? ASPECT_MEASUREMENT * aspect : MEASUREMENT * size;
      const [pp, pv, vv] = this.#block(axis);
      const innovationVariance = pp + noise ** 2;
      const gain = pp / innovationVariance;
      const velocityGain = pv / innovationVariance;
      const innovation = (measured[axis] as number) - this.#state(axis);
      this.#mean[axis] = this.#state(axis) + gain * innovation;
      this.#mean[axis + 4] = this.#state(axis + 4) + velocityGain * innovation;
      this.#covariance[axis * 3] = (1 - gain) * pp;
      this.#covariance[axis * 3 + 1] = (1 - gain) * pv;
      this.#covariance[axis * 3 + 2] = vv - velocityGain * pv;
    }
    this.#keepShape();
  }

  /** The box at the time predicted or updated last. */
  box(): BoundingBox {
    const height = this.#state(HEIGHT);
    const width = this.#state(ASPECT) * height;
    return { x: this.#state(CX) - width / 2, y: this.#state(CY) - height / 2, width, height };
  }

  /** The longer side, which all noise is relative to: speed goes with the real size of a thing, not its pose. */
  #size(): number {
    return this.#state(HEIGHT) * Math.max(1, this.#state(ASPECT));
  }

  /** A box that was shrinking does not shrink through zero. */
  #keepShape(): void {
    if (this.#state(HEIGHT) < SMALLEST_SIDE) {
      this.#mean[HEIGHT] = SMALLEST_SIDE;
      this.#mean[HEIGHT + 4] = 0;
    }
    if (this.#state(ASPECT) < SMALLEST_ASPECT) {
      this.#mean[ASPECT] = SMALLEST_ASPECT;
      this.#mean[ASPECT + 4] = 0;
    }
  }

  #state(index: number): number {
    return this.#mean[index] as number;
  }

  #block(axis: number): [number, number, number] {
    const at = axis * 3;
    const p = this.#covariance;
    return [p[at] as number, p[at + 1] as number, p[at + 2] as number];
  }
}
