import type { CameraView, ConditionView } from '../../api/edge-status.ts';
import { CameraOutages, type CameraPresence } from '../../events/watch/camera-outages.ts';
import { OpenConditions } from '../../events/watch/open-conditions.ts';
import type { LookTime } from '../../events/watch/told-alert.ts';
import type { JournalIntake } from '../../journal/contract.ts';
import type { LiveFeed } from '../../live/live-feed.ts';
import type { AlertTriggered } from '../../protocol/payloads.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../system/clock.ts';
import type { SavedTime } from '../../system/saved-time.ts';
import { AlertRecord } from '../alert-record.ts';
import { StoreWrites } from '../store-writes.ts';
import { BoxWatch, type BoxWatchDeps } from './box-watch.ts';
import { HealthMemory } from './health-memory.ts';
import { SceneSampler, type SceneSamplerDeps } from './scene-sampler.ts';

export interface HealthWatchDeps extends BoxWatchDeps, SceneSamplerDeps {
  readonly store: Pick<Store, 'enqueue' | 'queue'>;
  readonly vision: BoxWatchDeps['vision'] & SceneSamplerDeps['vision'];
  readonly journal: Pick<JournalIntake, 'alert' | 'hasUnstoredAlerts'>;
  readonly live: LiveFeed;
  readonly clock: Clock;
  /** 0 up to 1, as Math.random. */
  readonly random: () => number;
  /** Of this boot of the machine. */
  readonly bootId: string;
}

/** States of cameras of which no picture is expected. */
const UNWATCHED: ReadonlySet<CameraView['state']> = new Set(['disabled', 'stopped', 'finished']);

/** Watches over cameras and box: raises the alerts that need no rule, and remembers what was told. */
export class HealthWatch {
  readonly #deps: HealthWatchDeps;
  readonly #memory: HealthMemory;
  readonly #writes: StoreWrites;
  readonly #alerts: AlertRecord;
  readonly #outages: CameraOutages | null;
  readonly #box: BoxWatch;
  readonly #scenes: SceneSampler;
  readonly #conditions: OpenConditions;

  /** What an earlier run of the daemon told is not told again. */
  static async open(deps: HealthWatchDeps): Promise<HealthWatch> {
    const { dataDir, log } = deps;
    return new HealthWatch(deps, await HealthMemory.open(dataDir, savedTime(deps), log));
  }

  private constructor(deps: HealthWatchDeps, memory: HealthMemory) {
    this.#deps = deps;
    this.#memory = memory;
    this.#writes = new StoreWrites(deps.log);
    this.#alerts = new AlertRecord({ ...deps, writes: this.#writes });
    this.#box = new BoxWatch(deps, memory.known.bestProvider);
    this.#scenes = new SceneSampler(deps);
    this.#conditions = new OpenConditions(memory.known.conditions);
    const { enabled, grace_s: graceS, severity } = deps.alerts.camera_offline;
    this.#outages = enabled
      ? new CameraOutages(
          { graceMs: graceS * 1000, severity },
          memory.known.outages,
          deps.clock.monotonicMs(),
        )
      : null;
  }

  /** To be called about every second, with all cameras as they are. */
  tick(cameras: readonly CameraView[]): void {
    const time = lookTime(this.#deps.clock);
    this.#alerts.offerAgain();
    this.#tell(this.#outages?.look(cameras.map(presenceOf), time) ?? []);
    const found = [...this.#box.look(cameras, time.monoMs), ...this.#scenes.found(cameras)];
    for (const finding of found) this.#tell(this.#conditions.take(finding, time));
    this.#remember();
  }

  /** A frame of a camera was analysed: its picture is still to be had. */
  frame(cameraId: string, frameId: number): void {
    this.#scenes.frame(cameraId, frameId);
  }

  /** Whether something is being read or measured. */
  get isLooking(): boolean {
    return this.#scenes.isSampling || this.#box.isReading;
  }

  /** What is told and not over. */
  open(): ConditionView[] {
    const { monoMs } = lookTime(this.#deps.clock);
    const open = [...(this.#outages?.open ?? []), ...this.#conditions.open];
    return open.map(({ type, severity, cameraIds, sinceMs, why }) => ({
      ...{ type, severity, camera_ids: cameraIds, why },
      since_s: Math.max(0, monoMs - sinceMs) / 1000,
    }));
  }

  /** Offers the store once more what it refused, and waits for what is on its way to the disk. */
  async stop(): Promise<void> {
    this.#alerts.offerAgain();
    await this.#writes.settled();
    this.#remember();
    await this.#memory.settled();
  }

  #tell(alerts: readonly AlertTriggered[]): void {
    for (const alert of alerts) {
      const { type, severity, data } = alert;
      this.#deps.log.warn({ alert: type, severity, why: data.why }, 'alert');
      this.#alerts.tell(alert);
    }
  }

  /** Not before the alerts are in store and journal: rather told twice than not at all. */
  #remember(): void {
    if (this.#writes.pending > 0 || this.#alerts.hasUnstored) return;
    const { known } = this.#memory;
    const outages = this.#outages?.told ?? known.outages;
    const bestProvider = this.#box.bestProvider ?? known.bestProvider;
    const news = { outages, conditions: this.#conditions.told, bestProvider };
    if (this.#memory.isNews(news)) this.#memory.keep(news, savedTime(this.#deps));
  }
}

function presenceOf({ camera_id, state, fault }: CameraView): CameraPresence {
  const isUnwatched = UNWATCHED.has(state);
  const presence = isUnwatched ? 'unwatched' : state === 'streaming' ? 'streaming' : 'away';
  return { cameraId: camera_id, state: presence, fault };
}

function lookTime(clock: Clock): LookTime {
  return { monoMs: clock.monotonicMs(), wallMs: clock.wallMs() };
}

function savedTime({ clock, bootId }: HealthWatchDeps): SavedTime {
  return { bootId, ...lookTime(clock) };
}
