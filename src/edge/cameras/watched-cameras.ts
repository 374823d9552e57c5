import type { CameraView } from '../../api/edge-status.ts';
import type { CameraSpec } from '../../capture/contract.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { ApexError } from '../../system/errors.ts';
import type { FrameResult } from '../../vision/contract.ts';
import type { CameraPlan } from '../vision-spec.ts';
import type { CameraCatalogue } from './camera-catalogue.ts';
import type { CameraOverride, CameraOverrides } from './camera-overrides.ts';
import { CameraPipeline, type CameraPipelineDeps } from './camera-pipeline.ts';
import type { FirstAnalysis } from './first-analysis.ts';
import { withQuality } from './quality.ts';
import { refusedCameraView } from './refused-camera-view.ts';
import { changeInWords, stoppedStatus, type WatchedCamera } from './watched-camera.ts';

export interface WatchedCamerasDeps extends CameraPipelineDeps {
  loaded: LoadedConfig;
  plan: CameraPlan;
  catalogue: CameraCatalogue;
  overrides: CameraOverrides;
  /** Told of frames and states. */
  analysis: FirstAnalysis;
  /** Starts the vision process with its first cameras. @throws ApexError why there is no detector */
  startVision: (cameras: readonly CameraSpec[]) => void;
  /** The state of a camera is another one. */
  onChange: () => void;
  /** A camera that had been given is no more. */
  onForgotten: (cameraId: string) => void;
}

/**
 * The cameras of this edge: those of the configuration, changed by what was asked for upstream, which is kept in a
 * file. The configuration comes first: it decides what a camera of a configured name is.
 */
export class WatchedCameras {
  readonly #deps: WatchedCamerasDeps;
  readonly #cameras = new Map<string, WatchedCamera>();
  /** Of cameras that are gone, with events that the store has not taken yet. */
  readonly #leaving = new Set<CameraPipeline>();

  constructor(deps: WatchedCamerasDeps) {
    this.#deps = deps;
    for (const base of deps.plan.cameras) {
      const { stopped = false, quality } = this.#configuredOverride(base.id);
      this.add(base, { url: null, quality, isStopped: stopped });
    }
    for (const [id, override] of deps.overrides.entries()) this.#restoreGiven(id, override);
  }

  /** Starts what is to be watched from the beginning, and follows what the vision process tells. */
  begin(onFrame: (result: FrameResult) => void): void {
    const { vision, analysis } = this.#deps;
    vision.on('result', (result) => {
      const camera = this.#cameras.get(result.cameraId);
      if (camera === undefined) return;
      onFrame(result);
      camera.pipeline.frame(result);
      analysis.frameAnalysed(result.cameraId);
    });
    vision.on('camera', (status) => {
      this.#cameras.get(status.cameraId)?.pipeline.statusChanged(status);
      analysis.statusChanged(status);
      this.#deps.onChange();
    });
    vision.on('counters', (cameras) => {
      for (const counters of cameras) {
        this.#cameras.get(counters.cameraId)?.pipeline.countersChanged(counters);
      }
    });
    const specs = this.#notStopped().map(({ pipeline }) => pipeline.spec);
    if (specs.length > 0) this.#deps.startVision(specs);
  }

  get(cameraId: string): WatchedCamera | undefined {
    return this.#cameras.get(cameraId);
  }

  /** Whether the store does not have an alert of a camera, or not yet. */
  get hasUnstoredAlerts(): boolean {
    const pipelines = [...this.#cameras.values()].map(({ pipeline }) => pipeline);
    return [...pipelines, ...this.#leaving].some(({ hasUnstoredAlerts }) => hasUnstoredAlerts);
  }

  /** Cameras that this edge announces to the hub: those of the configuration, also while stopped, and those given. */
  ids(): readonly string[] {
    const { loaded, plan } = this.#deps;
    const unusable = [...loaded.cameraFaults.keys(), ...plan.refused.map((each) => each.cameraId)];
    return [...new Set([...this.#cameras.keys(), ...unusable])];
  }

  /** All cameras but those that are switched off in the configuration. */
  views(nowMs: number): CameraView[] {
    const { loaded, plan } = this.#deps;
    const refused = plan.refused.filter(({ cameraId }) => !this.#cameras.has(cameraId));
    return [
      ...[...this.#cameras.values()].map((each) => each.pipeline.view(nowMs, changeInWords(each))),
      ...[...loaded.cameraFaults].map(([id, fault]) => refusedCameraView(id, fault.toJSON())),
      ...refused.map(({ cameraId, fault }) => refusedCameraView(cameraId, fault)),
    ];
  }

  /** By camera: labels of the configuration that the model does not have. */
  unknownLabels(known: readonly string[]): [string, string[]][] {
    return [...this.#cameras].flatMap(([id, { pipeline }]) => {
      const unknown = pipeline.unknownLabels(known);
      return unknown.length === 0 ? [] : [[id, unknown] as [string, string[]]];
    });
  }

  /** To be called about every second. */
  tick(nowMs: number): void {
    for (const { pipeline } of this.#cameras.values()) pipeline.tick(nowMs);
    for (const pipeline of this.#leaving) {
      pipeline.tick(nowMs);
      if (!pipeline.hasUnstored) this.#leaving.delete(pipeline);
    }
  }

  /** No camera can be watched, because of a fault that they share. */
  refuseAll(fault: ApexError): void {
    for (const { pipeline } of this.#notStopped()) {
      pipeline.statusChanged({ ...pipeline.status, state: 'failed', fault: fault.toJSON() });
    }
  }

  /** Ends what is in view, once the vision process has ended. */
  async shutdown(): Promise<void> {
    const present = [...this.#cameras.values()].map(({ pipeline }) => pipeline);
    await Promise.all([...present, ...this.#leaving].map((pipeline) => pipeline.shutdown()));
  }

  /** A camera of that name is known from now on; nothing of it is analysed yet. */
  add(base: CameraSpec, how: Pick<WatchedCamera, 'url' | 'quality' | 'isStopped'>): WatchedCamera {
    const spec = withQuality(base, how.quality ?? 'auto');
    // Counts of a camera that was stopped go on.
    const pipeline = this.#cameras.get(base.id)?.pipeline ?? new CameraPipeline(spec, this.#deps);
    pipeline.specChanged(spec);
    const stopped = stoppedStatus(pipeline, this.#deps.clock.monotonicMs());
    pipeline.statusChanged(how.isStopped ? stopped : { ...stopped, state: 'connecting' });
    const camera = { pipeline, base, ...how };
    this.restore(camera);
    return camera;
  }

  /** As `add`, in the place of one whose pictures are of another kind; what that one saw still gets into the store. */
  renew(
    { base: { id }, pipeline }: WatchedCamera,
    base: CameraSpec,
    how: Pick<WatchedCamera, 'url' | 'quality' | 'isStopped'>,
  ): WatchedCamera {
    this.#cameras.delete(id);
    this.#leave(pipeline);
    return this.add(base, how);
  }

  /** Rules, zones, lines and masks of these are others from now on. */
  placesChanged(ids: readonly string[]): void {
    for (const id of ids) this.#cameras.get(id)?.pipeline.placesChanged();
  }

  /** What is known of a camera is this again. */
  restore(camera: WatchedCamera): void {
    this.#cameras.set(camera.base.id, camera);
  }

  /** The vision process is to watch it. @throws ApexError why there is no detector */
  run({ pipeline: { spec } }: WatchedCamera): void {
    const { vision, startVision } = this.#deps;
    if (vision.status.state === 'stopped') startVision([spec]);
    else vision.addCamera(spec);
  }

  /** Nothing of the camera is analysed any more, and what was in view has ended. */
  async end({ base, pipeline }: WatchedCamera): Promise<void> {
    await this.#deps.vision.removeCamera(base.id);
    await pipeline.shutdown();
    pipeline.statusChanged(stoppedStatus(pipeline, this.#deps.clock.monotonicMs()));
    if (!this.#cameras.has(base.id)) this.#leave(pipeline);
  }

  /** The camera is no more; what it has seen still gets into the store. */
  forget({ base, pipeline }: WatchedCamera): void {
    this.#cameras.delete(base.id);
    this.#deps.onForgotten(base.id);
    this.#leave(pipeline);
  }

  #leave(pipeline: CameraPipeline): void {
    if (pipeline.hasUnstored) this.#leaving.add(pipeline);
  }

  #notStopped(): WatchedCamera[] {
    return [...this.#cameras.values()].filter(({ isStopped }) => !isStopped);
  }

  /** What was asked of a camera that the configuration knows; an address of its own is the configuration's matter. */
  #configuredOverride(cameraId: string): CameraOverride {
    const { overrides, log } = this.#deps;
    const override = overrides.get(cameraId);
    if (override?.url === undefined) return override ?? {};
    log.warn({ camera: cameraId }, 'the configuration now has a camera that was given upstream');
    void overrides.set(cameraId, null);
    return {};
  }

  /** A camera that was given upstream in an earlier life of the daemon. */
  #restoreGiven(cameraId: string, { url, quality }: CameraOverride): void {
    const { overrides, log, catalogue } = this.#deps;
    if (catalogue.isConfigured(cameraId)) return;
    try {
      const base = catalogue.find(cameraId, url);
      this.add(base, { url: url ?? null, quality, isStopped: false });
    } catch (error) {
      log.warn({ err: error, camera: cameraId }, 'a camera started from upstream is given up');
      void overrides.set(cameraId, null);
    }
  }
}
