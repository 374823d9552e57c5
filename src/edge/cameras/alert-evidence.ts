import sharp from 'sharp';
import type { CameraSpec } from '../../capture/contract.ts';
import { makeEventId } from '../../events/event-id.ts';
import type { CameraClips } from '../../evidence/clips/camera-clips.ts';
import { type BoundingBox, boundingBoxSchema } from '../../protocol/detection.ts';
import type { AlertTriggered } from '../../protocol/payloads.ts';
import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import type { VisionHandle } from '../../vision/handle.ts';
import type { EdgeEvidence } from '../edge-evidence.ts';

export interface AlertEvidenceDeps {
  readonly vision: VisionHandle;
  readonly evidence: Pick<EdgeEvidence, 'thumbnails' | 'clipsOf'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Of the camera. */
  readonly log: Logger;
}

/** Of a thumbnail, pixels; and what of the picture is around the object, in shares of the object. */
const THUMBNAIL_WIDTH = 320;
const MARGIN = 0.3;
const JPEG_QUALITY = 75;

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
    if (frame !== null && box.success) void this.#keepThumbnail(id, frame.frameId, box.data);
    return { ...alert, alert_id: id, has_clip: this.#clips !== null };
  }

  /** To be called about every second. */
  tick(nowMs: number): void {
    this.#clips?.tick(nowMs);
  }

  /** What is begun is finished with what there is. */
  async finish(): Promise<void> {
    await this.#clips?.finish();
  }

  async #keepThumbnail(alertId: string, frameId: number, box: BoundingBox): Promise<void> {
    const { vision, evidence, log } = this.#deps;
    const cameraId = this.#spec.id;
    try {
      const image = await vision.snapshot(cameraId, frameId, this.#spec.snapshot?.maxWidth ?? 0);
      if (image === null) return;
      const jpeg = await sharp(image.jpeg)
        .extract(surroundings(box, image))
        .resize({ width: THUMBNAIL_WIDTH, withoutEnlargement: true })
        .jpeg({ quality: JPEG_QUALITY })
        .toBuffer();
      await evidence.thumbnails.save({ cameraId, eventId: alertId }, jpeg);
    } catch (error) {
      log.warn({ err: error, alert_id: alertId }, 'no thumbnail of this alert');
    }
  }
}

/** The object with some of what is around it, in pixels of the picture. */
function surroundings(
  { x, y, width, height }: BoundingBox,
  picture: { readonly width: number; readonly height: number },
): { left: number; top: number; width: number; height: number } {
  const within = (value: number, size: number): number =>
    Math.min(size, Math.max(0, Math.round(value * size)));
  const left = Math.min(within(x - MARGIN * width, picture.width), picture.width - 1);
  const top = Math.min(within(y - MARGIN * height, picture.height), picture.height - 1);
  const right = Math.max(left + 1, within(x + width * (1 + MARGIN), picture.width));
  const bottom = Math.max(top + 1, within(y + height * (1 + MARGIN), picture.height));
  return { left, top, width: right - left, height: bottom - top };
}
