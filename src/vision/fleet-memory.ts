import type { CameraFault, CameraStatus, CaptureHistory } from '../capture/contract.ts';
import type { CameraCounters, CameraHint, FrameResult } from './contract.ts';

interface CameraMemory {
  status: CameraStatus | null;
  /** As the last process left it. */
  history: CaptureHistory | null;
  nextFrameId: number;
  /** Of processes that have ended. */
  before: { framesAnalysed: number; framesDropped: number };
  /** Of the process that runs. */
  counters: CameraCounters | null;
}

/** Nothing more is expected of such a camera until it is configured anew. */
const FINAL_STATES: ReadonlySet<CameraStatus['state']> = new Set([
  'disabled',
  'failed',
  'finished',
]);

const UNSEEN = {
  reconnects: 0,
  stream: null,
  decoder: null,
  analysed: null,
  failures: 0,
  clip: 0,
} as const;

/** What is known of the cameras, over the lives of several vision processes. */
export class FleetMemory {
  readonly #cameras = new Map<string, CameraMemory>();

  statusSeen(status: CameraStatus): void {
    const camera = this.#camera(status.cameraId);
    const { fault, failures, reconnects, retryAtMonoMs, clip } = status;
    camera.status = status;
    camera.history = { fault, failures, reconnects, retryAtMonoMs, clip };
  }

  resultSeen({ cameraId, frameId }: FrameResult): void {
    const camera = this.#camera(cameraId);
    camera.nextFrameId = Math.max(camera.nextFrameId, frameId + 1);
  }

  /** The process's counters, with those of its predecessors in them. */
  countersSeen(cameras: readonly CameraCounters[]): CameraCounters[] {
    return cameras.map((counters) => {
      const camera = this.#camera(counters.cameraId);
      camera.counters = counters;
      camera.nextFrameId = Math.max(camera.nextFrameId, counters.framesReceived);
      const { framesAnalysed, framesDropped } = camera.before;
      return {
        ...counters,
        framesAnalysed: framesAnalysed + counters.framesAnalysed,
        framesDropped: framesDropped + counters.framesDropped,
      };
    });
  }

  /** Played to its end, or given up. */
  isOver(cameraId: string): boolean {
    const status = this.#cameras.get(cameraId)?.status;
    return status != null && FINAL_STATES.has(status.state);
  }

  /** What the next process need not find out again. */
  hints(): CameraHint[] {
    return [...this.#cameras.entries()].flatMap(([cameraId, camera]) => {
      const { status, history, nextFrameId } = camera;
      if (status === null || history === null || this.isOver(cameraId)) return [];
      const { stream, decoder } = status;
      return [{ cameraId, stream, decoder, nextFrameId, history }];
    });
  }

  /** The camera is watched no more: when it comes again, it comes as a new one. */
  forget(cameraId: string): void {
    this.#cameras.delete(cameraId);
  }

  /** The process has ended: its counts are history, and the camera waits for the next one. */
  down(
    cameraId: string,
    at: { sinceMonoMs: number; retryAtMonoMs: number; fault: CameraFault | null },
  ): CameraStatus {
    const camera = this.#camera(cameraId);
    camera.before.framesAnalysed += camera.counters?.framesAnalysed ?? 0;
    camera.before.framesDropped += camera.counters?.framesDropped ?? 0;
    camera.counters = null;
    camera.status = {
      ...(camera.status ?? UNSEEN),
      cameraId,
      state: 'backing-off',
      ...at,
    };
    return camera.status;
  }

  #camera(cameraId: string): CameraMemory {
    let camera = this.#cameras.get(cameraId);
    if (camera === undefined) {
      const before = { framesAnalysed: 0, framesDropped: 0 };
      camera = { status: null, history: null, nextFrameId: 0, before, counters: null };
      this.#cameras.set(cameraId, camera);
    }
    return camera;
  }
}
