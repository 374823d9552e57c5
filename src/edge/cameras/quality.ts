import type { CameraSpec } from '../../capture/contract.ts';
import { leastStallTimeoutMs } from '../vision-spec.ts';
import type { Quality } from './camera-set.ts';

interface QualityLimits {
  /** Analysed frames a second. */
  fps: number;
  /** Largest side of the analysed picture, in pixels; null for what suits the model. */
  side: number | null;
}

/** What the names mean; docs/cameras.md has the same table. */
const NAMED: Readonly<Record<'low' | 'medium' | 'high', QualityLimits>> = {
  low: { fps: 2, side: 320 },
  medium: { fps: 5, side: 480 },
  high: { fps: 10, side: null },
};

const UNBOUNDED = 8192;
/** A camera that is looked at less often is not watched. */
const LEAST_FPS = 1 / 60;

/** The camera as it is configured, watched with this quality. */
export function withQuality(configured: CameraSpec, quality: Quality): CameraSpec {
  if (quality === 'auto') return configured;
  if (typeof quality === 'string') {
    const { fps, side } = NAMED[quality];
    const analysed = side === null ? null : { maxWidth: side, maxHeight: side };
    return paced({ ...configured, fps, analysed });
  }
  const { width, height } = quality;
  const fps = quality.fps === undefined ? configured.fps : Math.max(quality.fps, LEAST_FPS);
  const isBounded = width !== undefined || height !== undefined;
  const analysed = isBounded
    ? { maxWidth: width ?? UNBOUNDED, maxHeight: height ?? UNBOUNDED }
    : configured.analysed;
  return paced({ ...configured, fps, analysed });
}

/** Whether changing from one to the other changes nothing. */
export function isSameQuality(a: CameraSpec, b: CameraSpec): boolean {
  return (
    a.fps === b.fps &&
    a.analysed?.maxWidth === b.analysed?.maxWidth &&
    a.analysed?.maxHeight === b.analysed?.maxHeight
  );
}

function paced(spec: CameraSpec): CameraSpec {
  const stallTimeoutMs = Math.max(spec.stallTimeoutMs, leastStallTimeoutMs(spec.fps));
  return { ...spec, stallTimeoutMs };
}
