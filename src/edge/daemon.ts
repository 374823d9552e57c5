import { join } from 'node:path';
import { FORGET_PATH } from '../api/control-client.ts';
import { ControlServer } from '../api/control-server.ts';
import { EdgeMetrics } from '../api/edge-metrics.ts';
import type { CameraView, EdgeStatus, UplinkView } from '../api/edge-status.ts';
import { LivePictures } from '../api/live-pictures.ts';
import type { CameraSpec } from '../capture/contract.ts';
import { formatProblem } from '../config/problem.ts';
import { TEST_DETECTOR } from '../models/test-detector.ts';
import { type Clock, systemClock, type TimerHandle } from '../system/clock.ts';
import { LogRing } from '../system/log-ring.ts';
import type { Logger } from '../system/logger.ts';
import { packageVersion } from '../system/package-info.ts';
import { ProcessWatch } from '../system/process-watch.ts';
import { createServiceNotifier, type ServiceNotifier } from '../system/systemd.ts';
import { EdgeApi } from './api/edge-api.ts';
import { type EdgeBox, edgeBox } from './api/edge-box.ts';
import { checkStreamAddress } from './cameras/address-rules.ts';
import { CameraCatalogue } from './cameras/camera-catalogue.ts';
import { CameraRequests } from './cameras/camera-requests.ts';
import { planMasks, planRules } from './cameras/camera-rules-plan.ts';
import type { CameraSet } from './cameras/camera-set.ts';
import { FirstAnalysis } from './cameras/first-analysis.ts';
import { WatchedCameras } from './cameras/watched-cameras.ts';
import type { ConfigTakeover } from './configuration/config-takeover.ts';
import { type EdgeConfiguration, openConfiguration } from './configuration/edge-configuration.ts';
import { EngineStatus } from './engine-status.ts';
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
/** What is left of the five seconds for stopping, once the vision process has ended. */
const DRAIN_MS = 1500;
const SHOWN_DEAD_LETTERS = 100;

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
  #serviceStatus = '';
  #labelProblems: string[] = [];
  readonly #pictures: LivePictures;
  readonly #engine: EngineStatus;
  readonly #configuration: EdgeConfiguration;
  readonly #box: EdgeBox;
  readonly #api: EdgeApi;

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
    const { loaded, env, log } = options;
    const { data_dir } = loaded.config.edge;
    const clock = this.#clock;
    const pages = {
      status: () => this.status(),
      deadLetters: async () =>
        (await parts.store.deadLetters(SHOWN_DEAD_LETTERS)).map(deadLetterView),
      metrics: async () => this.#metrics.render(await this.status(), this.#watch.facts()),
    };
    this.#control = new ControlServer(
      data_dir,
      { '/status': pages.status, '/dead-letters': pages.deadLetters, '/metrics': pages.metrics },
      { [FORGET_PATH]: forgetAction(parts) },
    );
    this.#pictures = new LivePictures({
      take: (cameraId, frameId, maxWidth) => parts.vision.snapshot(cameraId, frameId, maxWidth),
      clock,
    });
    const { enabled, allow_addresses } = loaded.config.uplink.stream_requests;
    const allowed = enabled ? allow_addresses : [];
    const checkAddress = (url: string): void => checkStreamAddress(url, allowed);
    const shared = {
      ...parts,
      pictures: this.#pictures,
      clock,
      log,
      loaded,
      catalogue: new CameraCatalogue({ loaded, env, checkAddress }),
      analysis: new FirstAnalysis(clock),
      onChange: () => this.#engine.tell('running'),
    };
    this.#cameras = new WatchedCameras({
      ...shared,
      random: Math.random,
      facesFor: (id) => parts.faces.forCamera(id),
      rulesFor: (id) =>
        parts.ruleMemories.rulesOf(id, (earlier) => planRules(loaded.config, id, earlier)),
      masksFor: (id) => planMasks(loaded.config, id),
      startVision: (cameras) => this.#startVision(cameras),
      onForgotten: (id) => {
        this.#metrics.cameraForgotten(id);
        this.#pictures.forget(id);
      },
    });
    this.#requests = new CameraRequests({ ...shared, cameras: this.#cameras });
    const { model } = loaded.config.detector;
    const cameras = (nowMs: number) => this.#cameras.views(nowMs);
    this.#engine = new EngineStatus({ ...parts, model, cameras, clock, log });
    this.#configuration = openConfiguration({
      ...{ loaded, env, clock },
      apply: (change) => this.#takeOver(change),
    });
    for (const problem of this.#configuration.problems)
      log.warn({ problem }, 'configuration problem');
    const { logs = new LogRing() } = options;
    const [pictures, configuration] = [this.#pictures, this.#configuration];
    this.#box = edgeBox({
      ...{ config: loaded.config, env, parts, pages, pictures, configuration, logs, clock, log },
      cameras: this.#requests,
    });
    this.#api = new EdgeApi({ config: loaded.config, env, box: this.#box, clock, log });
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
    this.#api.begin();
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

  /** The cameras concerned go on with what is in force now; the others notice nothing. */
  async #takeOver({ rulesOf, privacyOf }: ConfigTakeover): Promise<void> {
    this.#cameras.placesChanged(rulesOf);
    for (const id of privacyOf) await this.#requests.renew(id);
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
    if (this.#engine.isDue(now)) {
      this.#engine.tell('running', true);
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
      api: this.#api.view(),
      conditions: this.#parts.health.open(),
      config_problems: [
        ...loaded.problems.map((problem) => formatProblem(problem, loaded.sourcePath)),
        ...this.#configuration.problems,
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
    const unserved = this.#api.stop();
    const closed = this.#requests.close();
    await vision.stop();
    await closed;
    await unserved;
    await this.#box.stop();
    await this.#cameras.shutdown();
    await this.#parts.evidence.settled();
    await this.#parts.thumbnailPost.settled();
    await this.#parts.journal.flushed();
    await this.#parts.health.stop();
    const { ruleMemories } = this.#parts;
    await (this.#cameras.hasUnstoredAlerts ? ruleMemories.settled() : ruleMemories.stop());
    this.#engine.tell('stopping', true);
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
