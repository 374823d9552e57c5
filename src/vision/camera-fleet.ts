import type { CameraSpec, ModelGeometry, StreamInfo } from '../capture/contract.ts';
import type { CameraCounters, CameraHint, SnapshotImage } from './contract.ts';
import { FleetCamera, type FleetCameraDeps, type FrameInWork } from './fleet-camera.ts';
import { FrameMemory } from './frame-memory.ts';
import { GeometryPlanner } from './geometry-planner.ts';
import type { FramePlan, Size } from './letterbox.ts';
import type { Picture } from './picture-ring.ts';
import { Scheduler } from './scheduler.ts';
import { snapshotImage } from './snapshot-image.ts';

export interface CameraFleetDeps extends Omit<FleetCameraDeps, 'geometryFor' | 'memory'> {
  /** Whether a new size of frames costs a moment only; with some providers it stops every camera for minutes. */
  mayAddSizes: () => boolean;
}

/**
 * The cameras of the vision process. They come, go and change beside each other: what happens to one is nothing to
 * the others. Changes of one camera must not overlap.
 */
export class CameraFleet {
  readonly #deps: CameraFleetDeps;
  readonly #cameras = new Map<string, FleetCamera>();
  readonly #scheduler = new Scheduler();
  readonly #memory = new FrameMemory();
  /** Until the model is known: cameras that wait for it. */
  readonly #waiting = new Map<string, { spec: CameraSpec; hint: CameraHint | undefined }>();
  /** Whose full size was planned before the detector ran, so that the detector is made for it anyway. */
  readonly #original: ReadonlySet<string>;
  #planner: GeometryPlanner | null = null;

  constructor(cameras: readonly CameraSpec[], hints: readonly CameraHint[], deps: CameraFleetDeps) {
    this.#deps = deps;
    this.#original = new Set(cameras.map(({ id }) => id));
    for (const spec of cameras) {
      const hint = hints.find(({ cameraId }) => cameraId === spec.id);
      this.#waiting.set(spec.id, { spec, hint });
    }
  }

  /** The model is known, so frames for it can be made. */
  start(plan: FramePlan): void {
    this.#planner = new GeometryPlanner(plan);
    for (const { spec, hint } of this.#waiting.values()) this.#begin(spec, hint);
    this.#waiting.clear();
  }

  add(spec: CameraSpec): void {
    if (this.#planner === null) this.#waiting.set(spec.id, { spec, hint: undefined });
    else this.#begin(spec, undefined);
  }

  /** Resolves when its ffmpeg has ended and no frame of it is in work. */
  async remove(cameraId: string): Promise<void> {
    this.#waiting.delete(cameraId);
    const camera = this.#cameras.get(cameraId);
    if (camera === undefined) return;
    await camera.stop();
    this.#cameras.delete(cameraId);
    this.#scheduler.forget(cameraId);
  }

  /** Resolves when every later result is of a frame taken as asked. */
  async change(spec: CameraSpec): Promise<void> {
    const waiting = this.#waiting.get(spec.id);
    if (waiting !== undefined) waiting.spec = spec;
    await this.#cameras.get(spec.id)?.change(spec);
  }

  /** Ends all captures; what workers have in hand is left to them. */
  async stop(): Promise<void> {
    this.#waiting.clear();
    await Promise.all([...this.#cameras.values()].map((camera) => camera.endCapture()));
  }

  /** Whose frames are analysed next: of one size that can be run now, at most `limit`. */
  nextFrames(limit: number, canRun: (size: Size) => boolean): FrameInWork[] {
    const waiting = [...this.#cameras.values()].flatMap((camera) => {
      const size = camera.waiting;
      if (size === null || !canRun(size)) return [];
      return [{ cameraId: camera.id, sizeKey: `${size.width}x${size.height}`, camera }];
    });
    const turn = this.#scheduler.next(waiting, limit);
    return turn.flatMap(({ camera }) => camera.take() ?? []);
  }

  get counters(): CameraCounters[] {
    return [...this.#cameras.values()].map((camera) => camera.counters);
  }

  /** The picture of a frame with what of it nobody may see; its pixels are valid until the next turn of the loop. */
  async picture(
    cameraId: string,
    frameId: number,
  ): Promise<{ picture: Picture; hidden: FleetCamera['hidden'] } | null> {
    const camera = this.#cameras.get(cameraId);
    const picture = await camera?.picture(frameId);
    return camera === undefined || picture == null ? null : { picture, hidden: camera.hidden };
  }

  /** The picture of a frame as JPEG; null when it is gone, or the camera keeps none. */
  async snapshot(
    cameraId: string,
    frameId: number,
    maxWidth: number,
  ): Promise<SnapshotImage | null> {
    const seen = await this.picture(cameraId, frameId);
    return seen && snapshotImage(seen.picture, maxWidth, seen.hidden);
  }

  #begin(spec: CameraSpec, hint: CameraHint | undefined): void {
    const geometryFor = (now: CameraSpec, stream: StreamInfo) => this.#geometryFor(now, stream);
    const camera = new FleetCamera(spec, hint, {
      ...this.#deps,
      memory: this.#memory,
      geometryFor,
    });
    this.#cameras.set(spec.id, camera);
    camera.start();
  }

  #geometryFor({ id, analysed }: CameraSpec, picture: StreamInfo): ModelGeometry {
    if (this.#planner === null) throw new RangeError('no camera begins before the model is known');
    const isOriginal = analysed === null && this.#original.has(id);
    const mayAddSize = isOriginal || this.#deps.mayAddSizes();
    return this.#planner.geometryFor({ picture, limit: analysed, mayAddSize });
  }
}
