import type { CameraStatus } from '../../capture/contract.ts';
import type { Clock } from '../../system/clock.ts';
import { ApexError, type ErrorCode } from '../../system/errors.ts';

const FAILING: ReadonlySet<CameraStatus['state']> = new Set(['failed', 'backing-off']);

/** Faults that mend themselves in a moment. */
const PASSING: ReadonlySet<string> = new Set(['CAPTURE_STREAM_CHANGED', 'VISION_PROCESS_DIED']);

interface Wait {
  giveUp: (error: ApexError) => void;
  onFrame: () => void;
  onStatus: (status: CameraStatus) => void;
}

/** Those who wait until a frame of a camera is analysed, or it is clear why none is. */
export class FirstAnalysis {
  readonly #clock: Clock;
  readonly #waits = new Map<string, Wait>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves with the next analysed frame of a camera. One wait for each camera at a time.
   * @param dueMonoMs until when it is waited for, milliseconds of the monotonic clock
   * @throws ApexError the camera's fault, or CAMERA_START_TIMEOUT
   */
  async next(cameraId: string, dueMonoMs: number): Promise<void> {
    let fault: CameraStatus['fault'] = null;
    try {
      await new Promise<void>((resolve, reject) => {
        const onDue = (): void => reject(faultOf(fault) ?? timeout(cameraId));
        const deadline = this.#clock.setTimeout(
          onDue,
          Math.max(0, dueMonoMs - this.#clock.monotonicMs()),
        );
        this.#waits.set(cameraId, {
          giveUp: (error) => {
            deadline.cancel();
            reject(error);
          },
          onFrame: () => {
            deadline.cancel();
            resolve();
          },
          onStatus: (status) => {
            fault = status.fault;
            if (!isFailing(status)) return;
            deadline.cancel();
            reject(faultOf(fault));
          },
        });
      });
    } finally {
      this.#waits.delete(cameraId);
    }
  }

  /** Nothing more will come for anybody. */
  giveUp(error: ApexError): void {
    for (const wait of this.#waits.values()) wait.giveUp(error);
  }

  /** Nobody wants to know of this camera any more. */
  giveUpOn(cameraId: string, error: ApexError): void {
    this.#waits.get(cameraId)?.giveUp(error);
  }

  frameAnalysed(cameraId: string): void {
    this.#waits.get(cameraId)?.onFrame();
  }

  statusChanged(status: CameraStatus): void {
    this.#waits.get(status.cameraId)?.onStatus(status);
  }
}

/** Whether the camera is not watched now, for a reason that does not go by itself at once. */
export function isFailing({ state, fault }: CameraStatus): boolean {
  return FAILING.has(state) && fault !== null && !PASSING.has(fault.code);
}

/** The fault of a status as an error to throw; null where there is none. */
export function faultOf(fault: CameraStatus['fault']): ApexError | null {
  if (fault === null) return null;
  // Faults of cameras are made from errors of the catalogue and only lost their class on the way.
  return new ApexError(fault.code as ErrorCode, fault.message, { remedy: fault.remedy });
}

function timeout(cameraId: string): ApexError {
  return new ApexError('CAMERA_START_TIMEOUT', `no frame of ${cameraId} was analysed in time`);
}
