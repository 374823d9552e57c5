import type { CameraSpec, StreamInfo } from '../../capture/contract.ts';
import type { SnapshotRequest } from '../../events/camera-events.ts';
import type { Logger } from '../../system/logger.ts';
import type { VisionHandle } from '../../vision/handle.ts';
import type { EdgeEvidence } from '../edge-evidence.ts';

export interface EventPicturesDeps {
  readonly vision: Pick<VisionHandle, 'snapshot'>;
  readonly evidence: Pick<EdgeEvidence, 'snapshots' | 'faces'>;
  /** Of the camera. */
  readonly log: Logger;
}

/** What is kept of the events of a camera: the best picture, and the best face. No event waits for it. */
export class EventPictures {
  readonly #deps: EventPicturesDeps;

  constructor(deps: EventPicturesDeps) {
    this.#deps = deps;
  }

  /** @param maxWidth pixels. Returns where the picture is; null where it could not be had */
  async keepSnapshot(
    { cameraId, eventId, frameId }: SnapshotRequest,
    maxWidth: number,
  ): Promise<string | null> {
    const { vision, evidence, log } = this.#deps;
    try {
      const image = await vision.snapshot(cameraId, frameId, maxWidth);
      if (image === null || evidence.snapshots === null) return null;
      return await evidence.snapshots.save({ cameraId, eventId }, image.jpeg);
    } catch (error) {
      log.warn({ err: error, event_id: eventId }, 'no snapshot for this event');
      return null;
    }
  }

  async keepFace(event: { cameraId: string; eventId: string }, jpeg: Uint8Array): Promise<void> {
    const { evidence, log } = this.#deps;
    try {
      await evidence.faces.save(event, jpeg);
    } catch (error) {
      log.warn({ err: error, event_id: event.eventId }, 'no face kept for this event');
    }
  }
}

/** Size of the pictures that are kept, pixels; null where none are, or while the stream is not known. */
export function keptPictureSize(
  stream: Pick<StreamInfo, 'width' | 'height'> | null,
  snapshot: Pick<NonNullable<CameraSpec['snapshot']>, 'maxWidth' | 'maxHeight'> | null,
): { width: number; height: number } | null {
  if (stream === null || snapshot === null) return null;
  const { maxWidth, maxHeight } = snapshot;
  const scale = Math.min(1, maxWidth / stream.width, maxHeight / stream.height);
  return { width: stream.width * scale, height: stream.height * scale };
}
