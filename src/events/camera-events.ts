import type { FaceRequest } from '../faces/recognition/camera-faces.ts';
import { type BoundingBox, detectionType } from '../protocol/detection.ts';
import type { AiDetectionResult, AlertTriggered, ObjectEvent } from '../protocol/payloads.ts';
import { Tracker } from '../tracking/tracker.ts';
import type { Track } from '../tracking/types.ts';
import type { FrameResult, PersonFace } from '../vision/contract.ts';
import { BestSnapshot, snapshotQuality } from './best-snapshot.ts';
import { DetectionFeed } from './detection-feed.ts';
import type { EventFaces, FaceNews } from './event-faces.ts';
import { makeEventId } from './event-id.ts';
import { type EndReason, LiveEvent } from './live-event.ts';
import type { SeenObject } from './rules/alert.ts';
import type { CameraRules } from './rules/camera-rules.ts';

/** An object out of sight for this long has left; at low frame rates at least for three frames. */
const LOST_AFTER_MS = 2800;
const LOST_AFTER_FRAMES = 3;
/** Frames farther apart than this: two sightings confirm an object, else three. */
const SPARSE_FRAMES_MS = 400;

export interface CameraEventsOptions {
  cameraId: string;
  /** Score from which a detection may start an event; lower ones only continue one. */
  minScore: number;
  /** Usual time between analysed frames; null when every frame is analysed. */
  frameIntervalMs: number | null;
  /** 0 up to 1, as Math.random; for event ids. */
  random: () => number;
  /** Whether pictures are asked for. */
  snapshots: boolean;
  /** Who is recognised; null for nobody. */
  faces?: EventFaces<PersonFace> | null;
  /** What raises alerts; null for nothing. */
  rules?: CameraRules | null;
  /** Least time between two updates of an event. Default 5 s. */
  updateIntervalMs?: number;
  /** An event without a change is told again after this. Default 60 s. */
  aliveIntervalMs?: number;
  /** Least time between two detection results; 0 for every frame with a change. Default 1 s. */
  detectionIntervalMs?: number;
}

/** Asks for the picture of a frame as the best one of an event so far. */
export interface SnapshotRequest {
  cameraId: string;
  eventId: string;
  frameId: number;
  box: BoundingBox;
}

/** What follows from a frame or from the lack of one. */
export interface CameraChanges {
  events: readonly ObjectEvent[];
  detections: AiDetectionResult | null;
  snapshots: readonly SnapshotRequest[];
  alerts: readonly AlertTriggered[];
  /** The frame that it follows from; null where none came. */
  frame: Pick<FrameResult, 'frameId' | 'monoMs'> | null;
  /** Whose faces to read in this frame. */
  faceRequest: FaceRequest | null;
  faces: FaceNews<PersonFace>;
  /** In view, whether it is worth telling or not; null where no frame came. */
  objects: readonly SeenObject[] | null;
}

const NO_CHANGES: CameraChanges = {
  ...{ events: [], detections: null, snapshots: [], alerts: [], frame: null },
  ...{ faceRequest: null, faces: { results: [], best: [] }, objects: null },
};

interface Followed {
  event: LiveEvent;
  best: BestSnapshot;
}

/** Turns the detections of one camera into events. Pure: time and randomness come in. */
export class CameraEvents {
  readonly #options: Required<CameraEventsOptions>;
  #lostAfterMs: number;
  readonly #tracker: Tracker;
  readonly #feed: DetectionFeed;
  readonly #followed = new Map<number, Followed>();
  #lastFrame: FrameResult | null = null;
  #lateFrames = 0;
  /** Time of the first tick since the last frame. */
  #quietSinceMs: number | null = null;

  constructor(options: CameraEventsOptions) {
    this.#options = {
      updateIntervalMs: 5000,
      aliveIntervalMs: 60_000,
      detectionIntervalMs: 1000,
      rules: null,
      faces: null,
      ...options,
    };
    const pace = paceOf(options.frameIntervalMs);
    this.#lostAfterMs = pace.lostAfterMs;
    this.#tracker = new Tracker({ highScore: options.minScore, groupOf: detectionType, ...pace });
    this.#feed = new DetectionFeed({
      intervalMs: this.#options.detectionIntervalMs,
      refreshMs: 10_000,
    });
  }

  /** Frames come at another rate from now on; events go on. */
  frameIntervalChanged(frameIntervalMs: number | null): void {
    const pace = paceOf(frameIntervalMs);
    this.#lostAfterMs = pace.lostAfterMs;
    this.#tracker.pace(pace);
  }

  /** Other rules, zones and lines from now on; events go on. */
  rulesChanged(rules: CameraRules | null): void {
    this.#options.rules = rules;
  }

  /** Events going on. */
  get active(): number {
    return this.#followed.size;
  }

  /** Frames left out because a newer one came before them. */
  get lateFrames(): number {
    return this.#lateFrames;
  }

  /** Detections left out because their numbers make no sense. */
  get refusedDetections(): number {
    return this.#tracker.refused;
  }

  /**
   * Takes in an analysed frame with the detections of the labels wanted, weak ones included. Frames come in their
   * order; a late one is left out.
   */
  frame(result: FrameResult): CameraChanges {
    const sinceLastMs = result.monoMs - (this.#lastFrame ?? result).monoMs;
    const isSameStretch = Math.abs(sinceLastMs) <= this.#lostAfterMs;
    if (!Number.isFinite(result.monoMs) || (isSameStretch && sinceLastMs < 0)) {
      this.#lateFrames++;
      return NO_CHANGES;
    }
    // After a long silence, or when time counts anew (a file that plays again), nothing goes on.
    const lost = isSameStretch ? NO_CHANGES : this.cameraLost();
    this.#lastFrame = result;
    this.#quietSinceMs = null;
    const { seen, tentative, started, ended } = this.#tracker.update(
      result.detections,
      result.monoMs,
    );
    const left = ended.flatMap((track) => this.#end(track, 'left'));
    for (const track of started) this.#begin(track, result);
    const objects = seen.map((track) => this.#object(track));
    // Before events are told: they say in which zones the rules have them.
    const alerts = this.#options.rules?.frame(objects, result) ?? [];
    return {
      events: [...lost.events, ...left, ...seen.flatMap((track) => this.#tell(track, result))],
      detections: lost.detections ?? this.#feed.frame(result, objects),
      snapshots: this.#options.snapshots ? this.#wantedSnapshots(seen, result) : [],
      alerts: [...lost.alerts, ...alerts],
      frame: result,
      faceRequest: this.#options.faces?.wanted(seen, tentative, result) ?? null,
      faces: this.#faceNews(),
      objects,
    };
  }

  /** The faces that were asked for; null where the picture was gone. */
  facesRead(
    request: FaceRequest,
    faces: readonly (PersonFace | null)[] | null,
  ): FaceNews<PersonFace> {
    this.#options.faces?.read(request, faces);
    return this.#faceNews();
  }

  /**
   * To be called about every second, so that events end when no frame comes. Silence is measured from tick to
   * tick: frames of a file played as fast as possible have a time of their own.
   */
  tick(monoMs: number): CameraChanges {
    this.#quietSinceMs ??= monoMs;
    return monoMs - this.#quietSinceMs > this.#lostAfterMs ? this.cameraLost() : NO_CHANGES;
  }

  /** The camera delivers no more: everything in view ends. */
  cameraLost(): CameraChanges {
    return this.#endAll('camera_lost');
  }

  shutdown(): CameraChanges {
    return this.#endAll('shutdown');
  }

  /** The picture asked for is stored: from the next message on the event has a snapshot. */
  snapshotSaved(eventId: string, box: BoundingBox): void {
    const followed = this.#find(eventId);
    followed?.event.snapshotSaved(box);
    followed?.best.saved();
  }

  /** The picture asked for could not be had. */
  snapshotMissed(eventId: string): void {
    this.#find(eventId)?.best.missed();
  }

  #endAll(reason: EndReason): CameraChanges {
    // Nobody saw it leave: what is there again afterwards has been there all the time.
    this.#options.rules?.interrupted();
    const events = this.#tracker.flush().flatMap((track) => this.#end(track, reason));
    const detections = this.#lastFrame === null ? null : this.#feed.clear(this.#lastFrame);
    const alerts = this.#lastFrame && this.#options.rules?.end(this.#lastFrame.wallMs);
    return { ...NO_CHANGES, events, detections, alerts: alerts ?? [], faces: this.#faceNews() };
  }

  #begin(track: Track, { wallMs, monoMs, model }: FrameResult): void {
    const startTime = wallMs - (monoMs - track.firstSeenMs);
    const event = new LiveEvent({
      id: makeEventId(startTime, track.id, this.#options.random),
      cameraId: this.#options.cameraId,
      model,
      startTime,
      track,
    });
    this.#followed.set(track.id, { event, best: new BestSnapshot() });
    this.#options.faces?.begun(track.id, event);
  }

  /** What a sighting is worth telling of the event of its track. */
  #tell(track: Track, { monoMs }: FrameResult): ObjectEvent[] {
    const zones = this.#options.rules?.zonesOf(track.id) ?? null;
    const told = this.#get(track).event.see({ track, zones, monoMs }, this.#options);
    return told === null ? [] : [told];
  }

  #end(track: Track, reason: EndReason): ObjectEvent[] {
    const followed = this.#followed.get(track.id);
    this.#followed.delete(track.id);
    this.#options.rules?.forget(track.id);
    this.#options.faces?.ended(track.id);
    return followed === undefined
      ? []
      : [followed.event.end(reason, this.#lastFrame?.monoMs ?? track.lastSeenMs)];
  }

  #object(track: Track): SeenObject {
    const { event } = this.#get(track);
    return { track, eventId: event.id, identity: event.identity, isUnknown: event.isUnknown };
  }

  #faceNews(): FaceNews<PersonFace> {
    return this.#options.faces?.take() ?? NO_CHANGES.faces;
  }

  #wantedSnapshots(seen: readonly Track[], { frameId, monoMs }: FrameResult): SnapshotRequest[] {
    return seen
      .map((track) => ({ track, followed: this.#get(track) }))
      .filter(({ track, followed }) =>
        followed.best.isWorthIt(snapshotQuality(track.box, track.score), monoMs),
      )
      .map(({ track, followed }) => ({
        cameraId: this.#options.cameraId,
        eventId: followed.event.id,
        frameId,
        box: track.box,
      }));
  }

  /** Of a confirmed track: it has an event from its start to its end. */
  #get(track: Track): Followed {
    const followed = this.#followed.get(track.id);
    if (followed === undefined) throw new Error(`track ${track.id} has no event`);
    return followed;
  }

  #find(eventId: string): Followed | undefined {
    return [...this.#followed.values()].find(({ event }) => event.id === eventId);
  }
}

function paceOf(frameIntervalMs: number | null): { lostAfterMs: number; confirmHits: number } {
  const intervalMs = frameIntervalMs ?? 0;
  return {
    lostAfterMs: Math.max(LOST_AFTER_MS, LOST_AFTER_FRAMES * intervalMs),
    confirmHits: intervalMs > SPARSE_FRAMES_MS ? 2 : 3,
  };
}
