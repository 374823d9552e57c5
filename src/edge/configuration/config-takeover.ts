import { isDeepStrictEqual } from 'node:util';
import type { CameraConfig, Config } from '../../config/schema.ts';

/** Keys of a camera that count at once. */
const OF_RULES = ['zones', 'lines', 'masks'] as const;

/** What of a new configuration a running daemon takes over. */
export interface ConfigTakeover {
  /** In force from now on: what can be taken over is new, the rest as it was. */
  readonly config: Config;
  /** Cameras whose rules, zones, lines or object masks are others. */
  readonly rulesOf: readonly string[];
  /** Cameras whose pictures are to be masked otherwise. */
  readonly privacyOf: readonly string[];
  /** Keys that count from the next start on. */
  readonly needsRestart: readonly string[];
}

/** @param inForce what the daemon runs with @param wanted what the file says now */
export function takeover(inForce: Config, wanted: Config): ConfigTakeover {
  const cameras = Object.entries(inForce.cameras);
  const next = cameras.map(([id, camera]) => [id, withPlaces(camera, wanted.cameras[id])] as const);
  const config = { ...inForce, rules: wanted.rules, cameras: Object.fromEntries(next) };
  const changed = (keys: readonly (keyof CameraConfig)[]): string[] =>
    cameras
      .filter(([id, camera]) =>
        keys.some((key) => !isDeepStrictEqual(camera[key], config.cameras[id]?.[key])),
      )
      .map(([id]) => id);
  const areRulesNew = !isDeepStrictEqual(inForce.rules, wanted.rules);
  return {
    config,
    rulesOf: areRulesNew ? cameras.map(([id]) => id) : changed(OF_RULES),
    privacyOf: changed(['privacy_masks']),
    needsRestart: differences(config, wanted, []),
  };
}

/** A camera that the new file lacks goes on until the next start. */
function withPlaces(camera: CameraConfig, wanted: CameraConfig | undefined): CameraConfig {
  if (wanted === undefined) return camera;
  const { zones, lines, masks, privacy_masks } = wanted;
  return { ...camera, zones, lines, masks, privacy_masks };
}

/** Keys whose values differ, as `cameras.door.detect.fps`. */
export function differences(one: unknown, other: unknown, path: readonly string[]): string[] {
  if (isDeepStrictEqual(one, other)) return [];
  if (!isRecord(one) || !isRecord(other)) return [path.join('.')];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => differences(one[key], other[key], [...path, key]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
