import { join } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { checkSecrets } from '../config/secret-problems.ts';
import { uplinkToken } from '../config/secrets.ts';
import { SnapshotFiles } from '../events/snapshot-files.ts';
import { ModelStore } from '../models/model-store.ts';
import { Store } from '../store/store.ts';
import { type Clock, systemClock } from '../system/clock.ts';
import { ApexError, asApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { Uplink } from '../uplink/uplink.ts';
import { VisionHandle } from '../vision/handle.ts';
import { edgeIdentity } from './identity.ts';
import { type CameraPlan, planCameras } from './vision-spec.ts';

export interface EdgeDaemonOptions {
  loaded: LoadedConfig;
  env: NodeJS.ProcessEnv;
  log: Logger;
  clock?: Clock;
}

/** What the daemon is made of. */
export interface EdgeParts {
  edgeId: string;
  store: Store;
  vision: VisionHandle;
  uplink: Uplink | null;
  snapshots: SnapshotFiles | null;
  plan: CameraPlan;
  detectorFault: ApexError | null;
}

export function modelStore(
  dataDir: string,
  configuredDir: string | undefined,
  env: NodeJS.ProcessEnv,
): { models: ModelStore; dir: string } {
  const dir = configuredDir ?? join(dataDir, 'models');
  return { models: new ModelStore({ dir, env }), dir };
}

/** Opens what the daemon is made of. Nothing runs yet. */
export async function assembleParts({
  loaded,
  env,
  log,
  clock = systemClock,
}: EdgeDaemonOptions): Promise<EdgeParts> {
  const { config } = loaded;
  const { data_dir } = config.edge;
  for (const problem of [...loaded.problems, ...checkSecrets(loaded, env)]) {
    log.warn({ problem: formatProblem(problem, loaded.sourcePath) }, 'configuration problem');
  }
  const store = await Store.open({ dir: data_dir, clock, log });
  const edgeId = config.edge.id ?? (await edgeIdentity(data_dir));
  let detectorFault: ApexError | null = null;
  try {
    modelStore(data_dir, config.models.dir, env).models.resolve(config.detector.model);
  } catch (error) {
    detectorFault = asApexError(error, 'MODEL_NOT_INSTALLED');
  }
  const plan = planCameras(config, env);
  for (const { cameraId, fault } of plan.refused)
    log.error({ camera: cameraId, fault }, 'camera not started');
  return {
    edgeId,
    store,
    vision: new VisionHandle({ clock, random: Math.random, log }),
    uplink: makeUplink(edgeId, store, { loaded, env, log, clock }),
    snapshots: config.snapshots.enabled
      ? new SnapshotFiles({
          dir: join(data_dir, 'snapshots'),
          budgetBytes: config.snapshots.retain_mb * 1e6,
          log,
        })
      : null,
    plan,
    detectorFault,
  };
}

function makeUplink(
  clientId: string,
  store: Store,
  { loaded, env, log, clock = systemClock }: EdgeDaemonOptions,
): Uplink | null {
  const { url } = loaded.config.uplink;
  if (url === undefined) return null;
  const token = uplinkToken(loaded.config, env);
  if (token === null) {
    throw new ApexError(
      'CONFIG_INVALID',
      'uplink.url is given without uplink.token or uplink.token_file',
    );
  }
  return new Uplink({ url, token, clientId, store, clock, random: Math.random, log });
}
