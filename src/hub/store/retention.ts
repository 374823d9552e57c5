/** How long events are kept. */
export interface RetentionRules {
  readonly maxAgeDays: number;
  /** Of events of type `alert_triggered`. */
  readonly alertsMaxAgeDays: number;
  /** Of the hub's main file; its write-ahead log comes on top with a few megabytes. */
  readonly maxBytes: number;
}

export const DEFAULT_RETENTION: RetentionRules = {
  maxAgeDays: 90,
  alertsMaxAgeDays: 365,
  maxBytes: 20_480 * 1024 * 1024,
};

/** Events of which some may be deleted. */
interface Stock {
  readonly count: number;
  /** When the oldest of them was stored; null where there is none. */
  readonly oldestMs: number | null;
}

export interface RetentionState {
  readonly nowMs: number;
  /** Of the main file: without its free pages, and with them. */
  readonly usedBytes: number;
  readonly fileBytes: number;
  /** Whether the file can give free pages back. */
  readonly canShrink: boolean;
  /** Alerts that outlived what was stored with them. */
  readonly oldAlerts: Stock;
  /** Everything newer, but for the newest event. */
  readonly rest: Stock;
}

/** What to do a slice of. `delete`: the oldest of it that was stored before `beforeMs`. */
export type RetentionStep =
  | { readonly do: 'delete'; readonly what: 'old_alerts' | 'rest'; readonly beforeMs: number }
  | { readonly do: 'shrink' }
  | { readonly do: 'nothing' };

const DAY_MS = 24 * 3600 * 1000;
/** Room is made above this part of the bound, so that what comes in meanwhile stays under it. */
const FULL = 0.95;

/**
 * What is due now.
 *
 * For age, alerts and the rest go by their own rules. For room the oldest of the rest goes and alerts stay, until
 * these are the larger number: then they go, or they would end up keeping everything else out.
 */
export function retentionStep(rules: RetentionRules, state: RetentionState): RetentionStep {
  const { nowMs, usedBytes, fileBytes, canShrink, oldAlerts, rest } = state;
  const restBeforeMs = nowMs - rules.maxAgeDays * DAY_MS;
  const alertsBeforeMs = nowMs - rules.alertsMaxAgeDays * DAY_MS;
  if (isBefore(rest.oldestMs, restBeforeMs))
    return { do: 'delete', what: 'rest', beforeMs: restBeforeMs };
  if (isBefore(oldAlerts.oldestMs, alertsBeforeMs))
    return { do: 'delete', what: 'old_alerts', beforeMs: alertsBeforeMs };
  const full = FULL * rules.maxBytes;
  if (usedBytes > full && oldAlerts.count + rest.count > 0) {
    const what = oldAlerts.count > rest.count ? 'old_alerts' : 'rest';
    return { do: 'delete', what, beforeMs: Number.MAX_SAFE_INTEGER };
  }
  const mustShrink = canShrink && fileBytes > rules.maxBytes && fileBytes > usedBytes;
  return { do: mustShrink ? 'shrink' : 'nothing' };
}

function isBefore(ms: number | null, limitMs: number): boolean {
  return ms !== null && ms < limitMs;
}
