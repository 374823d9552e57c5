import type { CameraView } from '../api/edge-status.ts';
import type { CameraFault, CameraSpec, CameraStatus } from '../capture/contract.ts';
import { type CameraChanges, CameraEvents, type SnapshotRequest } from '../events/camera-events.ts';
import type { SnapshotFiles } from '../events/snapshot-files.ts';
import type { ObjectEvent } from '../protocol/payloads.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import type { CameraCounters, FrameResult } from '../vision/contract.ts';
import type { VisionHandle } from '../vision/handle.ts';

export interface CameraPipelineDeps {
  store: Store;
  vision: VisionHandle;
  /** Null when no pictures are kept. */
  snapshots: SnapshotFiles | null;
  clock: Clock;
  random: () => number;
  log: Logger;
}

interface ToldEvent {
  event: ObjectEvent;
  at: { wallMs: number; monoMs: number; snapshotPath: string | null };
}

/** Events of hours; more would take the memory that detecting needs. */
const MAX_REFUSED = 1000;

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
  /** Counted here, so that it goes on over restarts of the vision process. */
  #analysed = 0;
  /** By event: what the store would not take. */
  readonly #refused = new Map<string, ToldEvent>();
  /** What the store did not take since it last took something of the kind. */
  readonly #unstored = new Map<string, number>();
  /** Writes leave in the order of what they tell, and `settled` waits for them. */
  #writes: Promise<void> = Promise.resolve();

  constructor(spec: CameraSpec, deps: CameraPipelineDeps) {
    this.#spec = spec;
    this.#deps = { ...deps, log: deps.log.child({ camera: spec.id }) };
    this.#events = new CameraEvents({
      cameraId: spec.id,
      minScore: spec.minScore,
      frameIntervalMs: frameIntervalMs(spec),
      random: deps.random,
      snapshots: spec.snapshot !== null && deps.snapshots !== null,
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

  /** Whether the store has refused something that has to be offered again. */
  get hasUnstored(): boolean {
    return this.#refused.size > 0;
  }

  get fps(): number {
    return this.#status.state === 'streaming' ? (this.#counters?.fps ?? 0) : 0;
  }

  frame(result: FrameResult): void {
    this.#analysed++;
    const wanted = this.#spec.labels;
    const detections =
      wanted === null
        ? result.detections
        : result.detections.filter(({ label }) => wanted.includes(label));
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
    for (const told of [...this.#refused.values()]) this.#store(told);
  }

  /** Ends what is in view and waits until everything told so far is stored. */
  async shutdown(): Promise<void> {
    this.#apply(this.#events.shutdown());
    await this.#writes;
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
      stream,
      decoder,
      analysed: analysed && { fps: fps === 'all' ? null : fps, ...analysed },
      change,
    };
  }

  #apply({ events, detections, snapshots }: CameraChanges): void {
    for (const event of events) this.#record(event);
    if (detections !== null) {
      this.#write('detection result', () =>
        this.#deps.store.enqueue([
          {
            type: 'ai_detection_result',
            cameraId: this.#spec.id,
            data: detections,
            wallMs: detections.timestamp,
            monoMs: this.#deps.clock.monotonicMs(),
          },
        ]),
      );
    }
    for (const request of snapshots) void this.#takeSnapshot(request);
  }

  #record(event: ObjectEvent): void {
    const { event_id, label, phase } = event;
    const snapshotPath = this.#inView.get(event_id)?.snapshotPath ?? null;
    if (phase === 'end') this.#inView.delete(event_id);
    else this.#inView.set(event_id, { label, snapshotPath });
    if (phase === 'new') this.#started++;
    if (phase === 'end') this.#ended++;
    const at = { wallMs: event.timestamp, monoMs: this.#deps.clock.monotonicMs(), snapshotPath };
    this.#store({ event, at });
  }

  /** What the store refuses is kept, the newest of each event, and offered again with the next tick. */
  #store(told: ToldEvent): void {
    const { event_id } = told.event;
    this.#refused.delete(event_id);
    this.#write('object event', async () => {
      try {
        await this.#deps.store.recordEvent(told.event, told.at);
        // The store answers in order, and a later message of an event says everything that earlier ones do.
        this.#refused.delete(event_id);
      } catch (error) {
        if (this.#refused.has(event_id) || this.#refused.size < MAX_REFUSED) {
          this.#refused.set(event_id, told);
        }
        throw error;
      }
    });
  }

  #objectsInView(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { label } of this.#inView.values()) counts[label] = (counts[label] ?? 0) + 1;
    return counts;
  }

  #write(what: string, write: () => Promise<void>): void {
    const written = write().then(
      () => this.#noteWritten(what, null),
      (error: unknown) => this.#noteWritten(what, error),
    );
    this.#writes = Promise.all([this.#writes, written]).then(() => undefined);
  }

  /** A store that takes nothing is told once, not with every frame. */
  #noteWritten(what: string, error: unknown): void {
    const lost = this.#unstored.get(what) ?? 0;
    if (error !== null) {
      this.#unstored.set(what, lost + 1);
      if (lost === 0) this.#deps.log.error({ err: error, what }, 'could not be stored');
    } else if (lost > 0) {
      this.#unstored.delete(what);
      this.#deps.log.warn({ what, lost }, 'stored again');
    }
  }

  async #takeSnapshot({ cameraId, eventId, frameId }: SnapshotRequest): Promise<void> {
    const { vision, snapshots, log } = this.#deps;
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
    stream: null,
    decoder: null,
    analysed: null,
    change: null,
  };
}

function frameIntervalMs({ fps }: CameraSpec): number | null {
  return fps === 'all' ? null : 1000 / fps;
}
