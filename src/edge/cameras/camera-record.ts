import type { JournalIntake } from '../../journal/contract.ts';
import type { LiveFeed } from '../../live/live-feed.ts';
import type {
  AiDetectionResult,
  AlertTriggered,
  FaceDetectionResult,
  ObjectEvent,
} from '../../protocol/payloads.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import { AlertRecord } from '../alert-record.ts';
import { StoreWrites } from '../store-writes.ts';

export interface CameraRecordDeps {
  store: Store;
  journal: JournalIntake;
  live: LiveFeed;
  /** 0 up to 1, as Math.random. */
  random: () => number;
  clock: Clock;
  /** Of the camera. */
  log: Logger;
}

interface ToldEvent {
  event: ObjectEvent;
  at: { wallMs: number; monoMs: number; snapshotPath: string | null };
}

/** Events of hours; more would take the memory that detecting needs. */
const MAX_REFUSED = 1000;

/**
 * What one camera has seen, on its way into store and journal. Events and alerts that the store refuses are offered
 * again; the journal does so itself.
 */
export class CameraRecord {
  readonly #cameraId: string;
  readonly #deps: CameraRecordDeps;
  /** By event: what the store would not take, the newest of each. */
  readonly #refused = new Map<string, ToldEvent>();
  readonly #alerts: AlertRecord;
  readonly #writes: StoreWrites;

  constructor(cameraId: string, deps: CameraRecordDeps) {
    this.#cameraId = cameraId;
    this.#deps = deps;
    this.#writes = new StoreWrites(deps.log);
    this.#alerts = new AlertRecord({ ...deps, writes: this.#writes });
  }

  /** Whether something is not stored, or not yet. */
  get hasUnstored(): boolean {
    return this.#refused.size + this.#alerts.refused + this.#writes.pending > 0;
  }

  get hasUnstoredAlerts(): boolean {
    return this.#alerts.hasUnstored;
  }

  detections(data: AiDetectionResult): void {
    const { store, clock, live } = this.#deps;
    const item = {
      type: 'ai_detection_result',
      cameraId: this.#cameraId,
      data,
      wallMs: data.timestamp,
      monoMs: clock.monotonicMs(),
    } as const;
    live.publish(item);
    this.#writes.run('detection result', () => store.enqueue([item]));
  }

  faces(data: FaceDetectionResult): void {
    const { store, clock, live } = this.#deps;
    const item = {
      type: 'face_detection_result',
      cameraId: this.#cameraId,
      data,
      wallMs: data.timestamp,
      monoMs: clock.monotonicMs(),
    } as const;
    live.publish(item);
    this.#writes.run('face', () => store.enqueue([item]));
  }

  event(event: ObjectEvent, snapshotPath: string | null): void {
    const at = { wallMs: event.timestamp, monoMs: this.#deps.clock.monotonicMs(), snapshotPath };
    const { journal, live } = this.#deps;
    journal.event(event);
    const { camera_id: cameraId, timestamp: wallMs } = event;
    live.publish({ type: 'object_event', cameraId, data: event, wallMs });
    this.#store({ event, at });
  }

  alert(data: AlertTriggered): void {
    this.#alerts.tell(data);
  }

  /** Offers once more what the store refused. */
  offerAgain(): void {
    this.#alerts.offerAgain();
    for (const told of [...this.#refused.values()]) this.#store(told);
  }

  /** Resolves when the store has answered to everything told so far. */
  async settled(): Promise<void> {
    await this.#writes.settled();
  }

  #store(told: ToldEvent): void {
    const { event_id } = told.event;
    this.#refused.delete(event_id);
    this.#writes.run('object event', async () => {
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
}
