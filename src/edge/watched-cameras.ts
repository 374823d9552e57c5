import type { CameraView } from '../api/edge-status.ts';
import type { CameraSpec } from '../capture/contract.ts';
import { ApexError } from '../system/errors.ts';
import {
  CameraCatalogue,
  type CameraCatalogueDeps,
  checkSameAddress,
  unknownCamera,
} from './camera-catalogue.ts';
import type { CameraOverride, CameraOverrides } from './camera-overrides.ts';
import { CameraPipeline, type CameraPipelineDeps, refusedCameraView } from './camera-pipeline.ts';
import type { AppliedQuality, CameraSet, Quality, StartRequest } from './camera-set.ts';
import { FirstAnalysis, faultOf, isFailing } from './first-analysis.ts';
import { OrderedWork } from './ordered-work.ts';
import { isSameQuality, withQuality } from './quality.ts';
import type { CameraPlan } from './vision-spec.ts';

/** As many as a hub lets an edge announce. */
const MOST_CAMERAS = 256;

export interface WatchedCamerasDeps extends CameraPipelineDeps, CameraCatalogueDeps {
  plan: CameraPlan;
  overrides: CameraOverrides;
  /** Starts the vision process with its first cameras. @throws ApexError why there is no detector */
  startVision: (cameras: readonly CameraSpec[]) => void;
  /** A camera was started, stopped or changed. */
  onChange: () => void;
  /** A camera that had been given is no more. */
  onForgotten: (cameraId: string) => void;
}

/** A camera that is watched, or that could be. */
interface Watched {
  pipeline: CameraPipeline;
  /** As it is configured, before any quality asked for. */
  base: CameraSpec;
  /** Its address where it was given upstream; null for a camera of the configuration. */
  url: string | null;
  quality: Quality | undefined;
  isStopped: boolean;
}

/**
 * The cameras of this edge: those of the configuration, changed by what was asked for upstream, which is kept in a
 * file. The configuration comes first: it decides what a camera of a configured name is.
 */
export class WatchedCameras implements CameraSet {
  readonly #deps: WatchedCamerasDeps;
  readonly #cameras = new Map<string, Watched>();
  /** Of cameras that are gone, with events that the store has not taken yet. */
  readonly #leaving = new Set<CameraPipeline>();
  readonly #analysis: FirstAnalysis;
  readonly #work = new OrderedWork();
  readonly #catalogue: CameraCatalogue;
  #isClosed = false;

  constructor(deps: WatchedCamerasDeps) {
    this.#deps = deps;
    this.#analysis = new FirstAnalysis(deps.clock);
    this.#catalogue = new CameraCatalogue(deps);
    for (const base of deps.plan.cameras) {
      const { stopped = false, quality } = this.#configuredOverride(base.id);
      this.#watch(base, { url: null, quality, isStopped: stopped });
    }
    for (const [id, override] of deps.overrides.entries()) this.#restoreGiven(id, override);
  }

  /** Starts what is to be watched from the beginning, and follows what the vision process tells. */
  begin(onFrame: (cameraId: string, inferenceMs: number) => void): void {
    const { vision } = this.#deps;
    vision.onResult((result) => {
      onFrame(result.cameraId, result.inferenceMs);
      this.#cameras.get(result.cameraId)?.pipeline.frame(result);
      this.#analysis.frameAnalysed(result.cameraId);
    });
    vision.onCameraStatus((status) => {
      this.#cameras.get(status.cameraId)?.pipeline.statusChanged(status);
      this.#analysis.statusChanged(status);
      this.#deps.onChange();
    });
    vision.onCounters((cameras) => {
      for (const counters of cameras) {
        this.#cameras.get(counters.cameraId)?.pipeline.countersChanged(counters);
      }
    });
    const specs = this.#running().map(({ pipeline }) => pipeline.spec);
    if (specs.length > 0) this.#deps.startVision(specs);
  }

  start(request: StartRequest): Promise<AppliedQuality> {
    return this.#inOrder(request.cameraId, () => this.#start(request));
  }

  stop(cameraId: string): Promise<void> {
    return this.#inOrder(cameraId, () => this.#stop(cameraId));
  }

  change(cameraId: string, quality: Quality): Promise<AppliedQuality> {
    return this.#inOrder(cameraId, () => this.#change(cameraId, quality));
  }

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
      ...[...this.#cameras.values()].map((each) => each.pipeline.view(nowMs, changeOf(each))),
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
    for (const { pipeline } of this.#running()) {
      pipeline.statusChanged({ ...pipeline.status, state: 'failed', fault: fault.toJSON() });
    }
  }

  /** Ends what is in view, once the vision process has ended; nothing is started any more. */
  async shutdown(): Promise<void> {
    this.#isClosed = true;
    this.#analysis.giveUp(stopping());
    await this.#work.ended();
    await Promise.all([...this.#cameras.values()].map(({ pipeline }) => pipeline.shutdown()));
  }

  async #start({ cameraId, url, quality }: StartRequest): Promise<AppliedQuality> {
    const known = this.#cameras.get(cameraId);
    if (known !== undefined && !known.isStopped) {
      checkSameAddress(known.base, url, this.#catalogue.isConfigured(cameraId));
      return this.#change(cameraId, quality ?? known.quality ?? 'auto');
    }
    const base = this.#catalogue.find(cameraId, url);
    this.#checkRoom(cameraId);
    const given = this.#catalogue.isConfigured(cameraId) ? null : (url ?? null);
    const wanted = quality ?? known?.quality;
    const camera = this.#watch(base, { url: given, quality: wanted, isStopped: false });
    this.#deps.onChange();
    try {
      this.#toVision(camera);
      await this.#analysis.next(cameraId);
    } catch (error) {
      await this.#end(camera);
      if (known === undefined) this.#forget(camera);
      else this.#cameras.set(cameraId, known);
      this.#deps.onChange();
      throw error;
    }
    await this.#keep(cameraId);
    return applied(camera);
  }

  async #stop(cameraId: string): Promise<void> {
    const camera = this.#cameras.get(cameraId);
    if (camera === undefined) {
      if (this.#catalogue.isConfigured(cameraId)) return;
      throw unknownCamera(cameraId);
    }
    if (camera.isStopped) return;
    await this.#end(camera);
    camera.isStopped = true;
    if (camera.url !== null) this.#forget(camera);
    this.#deps.onChange();
    await this.#keep(cameraId);
  }

  async #change(cameraId: string, quality: Quality): Promise<AppliedQuality> {
    const camera = this.#cameras.get(cameraId);
    if (camera === undefined) throw unknownCamera(cameraId);
    if (camera.isStopped) {
      throw new ApexError('CAMERA_STOPPED', `${cameraId} is stopped`);
    }
    const wanted = withQuality(camera.base, quality);
    if (!isSameQuality(camera.pipeline.spec, wanted)) await this.#apply(camera, wanted);
    else if (camera.pipeline.status.state !== 'streaming') await this.#analysedAgain(camera);
    if (quality !== (camera.quality ?? 'auto')) {
      camera.quality = quality;
      await this.#keep(cameraId);
    }
    this.#deps.onChange();
    return applied(camera);
  }

  async #apply({ pipeline }: Watched, wanted: CameraSpec): Promise<void> {
    const before = pipeline.spec;
    if (isFailing(pipeline.status)) throw faultOf(pipeline.status.fault);
    try {
      await this.#deps.vision.changeCamera(wanted);
      pipeline.specChanged(wanted);
      await this.#analysedAgain({ pipeline });
    } catch (error) {
      await this.#deps.vision.changeCamera(before);
      pipeline.specChanged(before);
      throw error;
    }
  }

  /** What was told before this is asked counts too: a camera that fails already is not waited for. */
  async #analysedAgain({ pipeline }: Pick<Watched, 'pipeline'>): Promise<void> {
    const { status } = pipeline;
    if (isFailing(status)) throw faultOf(status.fault);
    await this.#analysis.next(status.cameraId);
  }

  #toVision({ pipeline: { spec } }: Watched): void {
    const { vision } = this.#deps;
    if (vision.status.state === 'stopped') this.#deps.startVision([spec]);
    else vision.addCamera(spec);
  }

  /** Nothing of the camera is analysed any more, and what was in view has ended. */
  async #end({ base, pipeline }: Watched): Promise<void> {
    await this.#deps.vision.removeCamera(base.id);
    await pipeline.shutdown();
    pipeline.statusChanged(stoppedStatus(pipeline, this.#deps.clock.monotonicMs()));
  }

  #forget({ base, pipeline }: Watched): void {
    this.#cameras.delete(base.id);
    this.#deps.onForgotten(base.id);
    if (pipeline.hasUnstored) this.#leaving.add(pipeline);
  }

  /** Writes down how the camera differs from the configuration. */
  #keep(cameraId: string): Promise<void> {
    const { overrides } = this.#deps;
    const camera = this.#cameras.get(cameraId);
    if (camera === undefined) return overrides.set(cameraId, null);
    const quality = camera.quality === 'auto' ? undefined : camera.quality;
    const url = camera.url ?? undefined;
    return overrides.set(cameraId, { url, quality, ...(camera.isStopped && { stopped: true }) });
  }

  #checkRoom(cameraId: string): void {
    const ids = this.ids();
    if (ids.includes(cameraId) || ids.length < MOST_CAMERAS) return;
    throw new ApexError('CAMERA_LIMIT', `this edge has ${MOST_CAMERAS} cameras already`);
  }

  #inOrder<Result>(cameraId: string, act: () => Promise<Result>): Promise<Result> {
    return this.#work.run(cameraId, () => {
      if (this.#isClosed) throw stopping();
      return act();
    });
  }

  #running(): Watched[] {
    return [...this.#cameras.values()].filter(({ isStopped }) => !isStopped);
  }

  #watch(base: CameraSpec, how: Pick<Watched, 'url' | 'quality' | 'isStopped'>): Watched {
    const spec = withQuality(base, how.quality ?? 'auto');
    // Counts of a camera that was stopped go on.
    const pipeline = this.#cameras.get(base.id)?.pipeline ?? new CameraPipeline(spec, this.#deps);
    pipeline.specChanged(spec);
    const { clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const stopped = stoppedStatus(pipeline, nowMs);
    pipeline.statusChanged(how.isStopped ? stopped : { ...stopped, state: 'connecting' });
    const camera = { pipeline, base, ...how };
    this.#cameras.set(base.id, camera);
    return camera;
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
    if (this.#catalogue.isConfigured(cameraId)) return;
    const { overrides, log } = this.#deps;
    try {
      const base = this.#catalogue.find(cameraId, url);
      this.#watch(base, { url: url ?? null, quality, isStopped: false });
    } catch (error) {
      log.warn({ err: error, camera: cameraId }, 'a camera started from upstream is given up');
      void overrides.set(cameraId, null);
    }
  }
}

function stoppedStatus({ status }: CameraPipeline, nowMs: number): CameraPipeline['status'] {
  return {
    ...status,
    state: 'stopped',
    sinceMonoMs: nowMs,
    fault: null,
    retryAtMonoMs: null,
    analysed: null,
  };
}

function applied({ pipeline: { spec, status } }: Watched): AppliedQuality {
  const { width, height } = status.analysed ?? { width: 0, height: 0 };
  return { fps: spec.fps === 'all' ? null : spec.fps, width, height };
}

function changeOf({ url, quality, isStopped }: Watched): string | null {
  if (url !== null) return 'started from upstream';
  if (isStopped) return 'stopped from upstream';
  const isChanged = quality !== undefined && quality !== 'auto';
  return isChanged ? 'quality changed from upstream' : null;
}

function stopping(): ApexError {
  return new ApexError('CAMERA_STOPPED', 'this edge is stopping');
}
