import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { CameraFault, CameraSource, CameraSpec } from '../capture/contract.ts';
import { cameraSchema } from '../config/camera-schema.ts';
import type { CameraConfig, Config } from '../config/schema.ts';
import { cameraUrlWithCredentials } from '../config/secrets.ts';
import { parseCoordinates } from '../config/zone-schema.ts';
import { ApexError, asApexError } from '../system/errors.ts';
import { registerUrlSecrets } from '../system/redact.ts';
import { type DetectorSpec, type ExecutionProvider, PROVIDERS } from '../vision/contract.ts';
import { ringDir } from './edge-evidence.ts';

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

export function leastStallTimeoutMs(fps: CameraSpec['fps']): number {
  return fps === 'all' ? 0 : (FRAMES_MISSED * 1000) / fps;
}

/** @throws ApexError when the camera's file or password cannot be read */
export function cameraSpec(
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
    analysed: null,
    // Faces are read from these pictures also where none is kept.
    snapshot:
      enabled || camera.faces.enabled
        ? { maxWidth: max_width, maxHeight: max_height, hidden: hiddenParts(camera) }
        : null,
    ring: ringOf(id, camera, config, env),
    stallTimeoutMs: Math.max(camera.stall_timeout_s * 1000, leastStallTimeoutMs(camera.detect.fps)),
    frozenTimeoutMs: camera.frozen_timeout_s * 1000,
  };
}

/** Segments begin at key frames, so they may be longer. */
const SEGMENT_S = 2;

/** Packets as the camera sends them have no masks, and those of a file played faster have no time. */
function ringOf(
  id: string,
  { clips, privacy_masks, path, pace }: CameraConfig,
  config: Config,
  env: NodeJS.ProcessEnv,
): CameraSpec['ring'] {
  const isPossible = Object.keys(privacy_masks).length === 0 && !(path && pace === 'max');
  if (!config.evidence.clips.enabled || !clips || !isPossible) return null;
  return { dir: join(ringDir(config, env), id), segmentS: SEGMENT_S };
}

function hiddenParts({ privacy_masks }: CameraConfig): { x: number; y: number }[][] {
  return Object.values(privacy_masks).map(({ coordinates }) => parseCoordinates(coordinates) ?? []);
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

/** What is looked for where no configuration says anything. */
const USUAL_CAMERA = cameraSchema.parse({ url: 'rtsp://localhost/' });

/**
 * A camera that is in no configuration: it looks for everything that the detector was made for.
 * @param url rtsp:// or rtsps:// address, which may hold user name and password
 * @throws ApexError CAPTURE_ADDRESS_REFUSED
 */
export function givenCameraSpec(
  id: string,
  url: string,
  config: Config,
  env: NodeJS.ProcessEnv,
): CameraSpec {
  registerUrlSecrets(url);
  const camera = cameraSchema.safeParse({ url });
  if (!camera.success) {
    throw new ApexError(
      'CAPTURE_ADDRESS_REFUSED',
      `the address given for ${id} is no RTSP address`,
    );
  }
  return { ...cameraSpec(id, camera.data, config, env), labels: null };
}

/**
 * Labels that any camera of the configuration wants, also those that do not run now: a detector is made once. Null
 * as soon as one wants all.
 */
function wantedLabels({ cameras }: Config): string[] | null {
  const configured = Object.values(cameras);
  const labels = new Set<string>();
  for (const { detect } of configured.length === 0 ? [USUAL_CAMERA] : configured) {
    if (detect.labels === null) return null;
    for (const label of detect.labels) labels.add(label);
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
  options: { model: string; preparedDir: string },
): DetectorSpec {
  return {
    model: options.model,
    preparedDir: options.preparedDir,
    labels: wantedLabels(config),
    providers: ladder(config.detector.provider),
    workers: config.detector.workers ?? null,
    threadsPerWorker: config.detector.threads_per_worker,
    minScore: TRACKING_MIN_SCORE,
  };
}
