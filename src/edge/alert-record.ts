import { makeEventId } from '../events/event-id.ts';
import type { JournalIntake } from '../journal/contract.ts';
import type { LiveFeed } from '../live/live-feed.ts';
import type { AlertTriggered } from '../protocol/payloads.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { StoreWrites } from './store-writes.ts';

interface AlertRecordDeps {
  readonly store: Pick<Store, 'enqueue'>;
  readonly journal: Pick<JournalIntake, 'alert' | 'hasUnstoredAlerts'>;
  readonly live: LiveFeed;
  /** 0 up to 1, as Math.random. */
  readonly random: () => number;
  readonly clock: Clock;
  readonly writes: StoreWrites;
}

/** More would take the memory that detecting needs. */
const MAX_REFUSED = 1000;

/** Alerts on their way into store and journal. What the store refuses is offered again; the journal does so itself. */
export class AlertRecord {
  readonly #deps: AlertRecordDeps;
  #refused: AlertTriggered[] = [];
  #inFlight = 0;
  #told = 0;

  constructor(deps: AlertRecordDeps) {
    this.#deps = deps;
  }

  /** Alerts that wait to be offered again. */
  get refused(): number {
    return this.#refused.length;
  }

  /** Whether store or journal do not have an alert, or not yet. */
  get hasUnstored(): boolean {
    return this.#refused.length + this.#inFlight > 0 || this.#deps.journal.hasUnstoredAlerts;
  }

  tell(alert: AlertTriggered): void {
    this.#told++;
    const { journal, live, random } = this.#deps;
    const data = { alert_id: makeEventId(alert.timestamp, this.#told, random), ...alert };
    journal.alert(data);
    const { camera_id: cameraId = null, timestamp: wallMs } = data;
    live.publish({ type: 'alert_triggered', cameraId, data, wallMs });
    this.#offer(data);
  }

  #offer(data: AlertTriggered): void {
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
    for (const alert of alerts) this.#offer(alert);
  }
}
