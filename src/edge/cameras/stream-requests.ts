import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import { redactText } from '../../system/redact.ts';
import type {
  StreamAnswer,
  StreamOrder,
  StreamRequestHandler,
} from '../../uplink/stream-orders.ts';
import type { AppliedQuality, CameraSet } from './camera-set.ts';

/** Faults that stay until somebody changes a configuration, the request or the camera. */
const LASTING: ReadonlySet<string> = new Set([
  'STREAM_REQUESTS_OFF',
  'STREAM_ADDRESS_INVALID',
  'STREAM_ADDRESS_FORBIDDEN',
  'CAMERA_UNKNOWN',
  'CAMERA_NAME_INVALID',
  'CAMERA_DISABLED',
  'CAMERA_STOPPED',
  'CAMERA_ADDRESS_DIFFERS',
  'CAPTURE_AUTH_FAILED',
  'CAPTURE_PATH_UNKNOWN',
  'CONFIG_CAMERA_INVALID',
]);

/** What is asked of this edge's cameras upstream, done by its camera set. */
export class StreamRequests implements StreamRequestHandler {
  readonly #isEnabled: boolean;
  readonly #log: Logger;
  #set: CameraSet | null = null;

  constructor({ isEnabled, log }: { readonly isEnabled: boolean; readonly log: Logger }) {
    this.#isEnabled = isEnabled;
    this.#log = log.child({ part: 'stream-requests' });
  }

  /** From now on requests are for these cameras. */
  serve(cameras: CameraSet): void {
    this.#set = cameras;
  }

  cameras(): readonly string[] {
    return this.#set?.ids() ?? [];
  }

  async handle(order: StreamOrder): Promise<StreamAnswer> {
    const facts = { camera: order.cameraId, request: order.kind };
    try {
      const quality = await this.#do(order);
      this.#log.info({ ...facts, ...(quality && { quality }) }, 'request from upstream done');
      return { isDone: true, ...(quality && { quality: told(quality) }) };
    } catch (error) {
      this.#log.warn({ ...facts, err: error }, 'request from upstream failed');
      return failureOf(error);
    }
  }

  async #do({ kind, cameraId, url, quality }: StreamOrder): Promise<AppliedQuality | null> {
    if (!this.#isEnabled)
      throw new ApexError('STREAM_REQUESTS_OFF', 'this edge takes no requests for its cameras');
    if (this.#set === null) throw new ApexError('INTERNAL', 'the cameras are not ready yet');
    switch (kind) {
      case 'start':
        return await this.#set.start({ cameraId, url, quality });
      case 'change':
        return await this.#set.change(cameraId, quality ?? 'auto');
      case 'stop':
        await this.#set.stop(cameraId);
        return null;
    }
  }
}

function told({ fps, width, height }: AppliedQuality): StreamAnswer['quality'] {
  const size = width >= 64 && height >= 64 ? { width, height } : {};
  return { ...(fps !== null && { fps }), ...size };
}

function failureOf(error: unknown): StreamAnswer {
  if (!(error instanceof ApexError))
    return {
      isDone: false,
      code: 'INTERNAL',
      message: 'see the log of the edge',
      isRetryable: true,
    };
  const { code, message, remedy } = error;
  return {
    isDone: false,
    code,
    message: redactText(`${message}. ${remedy}`).slice(0, 1024),
    isRetryable: !LASTING.has(code),
  };
}
