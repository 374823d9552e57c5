import type { AlertTriggered } from '../protocol/payloads.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { StoreWrites } from './store-writes.ts';

interface AlertRecordDeps {
  readonly store: Pick<Store, 'enqueue'>;
  readonly clock: Clock;
  readonly writes: StoreWrites;
}

/** More would take the memory that detecting needs. */
const MAX_REFUSED = 1000;

/** Alerts on their way into the store. What it refuses is offered again. */
export class AlertRecord {
  readonly #deps: AlertRecordDeps;
  #refused: AlertTriggered[] = [];
  #inFlight = 0;

  constructor(deps: AlertRecordDeps) {
    this.#deps = deps;
  }

  /** Alerts that wait to be offered again. */
  get refused(): number {
    return this.#refused.length;
  }

  /** Whether the store does not have an alert, or not yet. */
  get hasUnstored(): boolean {
    return this.#refused.length + this.#inFlight > 0;
  }

  tell(data: AlertTriggered): void {
    const { store, clock, writes } = this.#deps;
    const item = {
      type: 'alert_triggered',
      cameraId: data.camera_id ?? null,
      data,
      wallMs: data.timestamp,
      monoMs: clock.monotonicMs(),
    } as const;
    this.#inFlight++;
    writes.run('alert', async () => {
      try {
        await store.enqueue([item]);
      } catch (error) {
        if (this.#refused.length < MAX_REFUSED) this.#refused.push(data);
        throw error;
      } finally {
        this.#inFlight--;
      }
    });
  }

  /** Offers once more what the store refused. */
  offerAgain(): void {
    const alerts = this.#refused;
    this.#refused = [];
    for (const alert of alerts) this.tell(alert);
  }
}
