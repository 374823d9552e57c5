import type { CameraSpec } from '../../capture/contract.ts';
import type { CameraPipeline } from './camera-pipeline.ts';
import type { AppliedQuality, Quality } from './camera-set.ts';

/** A camera that is watched, or that could be. */
export interface WatchedCamera {
  readonly pipeline: CameraPipeline;
  /** As it is configured, before any quality asked for. */
  readonly base: CameraSpec;
  /** Its address where it was given upstream; null for a camera of the configuration. */
  readonly url: string | null;
  quality: Quality | undefined;
  isStopped: boolean;
}

/** Whether more of it is to come: it is not stopped, and no clip that has been played. */
export function isRunning({ isStopped, pipeline }: WatchedCamera): boolean {
  return !isStopped && pipeline.status.state !== 'finished';
}

export function stoppedStatus(
  { status }: CameraPipeline,
  nowMonoMs: number,
): CameraPipeline['status'] {
  return {
    ...status,
    state: 'stopped',
    sinceMonoMs: nowMonoMs,
    fault: null,
    retryAtMonoMs: null,
    analysed: null,
  };
}

/** What the camera is really analysed with. */
export function appliedQuality({ pipeline: { spec, status } }: WatchedCamera): AppliedQuality {
  const { width, height } = status.analysed ?? { width: 0, height: 0 };
  return { fps: spec.fps === 'all' ? null : spec.fps, width, height };
}

/** How it differs from the configuration, in words; null where it does not. */
export function changeInWords({ url, quality, isStopped }: WatchedCamera): string | null {
  if (url !== null) return 'started from upstream';
  if (isStopped) return 'stopped from upstream';
  const isChanged = quality !== undefined && quality !== 'auto';
  return isChanged ? 'quality changed from upstream' : null;
}
