import type { LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { checkSecrets } from '../config/secret-problems.ts';
import { type UplinkTls, uplinkTls, uplinkToken } from '../config/secrets.ts';
import type { DailyAllowance } from '../evidence/upstream/daily-allowance.ts';
import { Journal } from '../journal/journal.ts';
import { LiveEvents } from '../live/live-events.ts';
import { ModelStore } from '../models/model-store.ts';
import { Store } from '../store/store.ts';
import { bootId, type Clock, systemClock } from '../system/clock.ts';
import { ApexError, asApexError, type ErrorCode } from '../system/errors.ts';
import type { LogRing } from '../system/log-ring.ts';
import type { Logger } from '../system/logger.ts';
import { Uplink } from '../uplink/uplink.ts';
import { VisionHandle } from '../vision/handle.ts';
import { CameraOverrides } from './cameras/camera-overrides.ts';
import { RuleMemories } from './cameras/rule-memories.ts';
import { StreamRequests } from './cameras/stream-requests.ts';
import { EdgeEvidence } from './edge-evidence.ts';
import { openAllowance } from './evidence-allowance.ts';
import { EvidenceGiver } from './evidence-giver.ts';
import { FaceRecognition } from './faces/face-recognition.ts';
import { HealthWatch, type HealthWatchDeps } from './health/health-watch.ts';
import { edgeIdentity } from './identity.ts';
import { EdgePeople } from './people.ts';
import { ThumbnailPost } from './thumbnail-post.ts';
import { type CameraPlan, configuredModelsDir, planCameras } from './vision-spec.ts';

const NOBODY = { known: () => [] };

export interface EdgeDaemonOptions {
  loaded: LoadedConfig;
  env: NodeJS.ProcessEnv;
  log: Logger;
  /** What was logged of late. */
  logs?: LogRing;
  clock?: Clock;
}

/** What the daemon is made of. */
export interface EdgeParts {
  edgeId: string;
  store: Store;
  /** What the box saw, for looking back. */
  journal: Journal;
  /** What the box tells, for whoever looks on here. */
  live: LiveEvents;
  vision: VisionHandle;
  uplink: Uplink | null;
  /** Requests of the hub, once they have cameras to serve. */
  requests: StreamRequests;
  /** Why there is no uplink although one is configured. */
  uplinkFault: ApexError | null;
  evidence: EdgeEvidence;
  /** What evidence may be sent upstream. */
  allowance: DailyAllowance;
  thumbnailPost: ThumbnailPost;
  /** What the hub gets when it asks. */
  evidenceGiver: EvidenceGiver;
  faces: FaceRecognition;
  /** Null with the reason beside it. */
  people: EdgePeople | null;
  peopleFault: ApexError | null;
  /** Alerts about cameras and box. */
  health: HealthWatch;
  ruleMemories: RuleMemories;
  plan: CameraPlan;
  /** What was asked for upstream and outlives the daemon. */
  overrides: CameraOverrides;
  /** Path of the detector model; null with the reason beside it. */
  model: string | null;
  modelFault: ApexError | null;
}

/** Opens what the daemon is made of. Nothing runs yet. */
export async function assembleParts({
  loaded,
  env,
  log,
  clock = systemClock,
}: EdgeDaemonOptions): Promise<EdgeParts> {
  const { config } = loaded;
  for (const problem of [...loaded.problems, ...checkSecrets(loaded, env)]) {
    log.warn({ problem: formatProblem(problem, loaded.sourcePath) }, 'configuration problem');
  }
  const store = await openStore(config, { clock, log });
  // Behind the store, whose lock keeps other daemons out.
  const journal = openJournal(config, { clock, log });
  try {
    return await assembleAround({ store, journal }, { loaded, env, log, clock });
  } catch (error) {
    await journal.close();
    await store.close();
    throw error;
  }
}

/** Opens the store as the configuration has it. @throws ApexError as `Store.open` does */
export function openStore(
  config: LoadedConfig['config'],
  { clock, log }: { clock: Clock; log: Logger },
): Promise<Store> {
  const { budget_mb: budgetMb, durability } = config.outbox;
  return Store.open({
    dir: config.edge.data_dir,
    clock,
    log,
    hasSink: config.uplink.url !== undefined,
    durability,
    ...(budgetMb !== undefined && { budgetBytes: budgetMb * 1e6 }),
  });
}

/** Opens the journal as the configuration has it. */
export function openJournal(
  { edge, journal }: LoadedConfig['config'],
  { clock, log }: { clock: Clock; log: Logger },
): Journal {
  const budgetBytes = journal.retain_mb * 1e6;
  return new Journal({ dir: edge.data_dir, budgetBytes, clock, log });
}

async function assembleAround(
  { store, journal }: Pick<EdgeParts, 'store' | 'journal'>,
  { loaded, env, log, clock }: Required<Omit<EdgeDaemonOptions, 'logs'>>,
): Promise<EdgeParts> {
  const { config } = loaded;
  const { data_dir } = config.edge;
  const edgeId = config.edge.id ?? (await edgeIdentity(data_dir));
  const live = new LiveEvents({ edgeId, wallMs: () => clock.wallMs() });
  const models = new ModelStore({ dir: configuredModelsDir(config), env });
  const model = attempt('MODEL_NOT_INSTALLED', () => models.resolve(config.detector.model));
  const { enabled: isEnabled } = config.uplink.stream_requests;
  const requests = new StreamRequests({ isEnabled, log });
  const evidence = new EdgeEvidence({ config, env, store, clock, log });
  const allowance = await openAllowance(config, { clock, log });
  const { requests: isGiven } = config.evidence.upstream;
  const evidenceGiver = new EvidenceGiver({ evidence, allowance, isEnabled: isGiven, clock });
  const uplink = attempt('UPLINK_URL', () =>
    makeUplink(edgeId, { store, requests, evidenceGiver }, { loaded, env, log, clock }),
  );
  if (uplink.fault !== null) log.error({ err: uplink.fault }, 'the hub cannot be told anything');
  const people = attempt('STORE_UNREADABLE', () => {
    const keyFile = config.people.key_file;
    const places = { store, journal, live, evidence };
    return new EdgePeople({ dataDir: data_dir, keyFile, env, ...places, clock, log });
  });
  if (people.fault !== null) log.error({ err: people.fault }, 'nobody can be recognised');
  const vision = new VisionHandle({ clock, random: Math.random, log });
  const plan = planCameras(config, env);
  const isPosted = config.uplink.url !== undefined && config.evidence.upstream.thumbnails;
  for (const { cameraId, fault } of plan.refused)
    log.error({ camera: cameraId, fault }, 'camera not started');
  return {
    edgeId,
    store,
    journal,
    live,
    vision,
    uplink: uplink.value,
    requests,
    uplinkFault: uplink.fault,
    evidence,
    allowance,
    evidenceGiver,
    thumbnailPost: new ThumbnailPost({ store, allowance, isEnabled: isPosted, clock, log }),
    faces: new FaceRecognition(config, (name) => models.resolve(name), people.value ?? NOBODY),
    people: people.value,
    peopleFault: people.fault,
    health: await openHealth(config, { store, journal, live, vision, clock, log }),
    ruleMemories: await RuleMemories.open(data_dir, { clock, log }),
    plan,
    overrides: await CameraOverrides.open(data_dir, log),
    model: model.value,
    modelFault: model.fault,
  };
}

function openHealth(
  { edge, alerts, detector }: LoadedConfig['config'],
  parts: Pick<HealthWatchDeps, 'store' | 'journal' | 'live' | 'vision' | 'clock' | 'log'>,
): Promise<HealthWatch> {
  const { provider } = detector;
  const machine = {
    ...{ bootId: bootId(), thermalDir: '/sys/class/thermal' },
    random: Math.random,
  };
  return HealthWatch.open({ ...parts, ...machine, dataDir: edge.data_dir, alerts, provider });
}

/** A part that cannot be had is a fault to show, not a reason to run nothing. */
function attempt<T>(code: ErrorCode, make: () => T): { value: T | null; fault: ApexError | null } {
  try {
    return { value: make(), fault: null };
  } catch (error) {
    return { value: null, fault: asApexError(error, code) };
  }
}

function makeUplink(
  clientId: string,
  { store, requests, evidenceGiver }: Pick<EdgeParts, 'store' | 'requests' | 'evidenceGiver'>,
  { loaded, env, log, clock = systemClock }: EdgeDaemonOptions,
): Uplink | null {
  const { config } = loaded;
  const { url, compression } = config.uplink;
  if (url === undefined) return null;
  const token = (): string => {
    const secret = uplinkToken(config, env);
    if (secret !== null) return secret;
    const message = 'uplink.url is given without uplink.token or uplink.token_file';
    throw new ApexError('CONFIG_INVALID', message);
  };
  const tls = (): UplinkTls => uplinkTls(config, env);
  const random = Math.random;
  const options = { url, token, tls, compression, clientId, store, requests };
  return new Uplink({ ...options, evidence: evidenceGiver, clock, random, log });
}
