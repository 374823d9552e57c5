import type { CameraView } from '../../api/edge-status.ts';
import type { LivePictures } from '../../api/live-pictures.ts';
import type { CameraSpec, CameraStatus } from '../../capture/contract.ts';
import {
  type CameraChanges,
  CameraEvents,
  type SnapshotRequest,
} from '../../events/camera-events.ts';
import { EventFaces, type FaceNews } from '../../events/event-faces.ts';
import type { CameraRules } from '../../events/rules/camera-rules.ts';
import type { CameraFaces, FaceRequest } from '../../faces/recognition/camera-faces.ts';
import type { JournalIntake } from '../../journal/contract.ts';
import type { LiveFeed } from '../../live/live-feed.ts';
import type { ObjectEvent } from '../../protocol/payloads.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import type { ObjectMask } from '../../tracking/zones/object-mask.ts';
import type { CameraCounters, FrameResult, PersonFace } from '../../vision/contract.ts';
import type { VisionHandle } from '../../vision/handle.ts';
import type { EdgeEvidence } from '../edge-evidence.ts';
import type { ThumbnailPost } from '../thumbnail-post.ts';
import { AlertEvidence } from './alert-evidence.ts';
import { CameraRecord } from './camera-record.ts';
import { CameraVitals } from './camera-vitals.ts';
import { EventPictures, keptPictureSize } from './event-pictures.ts';
import { OpenStays } from './open-stays.ts';
import { shownObjects } from './shown-objects.ts';
import { WantedObjects } from './wanted-objects.ts';

export interface CameraPipelineDeps {
  store: Store;
  journal: JournalIntake;
  live: LiveFeed;
  vision: VisionHandle;
  evidence: Pick<EdgeEvidence, 'snapshots' | 'faces' | 'thumbnails' | 'clipsOf'>;
  thumbnailPost: Pick<ThumbnailPost, 'send'>;
  /** For whoever looks on. */
  pictures: Pick<LivePictures, 'frame'>;
  /** Null for a camera without rules. */
  rulesFor: (cameraId: string) => CameraRules | null;
  /** Null for a camera on which nobody is recognised. */
  facesFor: (cameraId: string) => CameraFaces<PersonFace> | null;
  /** Where nothing is an object. */
  masksFor: (cameraId: string) => readonly ObjectMask[];
  clock: Clock;
  random: () => number;
  log: Logger;
}

/** What happens with the results of one camera: frames to events, events to the store, pictures to files. */
export class CameraPipeline {
  #spec: CameraSpec;
  readonly #deps: CameraPipelineDeps;
  readonly #vitals: CameraVitals;
  #masks: readonly ObjectMask[];
  #wanted: WantedObjects;
  #rules: CameraRules | null;
  readonly #faces: EventFaces<PersonFace> | null;
  readonly #events: CameraEvents;
  readonly #stays = new OpenStays();
  #alerts = 0;
  readonly #record: CameraRecord;
  readonly #evidence: AlertEvidence;
  readonly #pictures: EventPictures;

  constructor(spec: CameraSpec, deps: CameraPipelineDeps) {
    this.#spec = spec;
    this.#deps = { ...deps, log: deps.log.child({ camera: spec.id }) };
    this.#vitals = new CameraVitals(spec.id, deps.clock.monotonicMs());
    this.#record = new CameraRecord(spec.id, this.#deps);
    this.#evidence = new AlertEvidence(spec, this.#deps);
    this.#pictures = new EventPictures(this.#deps);
    this.#masks = deps.masksFor(spec.id);
    this.#wanted = new WantedObjects(spec.labels, this.#masks);
    this.#rules = deps.rulesFor(spec.id);
    this.#faces = this.#eventFaces();
    this.#events = new CameraEvents({
      cameraId: spec.id,
      minScore: spec.minScore,
      frameIntervalMs: frameIntervalMs(spec),
      random: deps.random,
      snapshots: spec.snapshot !== null && deps.evidence.snapshots !== null,
      rules: this.#rules,
      faces: this.#faces,
    });
  }

  get status(): CameraStatus {
    return this.#vitals.status;
  }

  /** How the camera is watched. */
  get spec(): CameraSpec {
    return this.#spec;
  }

  /** The camera is watched otherwise from now on; its events go on. */
  specChanged(spec: CameraSpec): void {
    this.#spec = spec;
    this.#wanted = new WantedObjects(spec.labels, this.#masks);
    this.#events.frameIntervalChanged(frameIntervalMs(spec));
  }

  /** Its rules, zones, lines and masks are others from now on; its events go on. */
  placesChanged(): void {
    const { masksFor, rulesFor } = this.#deps;
    this.#masks = masksFor(this.#spec.id);
    this.#wanted = new WantedObjects(this.#spec.labels, this.#masks);
    this.#rules = rulesFor(this.#spec.id);
    this.#events.rulesChanged(this.#rules);
  }

  /** Whether something that was seen is not stored, or not yet. */
  get hasUnstored(): boolean {
    return this.#record.hasUnstored;
  }

  /** Whether the store does not have an alert of it, or not yet. */
  get hasUnstoredAlerts(): boolean {
    return this.#record.hasUnstoredAlerts;
  }

  frame(result: FrameResult): void {
    this.#vitals.frameAnalysed();
    const detections = this.#wanted.among(result.detections);
    const changes = this.#events.frame({ ...result, detections });
    this.#apply(changes);
    const { cameraId, frameId, wallMs } = result;
    if (changes.objects !== null)
      this.#deps.pictures.frame(cameraId, {
        frameId,
        wallMs,
        objects: shownObjects(changes.objects),
      });
  }

  statusChanged(status: CameraStatus): void {
    this.#vitals.statusChanged(status);
    if (this.#vitals.hasEnded) this.#apply(this.#events.cameraLost());
  }

  countersChanged(counters: CameraCounters): void {
    this.#vitals.countersChanged(counters);
  }

  /** Labels of the configuration that the model does not have. */
  unknownLabels(known: readonly string[]): string[] {
    return this.#wanted.unknownLabels(known);
  }

  /** To be called about every second: events end also when no frame comes. */
  tick(monoMs: number): void {
    this.#apply(this.#events.tick(monoMs));
    this.#record.offerAgain();
    this.#evidence.tick(monoMs);
  }

  /** Ends what is in view, offers the store once more what it refused, and waits for its answers. */
  async shutdown(): Promise<void> {
    this.#apply(this.#events.shutdown());
    await this.#evidence.finish();
    await this.#record.settled();
    this.#record.offerAgain();
    await this.#record.settled();
  }

  /** @param change how it differs from the configuration, in words; null where it does not */
  view(nowMs: number, change: string | null): CameraView {
    return {
      ...this.#vitals.view(nowMs, this.#spec.fps),
      objects: this.#stays.byLabel,
      events_started: this.#stays.started,
      events_ended: this.#stays.ended,
      alerts: this.#alerts,
      faces: this.#faces?.counts ?? null,
      clips: this.#evidence.clips,
      ...(this.#rules?.counts ?? { zones: {}, lines: {} }),
      change,
    };
  }

  #apply(changes: CameraChanges): void {
    const { events, detections, snapshots, alerts, faceRequest, faces } = changes;
    for (const event of events) this.#tell(event);
    // An alert follows the event that it names.
    for (const alert of alerts) this.#record.alert(this.#evidence.alert(alert, changes.frame));
    this.#alerts += alerts.length;
    if (detections !== null) this.#record.detections(detections);
    this.#tellFaces(faces);
    for (const request of snapshots) void this.#takeSnapshot(request);
    if (faceRequest !== null) void this.#readFaces(faceRequest);
  }

  #tell(event: ObjectEvent): void {
    this.#record.event(event, this.#stays.told(event));
  }

  #tellFaces({ results, best }: FaceNews<PersonFace>): void {
    for (const result of results) this.#record.faces(result);
    const cameraId = this.#spec.id;
    for (const { eventId, face } of best)
      if (face.jpeg !== null) void this.#pictures.keepFace({ cameraId, eventId }, face.jpeg);
  }

  async #readFaces(request: FaceRequest): Promise<void> {
    const boxes = request.persons.map(({ box }) => box);
    const faces = await this.#deps.vision.faces(this.#spec.id, request.frameId, boxes);
    this.#tellFaces(this.#events.facesRead(request, faces));
  }

  async #takeSnapshot(request: SnapshotRequest): Promise<void> {
    const { eventId } = request;
    const path = await this.#pictures.keepSnapshot(request, this.#spec.snapshot?.maxWidth ?? 0);
    if (path === null) {
      this.#events.snapshotMissed(eventId);
      return;
    }
    this.#stays.pictured(eventId, path);
    this.#events.snapshotSaved(eventId, request.box);
  }

  #eventFaces(): EventFaces<PersonFace> | null {
    const cameraId = this.#spec.id;
    const recognition = this.#deps.facesFor(cameraId);
    const pictureSize = () => keptPictureSize(this.#vitals.status.stream, this.#spec.snapshot);
    return recognition && new EventFaces({ cameraId, recognition, pictureSize });
  }
}

function frameIntervalMs({ fps }: CameraSpec): number | null {
  return fps === 'all' ? null : 1000 / fps;
}
