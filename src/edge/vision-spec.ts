import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { CameraFault, CameraSource, CameraSpec } from '../capture/contract.ts';
import type { CameraConfig, Config } from '../config/schema.ts';
import { cameraUrlWithCredentials } from '../config/secrets.ts';
import { ApexError, asApexError } from '../system/errors.ts';
import { type DetectorSpec, type ExecutionProvider, PROVIDERS } from '../vision/contract.ts';

const VIDEO_ENDINGS = new Set(['.mp4', '.mkv', '.mov', '.avi', '.ts', '.webm', '.h264', '.264']);

/** ByteTrack's second stage lives on weak detections, so the model keeps them for every camera. */
const TRACKING_MIN_SCORE = 0.1;

/** Where the daemon with this configuration keeps its models. */
export function configuredModelsDir({ models, edge }: Config): string {
  return models.dir ?? join(edge.data_dir, 'models');
}

export interface CameraPlan {
  cameras: CameraSpec[];
  /** Cameras that cannot be started as configured, and why. */
  refused: { cameraId: string; fault: CameraFault }[];
}

function clipsIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const clips = readdirSync(path)
    .filter((name) => VIDEO_ENDINGS.has(extname(name).toLowerCase()))
    .sort()
    .map((name) => join(path, name));
  if (clips.length === 0)
    throw new ApexError('CAPTURE_FILE_MISSING', `${path} holds no video file`);
  return clips;
}

function sourceOf(id: string, camera: CameraConfig, env: NodeJS.ProcessEnv): CameraSource {
  if (camera.path !== undefined) {
    return { kind: 'file', paths: clipsIn(camera.path), pace: camera.pace, loop: camera.loop };
  }
  return {
    kind: 'rtsp',
    url: cameraUrlWithCredentials(id, camera, env),
    transport: camera.transport,
  };
}

/** A camera of which a frame is wanted every minute has not stalled after ten seconds. */
const FRAMES_MISSED = 3;

function stallTimeoutMs({ stall_timeout_s, detect }: CameraConfig): number {
  const intervalMs = detect.fps === 'all' ? 0 : 1000 / detect.fps;
  return Math.max(stall_timeout_s * 1000, FRAMES_MISSED * intervalMs);
}

function cameraSpec(
  id: string,
  camera: CameraConfig,
  config: Config,
  env: NodeJS.ProcessEnv,
): CameraSpec {
  const { enabled, max_width, max_height } = config.snapshots;
  return {
    id,
    source: sourceOf(id, camera, env),
    fps: camera.detect.fps,
    minScore: camera.detect.min_score,
    labels: camera.detect.labels,
    decoder: camera.decoder,
    snapshot: enabled ? { maxWidth: max_width, maxHeight: max_height } : null,
    stallTimeoutMs: stallTimeoutMs(camera),
    frozenTimeoutMs: camera.frozen_timeout_s * 1000,
  };
}

/** What the vision process is told of each camera. A camera that cannot be planned stops only itself. */
export function planCameras(config: Config, env: NodeJS.ProcessEnv): CameraPlan {
  const plan: CameraPlan = { cameras: [], refused: [] };
  for (const [id, camera] of Object.entries(config.cameras)) {
    if (!camera.enabled) continue;
    try {
      plan.cameras.push(cameraSpec(id, camera, config, env));
    } catch (error) {
      plan.refused.push({
        cameraId: id,
        fault: asApexError(error, 'CAPTURE_FILE_MISSING').toJSON(),
      });
    }
  }
  return plan;
}

/** Labels that any camera wants; null as soon as one wants all. */
function wantedLabels(cameras: readonly CameraSpec[]): string[] | null {
  const labels = new Set<string>();
  for (const camera of cameras) {
    if (camera.labels === null) return null;
    for (const label of camera.labels) labels.add(label);
  }
  return [...labels];
}

function ladder(provider: Config['detector']['provider']): readonly ExecutionProvider[] {
  if (provider === 'auto') return PROVIDERS;
  // A provider that is asked for still falls back to the CPU, loudly: a box that detects slowly beats one that does not.
  return provider === 'cpu' ? ['cpu'] : [provider, 'cpu'];
}

export function planDetector(
  config: Config,
  options: { model: string; preparedDir: string; cameras: readonly CameraSpec[] },
): DetectorSpec {
  return {
    model: options.model,
    preparedDir: options.preparedDir,
    labels: wantedLabels(options.cameras),
    providers: ladder(config.detector.provider),
    workers: config.detector.workers ?? null,
    threadsPerWorker: config.detector.threads_per_worker,
    minScore: TRACKING_MIN_SCORE,
  };
}
