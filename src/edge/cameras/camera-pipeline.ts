import type { CameraView } from '../../api/edge-status.ts';
import type { CameraFault, CameraSpec, CameraStatus } from '../../capture/contract.ts';
import {
  type CameraChanges,
  CameraEvents,
  type SnapshotRequest,
} from '../../events/camera-events.ts';
import { EventFaces, type FaceNews } from '../../events/event-faces.ts';
import type { CameraRules } from '../../events/rules/camera-rules.ts';
import type { CameraFaces, FaceRequest } from '../../faces/recognition/camera-faces.ts';
import type { ObjectEvent } from '../../protocol/payloads.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import { isMasked, type ObjectMask } from '../../tracking/zones/object-mask.ts';
import type { CameraCounters, FrameResult, PersonFace } from '../../vision/contract.ts';
import type { VisionHandle } from '../../vision/handle.ts';
import type { EdgeEvidence } from '../edge-evidence.ts';
import type { ThumbnailPost } from '../thumbnail-post.ts';
import { AlertEvidence } from './alert-evidence.ts';
import { CameraRecord } from './camera-record.ts';

export interface CameraPipelineDeps {
  store: Store;
  vision: VisionHandle;
  evidence: Pick<EdgeEvidence, 'snapshots' | 'faces' | 'thumbnails' | 'clipsOf'>;
  thumbnailPost: Pick<ThumbnailPost, 'send'>;
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

const NO_PLACES = { zones: {}, lines: {} };

/** States in which nobody watches any more, so that what was in view has ended. */
const ENDED_STATES: ReadonlySet<CameraStatus['state']> = new Set([
  'disabled',
  'stopped',
  'failed',
  'finished',
]);

/** What happens with the results of one camera: frames to events, events to the store, pictures to files. */
export class CameraPipeline {
  #spec: CameraSpec;
  readonly #deps: CameraPipelineDeps;
  readonly #events: CameraEvents;
  /** Events going on: what is in view, and where its picture is once there is one. */
  readonly #inView = new Map<string, { label: string; snapshotPath: string | null }>();
  #status: CameraStatus;
  #counters: CameraCounters | null = null;
  #started = 0;
  #ended = 0;
  #alerts = 0;
  #faces: { decided: number; named: number } | null = null;
  readonly #rules: CameraRules | null;
  readonly #masks: readonly ObjectMask[];
  /** Counted here, so that it goes on over restarts of the vision process. */
  #analysed = 0;
  readonly #record: CameraRecord;
  readonly #evidence: AlertEvidence;

  constructor(spec: CameraSpec, deps: CameraPipelineDeps) {
    this.#spec = spec;
    this.#deps = { ...deps, log: deps.log.child({ camera: spec.id }) };
    this.#record = new CameraRecord(spec.id, this.#deps);
    this.#evidence = new AlertEvidence(spec, this.#deps);
    this.#rules = deps.rulesFor(spec.id);
    this.#masks = deps.masksFor(spec.id);
    const recognition = deps.facesFor(spec.id);
    if (recognition !== null) this.#faces = { decided: 0, named: 0 };
    this.#events = new CameraEvents({
      cameraId: spec.id,
      minScore: spec.minScore,
      frameIntervalMs: frameIntervalMs(spec),
      random: deps.random,
      snapshots: spec.snapshot !== null && deps.evidence.snapshots !== null,
      rules: this.#rules,
      faces:
        recognition &&
        new EventFaces({
          ...{ cameraId: spec.id, recognition },
          pictureSize: () => this.#pictureSize(),
        }),
    });
    this.#status = {
      cameraId: spec.id,
      state: 'connecting',
      sinceMonoMs: deps.clock.monotonicMs(),
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

  /** How the camera is watched. */
  get spec(): CameraSpec {
    return this.#spec;
  }

  /** The camera is watched otherwise from now on; its events go on. */
  specChanged(spec: CameraSpec): void {
    this.#spec = spec;
    this.#events.frameIntervalChanged(frameIntervalMs(spec));
  }

  /** Whether something that was seen is not stored, or not yet. */
  get hasUnstored(): boolean {
    return this.#record.hasUnstored;
  }

  /** Whether the store does not have an alert of it, or not yet. */
  get hasUnstoredAlerts(): boolean {
    return this.#record.hasUnstoredAlerts;
  }

  get fps(): number {
    return this.#status.state === 'streaming' ? (this.#counters?.fps ?? 0) : 0;
  }

  frame(result: FrameResult): void {
    this.#analysed++;
    const wanted = this.#spec.labels;
    const detections = result.detections.filter(
      (each) => (wanted?.includes(each.label) ?? true) && !isMasked(this.#masks, each),
    );
    this.#apply(this.#events.frame({ ...result, detections }));
  }

  statusChanged(status: CameraStatus): void {
    this.#status = status;
    if (ENDED_STATES.has(status.state)) this.#apply(this.#events.cameraLost());
  }

  /** Labels of the configuration that the model does not have. */
  unknownLabels(known: readonly string[]): string[] {
    return (this.#spec.labels ?? []).filter((label) => !known.includes(label));
  }

  countersChanged(counters: CameraCounters): void {
    this.#counters = counters;
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
    const { state, fault, reconnects, retryAtMonoMs, stream, decoder, analysed, sinceMonoMs } =
      this.#status;
    const { fps } = this.#spec;
    return {
      camera_id: this.#spec.id,
      state,
      since_s: (nowMs - sinceMonoMs) / 1000,
      fault,
      retry_in_s: retryAtMonoMs === null ? null : Math.max(0, retryAtMonoMs - nowMs) / 1000,
      reconnects,
      fps: this.fps,
      frames_received: this.#counters?.framesReceived ?? 0,
      frames_analysed: this.#analysed,
      frames_dropped: this.#counters?.framesDropped ?? 0,
      objects: this.#objectsInView(),
      events_started: this.#started,
      events_ended: this.#ended,
      alerts: this.#alerts,
      faces: this.#faces && { ...this.#faces },
      clips: this.#evidence.clips,
      ...(this.#rules?.counts ?? NO_PLACES),
      stream,
      decoder,
      analysed: analysed && { fps: fps === 'all' ? null : fps, ...analysed },
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

  #tellFaces({ results, best }: FaceNews<PersonFace>): void {
    for (const result of results) {
      this.#record.faces(result);
      if (this.#faces === null) continue;
      this.#faces.decided++;
      if (result.faces.some(({ is_known }) => is_known === true)) this.#faces.named++;
    }
    for (const { eventId, face } of best)
      if (face.jpeg !== null) void this.#keepFace(eventId, face.jpeg);
  }

  async #readFaces(request: FaceRequest): Promise<void> {
    const boxes = request.persons.map(({ box }) => box);
    const faces = await this.#deps.vision.faces(this.#spec.id, request.frameId, boxes);
    this.#tellFaces(this.#events.facesRead(request, faces));
  }

  async #keepFace(eventId: string, jpeg: Uint8Array): Promise<void> {
    const { evidence, log } = this.#deps;
    try {
      await evidence.faces.save({ cameraId: this.#spec.id, eventId }, jpeg);
    } catch (error) {
      log.warn({ err: error, event_id: eventId }, 'no face kept for this event');
    }
  }

  /** Of the pictures that are kept, pixels; null while the stream is not known. */
  #pictureSize(): { width: number; height: number } | null {
    const { stream } = this.#status;
    const { snapshot } = this.#spec;
    if (stream === null || snapshot === null) return null;
    const { maxWidth, maxHeight } = snapshot;
    const scale = Math.min(1, maxWidth / stream.width, maxHeight / stream.height);
    return { width: stream.width * scale, height: stream.height * scale };
  }

  #tell(event: ObjectEvent): void {
    const { event_id, label, phase } = event;
    const snapshotPath = this.#inView.get(event_id)?.snapshotPath ?? null;
    if (phase === 'end') this.#inView.delete(event_id);
    else this.#inView.set(event_id, { label, snapshotPath });
    if (phase === 'new') this.#started++;
    if (phase === 'end') this.#ended++;
    this.#record.event(event, snapshotPath);
  }

  #objectsInView(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { label } of this.#inView.values()) counts[label] = (counts[label] ?? 0) + 1;
    return counts;
  }

  async #takeSnapshot({ cameraId, eventId, frameId }: SnapshotRequest): Promise<void> {
    const { vision, evidence, log } = this.#deps;
    const { snapshots } = evidence;
    try {
      const maxWidth = this.#spec.snapshot?.maxWidth ?? 0;
      const image = await vision.snapshot(cameraId, frameId, maxWidth);
      if (image === null || snapshots === null) {
        this.#events.snapshotMissed(eventId);
        return;
      }
      const path = await snapshots.save({ cameraId, eventId }, image.jpeg);
      const inView = this.#inView.get(eventId);
      if (inView !== undefined) inView.snapshotPath = path;
      this.#events.snapshotSaved(eventId);
    } catch (error) {
      this.#events.snapshotMissed(eventId);
      log.warn({ err: error, event_id: eventId }, 'no snapshot for this event');
    }
  }
}

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
    ...NO_PLACES,
    stream: null,
    decoder: null,
    analysed: null,
    change: null,
  };
}

function frameIntervalMs({ fps }: CameraSpec): number | null {
  return fps === 'all' ? null : 1000 / fps;
}
