import { join } from 'node:path';
import { FORGET_PATH } from '../api/control-client.ts';
import { ControlServer } from '../api/control-server.ts';
import { EdgeMetrics } from '../api/edge-metrics.ts';
import type { CameraView, EdgeStatus, UplinkView } from '../api/edge-status.ts';
import type { CameraSpec } from '../capture/contract.ts';
import { formatProblem } from '../config/problem.ts';
import { TEST_DETECTOR } from '../models/test-detector.ts';
import type { AiEngineStatus } from '../protocol/payloads.ts';
import { type Clock, systemClock, type TimerHandle } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import { packageVersion } from '../system/package-info.ts';
import { ProcessWatch } from '../system/process-watch.ts';
import { createServiceNotifier, type ServiceNotifier } from '../system/systemd.ts';
import { checkStreamAddress } from './cameras/address-rules.ts';
import { CameraCatalogue } from './cameras/camera-catalogue.ts';
import { CameraRequests } from './cameras/camera-requests.ts';
import { planMasks, planRules, rulePlaceProblems } from './cameras/camera-rules-plan.ts';
import type { CameraSet } from './cameras/camera-set.ts';
import { FirstAnalysis } from './cameras/first-analysis.ts';
import { WatchedCameras } from './cameras/watched-cameras.ts';
import { catchUpJournal } from './journal-catch-up.ts';
import { LeftOpenEvents } from './open-events.ts';
import { assembleParts, type EdgeDaemonOptions, type EdgeParts } from './parts.ts';
import { forgetAction, peopleProblems } from './people.ts';
import {
  deadLetterView,
  evidenceUpstreamView,
  journalView,
  missingUplinkView,
  queueView,
  uplinkView,
} from './status.ts';
import { configuredModelsDir, planDetector } from './vision-spec.ts';

const TICK_MS = 1000;
/** The engine's state is told upstream on every change, and at least this often. */
const ENGINE_STATUS_MS = 30_000;
/** What is left of the five seconds for stopping, once the vision process has ended. */
const DRAIN_MS = 1500;
const SHOWN_DEAD_LETTERS = 100;

/** States of cameras that nobody need look after. */
const HEALTHY_STATES: ReadonlySet<string> = new Set(['streaming', 'finished', 'stopped']);

/** `apex-edge run`: starts, connects and stops the parts of the daemon. */
export class EdgeDaemon {
  readonly #options: EdgeDaemonOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #parts: EdgeParts;
  readonly #service: ServiceNotifier;
  readonly #control: ControlServer;
  readonly #cameras: WatchedCameras;
  readonly #requests: CameraRequests;
  readonly #startedWallMs: number;
  readonly #startedMonoMs: number;
  readonly #metrics = new EdgeMetrics();
  readonly #watch = new ProcessWatch();
  #hubConnections = 0;
  #timer: TimerHandle | null = null;
  #leftOpen: LeftOpenEvents | null = null;
  #engineTold = { text: '', monoMs: Number.NEGATIVE_INFINITY };
  #serviceStatus = '';
  #labelProblems: string[] = [];
  readonly #ruleProblems: readonly string[];

  /**
   * Starts everything. Cameras that cannot run are reported and left out; what the whole daemon needs is not.
   * @throws ApexError when the store or the control socket cannot be opened
   */
  static async start(options: EdgeDaemonOptions): Promise<EdgeDaemon> {
    const daemon = new EdgeDaemon(options, await assembleParts(options));
    try {
      await daemon.#begin();
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return daemon;
  }

  private constructor(options: EdgeDaemonOptions, parts: EdgeParts) {
    this.#options = options;
    this.#parts = parts;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log;
    this.#startedWallMs = this.#clock.wallMs();
    this.#startedMonoMs = this.#clock.monotonicMs();
    this.#service = createServiceNotifier({ env: options.env, log: options.log });
    const { data_dir } = options.loaded.config.edge;
    const pages = {
      '/status': () => this.status(),
      '/dead-letters': async () =>
        (await parts.store.deadLetters(SHOWN_DEAD_LETTERS)).map(deadLetterView),
      '/metrics': async () => this.#metrics.render(await this.status(), this.#watch.facts()),
    };
    this.#control = new ControlServer(data_dir, pages, { [FORGET_PATH]: forgetAction(parts) });
    const { loaded, env, log } = options;
    const clock = this.#clock;
    const { enabled, allow_addresses } = loaded.config.uplink.stream_requests;
    const allowed = enabled ? allow_addresses : [];
    const checkAddress = (url: string): void => checkStreamAddress(url, allowed);
    const shared = {
      ...parts,
      clock,
      log,
      loaded,
      catalogue: new CameraCatalogue({ loaded, env, checkAddress }),
      analysis: new FirstAnalysis(clock),
      onChange: () => this.#tellEngineStatus('running'),
    };
    this.#cameras = new WatchedCameras({
      ...shared,
      random: Math.random,
      facesFor: (id) => parts.faces.forCamera(id),
      rulesFor: (id) =>
        parts.ruleMemories.rulesOf(id, (earlier) => planRules(loaded.config, id, earlier)),
      masksFor: (id) => planMasks(loaded.config, id),
      startVision: (cameras) => this.#startVision(cameras),
      onForgotten: (id) => this.#metrics.cameraForgotten(id),
    });
    this.#requests = new CameraRequests({ ...shared, cameras: this.#cameras });
    this.#ruleProblems = rulePlaceProblems(loaded.config, new Set(loaded.cameraFaults.keys()));
    for (const problem of this.#ruleProblems) log.warn({ problem }, 'configuration problem');
  }

  async #begin(): Promise<void> {
    const { store, journal, vision, uplink, requests, modelFault, faces } = this.#parts;
    if (faces.fault !== null) this.#log.error({ err: faces.fault }, 'faces cannot be read');
    const writing = { store, journal, clock: this.#clock, log: this.#log };
    this.#leftOpen = await LeftOpenEvents.find(writing);
    journal.onReplaced(() => void catchUpJournal(writing));
    void catchUpJournal(writing);
    await this.#control.start();
    vision.on('faces', (report) => faces.ready(report));
    this.#parts.people?.begin();
    vision.on('ready', (_provider, labels) => this.#checkLabels(labels));
    let before: UplinkView['state'] = 'off';
    uplink?.onStatus(({ state }) => {
      if (state === 'authenticated' && before !== state) this.#hubConnections++;
      before = state;
    });
    requests.serve(this.#requests);
    uplink?.start();
    if (modelFault === null) {
      this.#cameras.begin(({ cameraId, frameId, inferenceMs }) => {
        this.#metrics.frameAnalysed(cameraId, inferenceMs);
        this.#parts.health.frame(cameraId, frameId);
      });
    } else {
      // Without a detector no camera is watched; what is queued still goes upstream, and the status says why.
      this.#log.error({ err: modelFault }, 'no camera can be watched');
      this.#cameras.refuseAll(modelFault);
    }
    this.#tick();
    this.#service.ready();
    this.#log.info({ edge_id: this.#parts.edgeId, cameras: this.#cameras.ids().length }, 'started');
  }

  /** Not before there is a camera: the detector takes hundreds of megabytes. */
  #startVision(cameras: readonly CameraSpec[]): void {
    const { model, modelFault, vision } = this.#parts;
    if (model === null) throw modelFault;
    const { config } = this.#options.loaded;
    const preparedDir = join(configuredModelsDir(config), 'prepared');
    vision.start({
      detector: planDetector(config, { model, preparedDir }),
      faces: this.#parts.faces.spec,
      cameras,
      ffmpegPath: config.ffmpeg.path,
    });
  }

  #checkLabels(known: readonly string[]): void {
    this.#labelProblems = this.#cameras
      .unknownLabels(known)
      .map(([id, labels]) => `cameras.${id}.detect.labels: the model has no ${labels.join(', ')}`);
    for (const problem of this.#labelProblems) this.#log.warn({ problem }, 'configuration problem');
  }

  #tick(): void {
    const now = this.#clock.monotonicMs();
    this.#cameras.tick(now);
    if (now - this.#engineTold.monoMs >= ENGINE_STATUS_MS) {
      this.#tellEngineStatus('running', true);
      void this.#leftOpen?.end();
    }
    const cameras = this.#cameras.views(now);
    this.#tellService(cameras);
    this.#parts.health.tick(cameras);
    this.#rememberRules();
    this.#timer = this.#clock.setTimeout(() => this.#tick(), TICK_MS);
  }

  /** An alert that the store does not have is to be raised again after a crash, so nobody may remember it as told. */
  #rememberRules(): void {
    if (!this.#cameras.hasUnstoredAlerts) this.#parts.ruleMemories.tick();
  }

  #tellService(all: readonly CameraView[]): void {
    const streaming = all.filter(({ state }) => state === 'streaming').length;
    const text = `${streaming} of ${all.length} cameras streaming, hub ${this.#uplinkView().state}`;
    if (text !== this.#serviceStatus) this.#service.status(text);
    this.#serviceStatus = text;
  }

  /** Queues the engine's state for the hub, when it differs from what was last told or when it is time. */
  #tellEngineStatus(status: 'running' | 'stopping', isDue = false): void {
    const now = this.#clock.monotonicMs();
    const cameras = this.#cameras.views(now).map(({ camera_id, state, fps, fault }) => ({
      camera_id,
      state,
      fps: Math.round(fps * 10) / 10,
      ...(fault && { error_code: fault.code, error_message: fault.message }),
    }));
    const isDegraded = cameras.some(({ state }) => !HEALTHY_STATES.has(state));
    const text = JSON.stringify(cameras.map(({ fps: _, ...camera }) => camera)) + status;
    if (!isDue && text === this.#engineTold.text) return;
    this.#engineTold = { text, monoMs: now };
    const data: AiEngineStatus = {
      timestamp: this.#clock.wallMs(),
      status: status === 'running' && isDegraded ? 'degraded' : status,
      provider: this.#parts.vision.status.provider?.provider ?? null,
      model: this.#options.loaded.config.detector.model,
      cameras,
    };
    const { monoMs } = this.#engineTold;
    const { store, live } = this.#parts;
    live.publish({ type: 'ai_engine_status', cameraId: null, data, wallMs: data.timestamp });
    store
      .enqueue([{ type: 'ai_engine_status', cameraId: null, data, wallMs: data.timestamp, monoMs }])
      .catch((error: unknown) => this.#log.error({ err: error }, 'engine status not stored'));
  }

  /** The cameras of this edge, for requests from upstream. */
  get cameras(): CameraSet {
    return this.#requests;
  }

  async status(): Promise<EdgeStatus> {
    const now = this.#clock.monotonicMs();
    const { loaded } = this.#options;
    const { store, vision, edgeId } = this.#parts;
    const { model } = loaded.config.detector;
    return {
      version: packageVersion(),
      edge_id: edgeId,
      pid: process.pid,
      started_at: this.#startedWallMs,
      uptime_s: (now - this.#startedMonoMs) / 1000,
      detector: {
        state: this.#parts.modelFault === null ? vision.status.state : 'failed',
        model,
        is_test_detector: model === TEST_DETECTOR,
        provider: vision.status.provider,
        restarts: vision.status.restarts,
        pid: vision.status.pid,
        rss_mb: vision.status.rssMb,
      },
      faces: this.#parts.faces.view(vision.status.faces),
      cameras: this.#cameras.views(now),
      queue: queueView(await store.queue(), now),
      uplink: this.#uplinkView(),
      evidence: this.#parts.evidence.view(),
      evidence_upstream: evidenceUpstreamView(this.#parts),
      journal: journalView(this.#parts.journal.status()),
      conditions: this.#parts.health.open(),
      config_problems: [
        ...loaded.problems.map((problem) => formatProblem(problem, loaded.sourcePath)),
        ...this.#ruleProblems,
        ...this.#labelProblems,
        ...peopleProblems(this.#parts),
      ],
    };
  }

  #uplinkView(): UplinkView {
    const configured = this.#options.loaded.config.uplink.url;
    // Without its query, which may hold a secret.
    const url = configured === undefined ? null : configured.replace(/\?.*$/, '');
    const { uplink, uplinkFault } = this.#parts;
    if (uplink === null) return missingUplinkView(url, uplinkFault);
    return uplinkView(uplink.status, {
      url,
      connections: this.#hubConnections,
      clock: this.#clock,
    });
  }

  /** Ends what is in view, delivers what it can in the time left, and keeps the rest for the next start. */
  async stop(): Promise<void> {
    const { vision, uplink, store } = this.#parts;
    this.#log.info({}, 'stopping');
    this.#timer?.cancel();
    const told = this.#service.stopping();
    const closed = this.#requests.close();
    await vision.stop();
    await closed;
    await this.#cameras.shutdown();
    await this.#parts.evidence.settled();
    await this.#parts.thumbnailPost.settled();
    await this.#parts.journal.flushed();
    await this.#parts.health.stop();
    const { ruleMemories } = this.#parts;
    await (this.#cameras.hasUnstoredAlerts ? ruleMemories.settled() : ruleMemories.stop());
    this.#tellEngineStatus('stopping', true);
    await uplink?.stop({ drainMs: DRAIN_MS });
    await this.#control.stop();
    await this.#parts.people?.stop();
    await this.#parts.journal.close();
    this.#watch.stop();
    await store.close();
    await told;
    this.#log.info({}, 'stopped');
  }
}
