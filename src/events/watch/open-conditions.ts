import { type AlertTriggered, SEVERITIES } from '../../protocol/payloads.ts';
import type { LookTime, OpenCondition } from './told-alert.ts';

export type WatchSeverity = AlertTriggered['severity'];

/** Something that is not as it should be. */
interface Condition {
  /** Of the condition: it is open once. */
  readonly key: string;
  readonly type: string;
  readonly severity: AlertTriggered['severity'];
  /** Null for the edge itself. */
  readonly cameraId: string | null;
  /** In words. */
  readonly why: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** How a condition ended. */
interface Ending {
  readonly type: string;
  readonly why: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What a look at one thing has found: a condition, or that all is well with it. */
export type Finding =
  | { readonly key: string; readonly condition: Omit<Condition, 'key'> }
  | { readonly key: string; readonly condition: null; readonly ending: Ending };

/** A condition that was told and is not over. Monotonic. */
export type ToldCondition = Omit<Condition, 'data'> & { readonly sinceMs: number };

/** Tells of each condition when it begins, when it gets worse, and when it is over. Pure: time comes in. */
export class OpenConditions {
  readonly #open: Map<string, ToldCondition>;

  /** @param told what an earlier run of the daemon told */
  constructor(told: readonly ToldCondition[]) {
    this.#open = new Map(told.map((each) => [each.key, each]));
  }

  /** What is told and not over, to be kept for the next run of the daemon. */
  get told(): ToldCondition[] {
    return [...this.#open.values()];
  }

  get open(): OpenCondition[] {
    return this.told.map(({ type, severity, cameraId, sinceMs, why }) => ({
      ...{ type, severity, sinceMs, why },
      cameraIds: cameraId === null ? [] : [cameraId],
    }));
  }

  /** Takes in what was found. @returns the alert of what begins, gets worse or is over */
  take(finding: Finding, time: LookTime): AlertTriggered[] {
    const { key, condition } = finding;
    if (condition === null) return this.#end(key, finding.ending, time);
    return this.#raise({ key, ...condition }, time);
  }

  #raise({ data, ...condition }: Condition, time: LookTime): AlertTriggered[] {
    const known = this.#open.get(condition.key);
    const { type, severity, cameraId, why } = condition;
    const sinceMs = known?.sinceMs ?? time.monoMs;
    const isWorse =
      known === undefined || SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(known.severity);
    if (!isWorse) {
      this.#open.set(condition.key, { ...known, why });
      return [];
    }
    this.#open.set(condition.key, { ...condition, sinceMs });
    return [alertOf({ type, severity, cameraId }, { why, ...data }, time)];
  }

  #end(key: string, { type, why, data }: Ending, time: LookTime): AlertTriggered[] {
    const known = this.#open.get(key);
    if (known === undefined) return [];
    this.#open.delete(key);
    const lasted_s = Math.round((time.monoMs - known.sinceMs) / 1000);
    const { cameraId } = known;
    return [alertOf({ type, severity: 'low', cameraId }, { why, lasted_s, ...data }, time)];
  }
}

function alertOf(
  { type, severity, cameraId }: Pick<Condition, 'type' | 'severity' | 'cameraId'>,
  data: AlertTriggered['data'],
  { wallMs }: LookTime,
): AlertTriggered {
  return {
    type,
    ...(cameraId !== null && { camera_id: cameraId }),
    severity,
    timestamp: Math.round(wallMs),
    data,
  };
}
