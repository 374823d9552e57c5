import type { CameraSpec } from '../../capture/contract.ts';
import { makeEventId } from '../../events/event-id.ts';
import type { CameraClips } from '../../evidence/clips/camera-clips.ts';
import { type BoundingBox, boundingBoxSchema } from '../../protocol/detection.ts';
import type { AlertTriggered } from '../../protocol/payloads.ts';
import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import type { VisionHandle } from '../../vision/handle.ts';
import type { EdgeEvidence } from '../edge-evidence.ts';
import type { ThumbnailPost } from '../thumbnail-post.ts';
import { alertPicture } from './alert-picture.ts';

export interface AlertEvidenceDeps {
  readonly vision: VisionHandle;
  readonly evidence: Pick<EdgeEvidence, 'thumbnails' | 'clipsOf'>;
  readonly thumbnailPost: Pick<ThumbnailPost, 'send'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Of the camera. */
  readonly log: Logger;
}

/** What is kept of the alerts of one camera: a small picture, and a clip. No alert waits for it. */
export class AlertEvidence {
  readonly #spec: CameraSpec;
  readonly #deps: AlertEvidenceDeps;
  readonly #clips: CameraClips | null;
  #alerts = 0;

  constructor(spec: CameraSpec, deps: AlertEvidenceDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#clips = deps.evidence.clipsOf(spec);
    try {
      this.#clips?.open();
    } catch (error) {
      // Alerts say that they will have a clip, and each that has none is counted and told.
      deps.log.error({ err: error }, 'no clips of this camera: there is no folder for its packets');
    }
  }

  /** Clips since the start; null where none are made. */
  get clips(): CameraClips['counts'] | null {
    return this.#clips?.counts ?? null;
  }

  /** Gives an alert its id, and begins to gather. @param frame that raised it; null for none */
  alert(
    alert: AlertTriggered,
    frame: { readonly frameId: number; readonly monoMs: number } | null,
  ): AlertTriggered {
    this.#alerts++;
    const id = makeEventId(alert.timestamp, this.#alerts, this.#deps.random);
    this.#clips?.alert(id, frame?.monoMs ?? this.#deps.clock.monotonicMs());
    const box = boundingBoxSchema.safeParse(alert.data.bounding_box);
    const told = { ...alert, alert_id: id, has_clip: this.#clips !== null };
    if (frame !== null && box.success) void this.#keepThumbnail(told, frame.frameId, box.data);
    return told;
  }

  /** To be called about every second. */
  tick(nowMs: number): void {
    this.#clips?.tick(nowMs);
  }

  /** What is begun is finished with what there is. */
  async finish(): Promise<void> {
    await this.#clips?.finish();
  }

  async #keepThumbnail(
    alert: AlertTriggered & { readonly alert_id: string },
    frameId: number,
    box: BoundingBox,
  ): Promise<void> {
    const { vision, evidence, thumbnailPost, log } = this.#deps;
    const { alert_id: alertId } = alert;
    const cameraId = this.#spec.id;
    try {
      const picture = await vision.snapshot(cameraId, frameId, this.#spec.snapshot?.maxWidth ?? 0);
      if (picture === null) return;
      const thumbnail = await alertPicture(picture, box);
      thumbnailPost.send(alert, thumbnail);
      await evidence.thumbnails.save({ cameraId, eventId: alertId }, thumbnail.jpeg);
    } catch (error) {
      log.warn({ err: error, alert_id: alertId }, 'no thumbnail of this alert');
    }
  }
}
