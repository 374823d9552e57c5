import type { CameraSpec } from '../../capture/contract.ts';
import type { Clock } from '../../system/clock.ts';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import type { VisionHandle } from '../../vision/handle.ts';
import { type CameraCatalogue, checkSameAddress, unknownCamera } from './camera-catalogue.ts';
import type { CameraOverrides } from './camera-overrides.ts';
import type { AppliedQuality, CameraSet, Quality, StartRequest } from './camera-set.ts';
import { type FirstAnalysis, faultOf, isFailing } from './first-analysis.ts';
import { type Afterwards, OrderedWork } from './ordered-work.ts';
import { isSameQuality, withQuality } from './quality.ts';
import { appliedQuality, isRunning, type WatchedCamera } from './watched-camera.ts';
import type { WatchedCameras } from './watched-cameras.ts';

export interface CameraRequestsDeps {
  cameras: WatchedCameras;
  catalogue: CameraCatalogue;
  overrides: CameraOverrides;
  vision: VisionHandle;
  analysis: FirstAnalysis;
  clock: Clock;
  log: Logger;
  /** A camera was started, stopped or changed. */
  onChange: () => void;
}

/** As many as a hub lets an edge announce. */
const MOST_CAMERAS = 256;
/**
 * What is asked for is answered within this time of the asking, as the hub waits for 20 s. Connecting, finding a
 * decoder and loading a model take their part of it.
 */
const ANSWER_MS = 17_000;

/** A request in its turn. */
interface Turn {
  /** When its answer is due, on the monotonic clock. */
  readonly dueMs: number;
  readonly afterwards: Afterwards;
}

/** Starts, stops and changes cameras as it is asked for upstream, and has that written down. */
export class CameraRequests implements CameraSet {
  readonly #deps: CameraRequestsDeps;
  readonly #work = new OrderedWork();
  #isClosed = false;

  constructor(deps: CameraRequestsDeps) {
    this.#deps = deps;
  }

  ids(): readonly string[] {
    return this.#deps.cameras.ids();
  }

  start(request: StartRequest): Promise<AppliedQuality> {
    return this.#inOrder(request.cameraId, (turn) => this.#start(request, turn));
  }

  stop(cameraId: string): Promise<void> {
    const { cameras, analysis } = this.#deps;
    const wasKnown = cameras.get(cameraId) !== undefined;
    const stopped = this.#inOrder(cameraId, () => this.#stop(cameraId, wasKnown));
    // Whoever waits for its frames need not wait any longer, and neither does the stop.
    const meanwhile = new ApexError('CAMERA_STOPPED', `${cameraId} was stopped meanwhile`);
    analysis.giveUpOn(cameraId, meanwhile);
    return stopped;
  }

  change(cameraId: string, quality: Quality): Promise<AppliedQuality> {
    return this.#inOrder(cameraId, (turn) => this.#change(cameraId, quality, turn));
  }

  /**
   * The camera is what the configuration says now: it is begun anew, with a history of its own. Resolves when that was
   * begun; one that is not known any more is left alone.
   */
  renew(cameraId: string): Promise<void> {
    return this.#inOrder(cameraId, async () => {
      const { cameras, catalogue } = this.#deps;
      const known = cameras.get(cameraId);
      if (known === undefined || known.url !== null) return;
      const base = catalogue.find(cameraId, undefined);
      if (!known.isStopped) await cameras.end(known);
      const { quality, isStopped } = known;
      const camera = cameras.renew(known, base, { url: null, quality, isStopped });
      if (isRunning(camera)) cameras.run(camera);
      this.#deps.onChange();
    });
  }

  /** Nothing is started any more. Resolves when what was asked for has its answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#deps.analysis.giveUp(stopping());
    await this.#work.ended();
  }

  async #start({ cameraId, url, quality }: StartRequest, turn: Turn): Promise<AppliedQuality> {
    const { cameras, catalogue, analysis } = this.#deps;
    const known = cameras.get(cameraId);
    if (known !== undefined && isRunning(known)) {
      checkSameAddress(known.base, url, catalogue.isConfigured(cameraId));
      return this.#change(cameraId, quality ?? known.quality ?? 'auto', turn);
    }
    const base = catalogue.find(cameraId, url);
    this.#checkRoom(cameraId);
    // A clip that was played is played again.
    if (known !== undefined && !known.isStopped) await cameras.end(known);
    const given = catalogue.isConfigured(cameraId) ? null : (url ?? null);
    const wanted = quality ?? known?.quality;
    const camera = cameras.add(base, { url: given, quality: wanted, isStopped: false });
    this.#deps.onChange();
    try {
      cameras.run(camera);
      await analysis.next(cameraId, turn.dueMs);
    } catch (error) {
      // What is announced with the answer is as it was before already.
      if (known === undefined) cameras.forget(camera);
      else cameras.restore(known);
      this.#deps.onChange();
      turn.afterwards(() => this.#undo(cameraId, () => cameras.end(camera)));
      throw error;
    }
    await this.#keep(cameraId);
    return appliedQuality(camera);
  }

  /** @param wasKnown when it was asked for; a start that was given up since then has done what it wants */
  async #stop(cameraId: string, wasKnown: boolean): Promise<void> {
    const { cameras, catalogue, overrides } = this.#deps;
    const camera = cameras.get(cameraId);
    if (camera === undefined) {
      if (catalogue.isConfigured(cameraId))
        // One that is refused for its configuration is not to be back when that is mended.
        await overrides.set(cameraId, { ...overrides.get(cameraId), stopped: true });
      else if (!wasKnown) throw unknownCamera(cameraId);
      return;
    }
    if (camera.isStopped) return;
    await cameras.end(camera);
    camera.isStopped = true;
    if (camera.url !== null) cameras.forget(camera);
    this.#deps.onChange();
    await this.#keep(cameraId);
  }

  async #change(cameraId: string, quality: Quality, turn: Turn): Promise<AppliedQuality> {
    const camera = this.#deps.cameras.get(cameraId);
    if (camera === undefined) throw unknownCamera(cameraId);
    if (!isRunning(camera)) {
      const why = camera.isStopped ? 'is stopped' : 'is a clip that has been played';
      throw new ApexError('CAMERA_STOPPED', `${cameraId} ${why}`);
    }
    const wanted = withQuality(camera.base, quality);
    if (isSameQuality(camera.pipeline.spec, wanted)) await this.#analysedAgain(camera, turn);
    else await this.#apply(camera, wanted, turn);
    if (quality !== (camera.quality ?? 'auto')) {
      camera.quality = quality;
      await this.#keep(cameraId);
    }
    this.#deps.onChange();
    return appliedQuality(camera);
  }

  async #apply(camera: WatchedCamera, wanted: CameraSpec, turn: Turn): Promise<void> {
    const { pipeline } = camera;
    const before = pipeline.spec;
    if (isFailing(pipeline.status)) throw faultOf(pipeline.status.fault);
    const use = async (spec: CameraSpec): Promise<void> => {
      await this.#deps.vision.changeCamera(spec);
      pipeline.specChanged(spec);
    };
    try {
      await use(wanted);
      await this.#analysedAgain(camera, turn);
    } catch (error) {
      turn.afterwards(() => this.#undo(before.id, () => use(before)));
      throw error;
    }
  }

  /** What was told before this is asked counts too: a camera that fails already is not waited for. */
  async #analysedAgain({ pipeline: { status } }: WatchedCamera, turn: Turn): Promise<void> {
    if (isFailing(status)) throw faultOf(status.fault);
    await this.#deps.analysis.next(status.cameraId, turn.dueMs);
  }

  /** Whoever asked has the cause already; never rejects. */
  async #undo(cameraId: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#deps.log.error({ err: error, camera: cameraId }, 'a camera is not as it was before');
    }
  }

  /** Writes down how the camera differs from the configuration. */
  #keep(cameraId: string): Promise<void> {
    const { cameras, overrides } = this.#deps;
    const camera = cameras.get(cameraId);
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

  #inOrder<Result>(cameraId: string, act: (turn: Turn) => Promise<Result>): Promise<Result> {
    const dueMs = this.#deps.clock.monotonicMs() + ANSWER_MS;
    return this.#work.run(cameraId, (afterwards) => {
      if (this.#isClosed) throw stopping();
      return act({ dueMs, afterwards });
    });
  }
}

function stopping(): ApexError {
  return new ApexError('EDGE_STOPPING', 'this edge is stopping');
}
