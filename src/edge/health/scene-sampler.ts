import type { CameraView } from '../../api/edge-status.ts';
import type { Config } from '../../config/schema.ts';
import type { Finding } from '../../events/watch/open-conditions.ts';
import { type SceneLimits, SceneWatch } from '../../events/watch/scene-watch.ts';
import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import type { VisionHandle } from '../../vision/handle.ts';
import { measureScene, SCENE_WIDTH } from './scene-measure.ts';

export interface SceneSamplerDeps {
  readonly alerts: Config['alerts'];
  readonly vision: Pick<VisionHandle, 'snapshot'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Between two samples of a camera. */
const SAMPLE_MS = 10_000;

interface Sampled {
  readonly watch: SceneWatch;
  askedMs: number;
  isAsking: boolean;
}

/** Looks at a small picture of each camera now and then, and finds out whether it still sees what it should. */
export class SceneSampler {
  readonly #deps: SceneSamplerDeps;
  /** Null where nobody wants to know. */
  readonly #limits: SceneLimits | null;
  readonly #cameras = new Map<string, Sampled>();
  #found: Finding[] = [];

  constructor(deps: SceneSamplerDeps) {
    this.#deps = deps;
    const { camera_obscured: obscured, scene_changed: changed } = deps.alerts;
    const limits = {
      obscured: obscured.enabled ? obscured.severity : null,
      changed: changed.enabled ? changed.severity : null,
    };
    this.#limits = limits.obscured === null && limits.changed === null ? null : limits;
  }

  get isSampling(): boolean {
    return [...this.#cameras.values()].some(({ isAsking }) => isAsking);
  }

  /** A frame was analysed, so that its picture is still there. Asks for it where a sample is due. */
  frame(cameraId: string, frameId: number): void {
    const camera = this.#limits && this.#cameraOf(cameraId, this.#limits);
    const now = this.#deps.clock.monotonicMs();
    if (camera === null || camera.isAsking || now - camera.askedMs < SAMPLE_MS) return;
    camera.askedMs = now;
    camera.isAsking = true;
    this.#sample(cameraId, frameId, camera)
      .catch((error: unknown) =>
        this.#deps.log.warn({ err: error, camera: cameraId }, 'a picture could not be measured'),
      )
      .finally(() => {
        camera.isAsking = false;
      });
  }

  /** What was found since the last time; what was learned of cameras that are gone is forgotten. */
  found(cameras: readonly CameraView[]): readonly Finding[] {
    const ids = new Set(cameras.map((camera) => camera.camera_id));
    for (const id of [...this.#cameras.keys()]) if (!ids.has(id)) this.#cameras.delete(id);
    const found = this.#found;
    this.#found = [];
    return found;
  }

  async #sample(cameraId: string, frameId: number, { watch, askedMs }: Sampled): Promise<void> {
    const image = await this.#deps.vision.snapshot(cameraId, frameId, SCENE_WIDTH);
    // A camera without pictures, or one too busy for this; another frame will do.
    if (image === null) return;
    this.#found.push(...watch.look(await measureScene(image.jpeg), askedMs));
  }

  #cameraOf(cameraId: string, limits: SceneLimits): Sampled {
    const known = this.#cameras.get(cameraId);
    if (known !== undefined) return known;
    const watch = new SceneWatch(cameraId, limits);
    const camera = { watch, askedMs: Number.NEGATIVE_INFINITY, isAsking: false };
    this.#cameras.set(cameraId, camera);
    return camera;
  }
}
