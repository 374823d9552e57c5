import type { CameraView } from '../../api/edge-status.ts';
import type { CameraFault } from '../../capture/contract.ts';

/** How a camera that cannot be started at all is shown. */
export function refusedCameraView(cameraId: string, fault: CameraFault): CameraView {
  return {
    camera_id: cameraId,
    state: 'disabled',
    since_s: 0,
    fault,
    retry_in_s: null,
    reconnects: 0,
    fps: 0,
    frames_received: 0,
    frames_analysed: 0,
    frames_dropped: 0,
    objects: {},
    events_started: 0,
    events_ended: 0,
    alerts: 0,
    faces: null,
    clips: null,
    zones: {},
    lines: {},
    stream: null,
    decoder: null,
    analysed: null,
    change: null,
  };
}
