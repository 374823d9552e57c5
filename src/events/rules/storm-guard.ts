import { type AlertTriggered, SEVERITIES } from '../../protocol/payloads.ts';

/** Alerts of one camera in a minute that are told one by one. */
const LIMIT = 10;
const MINUTE_MS = 60_000;

/** Alerts that were held back. */
interface Held {
  readonly sinceMs: number;
  readonly firstAt: number;
  count: number;
  severity: AlertTriggered['severity'];
  readonly byRule: Map<string, number>;
}

/**
 * Tells of a flood of alerts in one sentence a minute: ten in any minute are told as they are, of the others there is
 * one digest, a minute after the first of them. Critical alerts are always told. Pure: time comes in.
 */
export class StormGuard {
  readonly #cameraId: string;
  /** Monotonic times of the newest that were told. */
  #told: number[] = [];
  #held: Held | null = null;

  constructor(cameraId: string) {
    this.#cameraId = cameraId;
  }

  /** @returns the alert where it is told now, null where it will be in a digest */
  pass(alert: AlertTriggered, monoMs: number): AlertTriggered | null {
    if (alert.severity === 'critical') return alert;
    this.#told = this.#told.filter((toldMs) => monoMs - toldMs < MINUTE_MS);
    if (this.#held === null && this.#told.length < LIMIT) {
      this.#told.push(monoMs);
      return alert;
    }
    this.#hold(alert, monoMs);
    return null;
  }

  /** The digest, once it is time for it. @param wallMs Unix milliseconds of now */
  digest(monoMs: number, wallMs: number): AlertTriggered | null {
    const held = this.#held;
    return held === null || monoMs - held.sinceMs < MINUTE_MS ? null : this.flush(wallMs);
  }

  /** The digest of what is held back, now; null where nothing is. */
  flush(wallMs: number): AlertTriggered | null {
    const held = this.#held;
    if (held === null) return null;
    this.#held = null;
    const rules = [...held.byRule].map(([rule, count]) => `${count} of ${rule}`).join(', ');
    return {
      type: 'alert_storm',
      camera_id: this.#cameraId,
      severity: held.severity,
      timestamp: Math.round(wallMs),
      data: {
        why: `${held.count} more alerts than the ${LIMIT} a minute that are told one by one: ${rules}`,
        count: held.count,
        by_rule: Object.fromEntries(held.byRule),
        start_time: held.firstAt,
      },
    };
  }

  #hold({ severity, timestamp, data }: AlertTriggered, monoMs: number): void {
    const held: Held = this.#held ?? {
      ...{ sinceMs: monoMs, firstAt: timestamp, count: 0, severity, byRule: new Map() },
    };
    const rule = String(data.rule);
    held.count++;
    held.byRule.set(rule, (held.byRule.get(rule) ?? 0) + 1);
    if (SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(held.severity)) held.severity = severity;
    this.#held = held;
  }
}
