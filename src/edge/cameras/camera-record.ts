import type {
  AiDetectionResult,
  AlertTriggered,
  FaceDetectionResult,
  ObjectEvent,
} from '../../protocol/payloads.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';

export interface CameraRecordDeps {
  store: Store;
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

/** What one camera has seen, on its way into the store. Events and alerts that the store refuses are offered again. */
export class CameraRecord {
  readonly #cameraId: string;
  readonly #deps: CameraRecordDeps;
  /** By event: what the store would not take, the newest of each. */
  readonly #refused = new Map<string, ToldEvent>();
  #refusedAlerts: AlertTriggered[] = [];
  /** By kind: what the store did not take since it last took something of it. */
  readonly #unstored = new Map<string, number>();
  #writing = 0;
  /** `settled` waits for them. */
  #writes: Promise<void> = Promise.resolve();

  constructor(cameraId: string, deps: CameraRecordDeps) {
    this.#cameraId = cameraId;
    this.#deps = deps;
  }

  /** Whether something is not stored, or not yet. */
  get hasUnstored(): boolean {
    return this.#refused.size + this.#refusedAlerts.length + this.#writing > 0;
  }

  detections(data: AiDetectionResult): void {
    const { store, clock } = this.#deps;
    const item = {
      type: 'ai_detection_result',
      cameraId: this.#cameraId,
      data,
      wallMs: data.timestamp,
      monoMs: clock.monotonicMs(),
    } as const;
    this.#write('detection result', () => store.enqueue([item]));
  }

  faces(data: FaceDetectionResult): void {
    const { store, clock } = this.#deps;
    const item = {
      type: 'face_detection_result',
      cameraId: this.#cameraId,
      data,
      wallMs: data.timestamp,
      monoMs: clock.monotonicMs(),
    } as const;
    this.#write('face', () => store.enqueue([item]));
  }

  event(event: ObjectEvent, snapshotPath: string | null): void {
    const at = { wallMs: event.timestamp, monoMs: this.#deps.clock.monotonicMs(), snapshotPath };
    this.#store({ event, at });
  }

  alert(data: AlertTriggered): void {
    const item = {
      type: 'alert_triggered',
      cameraId: this.#cameraId,
      data,
      wallMs: data.timestamp,
      monoMs: this.#deps.clock.monotonicMs(),
    } as const;
    this.#write('alert', async () => {
      try {
        await this.#deps.store.enqueue([item]);
      } catch (error) {
        if (this.#refusedAlerts.length < MAX_REFUSED) this.#refusedAlerts.push(data);
        throw error;
      }
    });
  }

  /** Offers once more what the store refused. */
  offerAgain(): void {
    const alerts = this.#refusedAlerts;
    this.#refusedAlerts = [];
    for (const alert of alerts) this.alert(alert);
    for (const told of [...this.#refused.values()]) this.#store(told);
  }

  /** Resolves when the store has answered to everything told so far. */
  async settled(): Promise<void> {
    await this.#writes;
  }

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

  #write(what: string, write: () => Promise<void>): void {
    this.#writing++;
    const written = write()
      .then(
        () => this.#noteWritten(what, null),
        (error: unknown) => this.#noteWritten(what, error),
      )
      .finally(() => this.#writing--);
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
}
