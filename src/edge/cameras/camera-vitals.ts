import type { CameraView } from '../../api/edge-status.ts';
import type { CameraSpec, CameraStatus } from '../../capture/contract.ts';
import type { CameraCounters } from '../../vision/contract.ts';

/** States in which nobody watches any more, so that what was in view has ended. */
const ENDED_STATES: ReadonlySet<CameraStatus['state']> = new Set([
  'disabled',
  'stopped',
  'failed',
  'finished',
]);

/** What a view tells of them. */
export type VitalsView = Pick<
  CameraView,
  | 'camera_id'
  | 'state'
  | 'since_s'
  | 'fault'
  | 'retry_in_s'
  | 'reconnects'
  | 'fps'
  | 'frames_received'
  | 'frames_analysed'
  | 'frames_dropped'
  | 'stream'
  | 'decoder'
  | 'analysed'
>;

/** How one camera is doing: its state and its frames, as the vision process tells them. Pure: time comes in. */
export class CameraVitals {
  #status: CameraStatus;
  #counters: CameraCounters | null = null;
  /** Counted here, so that it goes on over restarts of the vision process. */
  #analysed = 0;

  /** Of a camera that nothing was told of so far. @param nowMs monotonic */
  constructor(cameraId: string, nowMs: number) {
    this.#status = {
      cameraId,
      state: 'connecting',
      sinceMonoMs: nowMs,
      fault: null,
      reconnects: 0,
      retryAtMonoMs: null,
      stream: null,
      decoder: null,
      analysed: null,
      failures: 0,
      clip: 0,
    };
  }

  get status(): CameraStatus {
    return this.#status;
  }

  /** Nobody watches it any more. */
  get hasEnded(): boolean {
    return ENDED_STATES.has(this.#status.state);
  }

  statusChanged(status: CameraStatus): void {
    this.#status = status;
  }

  countersChanged(counters: CameraCounters): void {
    this.#counters = counters;
  }

  frameAnalysed(): void {
    this.#analysed++;
  }

  /** @param nowMs monotonic @param askedFps with which it is to be analysed */
  view(nowMs: number, askedFps: CameraSpec['fps']): VitalsView {
    const { cameraId, state, sinceMonoMs, fault, retryAtMonoMs, reconnects } = this.#status;
    const { stream, decoder, analysed } = this.#status;
    const { fps = 0, framesReceived = 0, framesDropped = 0 } = this.#counters ?? {};
    return {
      camera_id: cameraId,
      state,
      since_s: (nowMs - sinceMonoMs) / 1000,
      fault,
      retry_in_s: retryAtMonoMs === null ? null : Math.max(0, retryAtMonoMs - nowMs) / 1000,
      reconnects,
      fps: state === 'streaming' ? fps : 0,
      frames_received: framesReceived,
      frames_analysed: this.#analysed,
      frames_dropped: framesDropped,
      stream,
      decoder,
      analysed: analysed && { fps: askedFps === 'all' ? null : askedFps, ...analysed },
    };
  }
}
