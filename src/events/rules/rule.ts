import type { AlertTriggered } from '../../protocol/payloads.ts';
import type { Direction } from '../../tracking/zones/line-crossing.ts';
import type { ScheduleWindow } from './schedule.ts';

/** When an alert is raised on one camera. What is null is not asked for. */
export interface Rule {
  readonly name: string;
  /** Kind of the alert, `type` on the wire. */
  readonly alertType: string;
  readonly severity: AlertTriggered['severity'];
  /** Labels of the model, or types such as `vehicle`. */
  readonly labels: ReadonlySet<string> | null;
  /** Least median score over the track, 0..1. */
  readonly minScore: number;
  /** `known`, `unknown`, a threat level, or `person:` and an id: any of these. */
  readonly identity: ReadonlySet<string> | null;
  /** At least so fast in a zone whose ground was measured. */
  readonly minSpeedKmh: number | null;
  /** In any of these; null for anywhere in the picture. */
  readonly zones: readonly string[] | null;
  /** Across any of these; such a rule does not look at zones, duration or count. */
  readonly lines: readonly string[] | null;
  /** Null for both. */
  readonly direction: Direction | null;
  /** There for so long. */
  readonly durationMs: number;
  /** So many at once. */
  readonly count: number;
  /** Null for always. */
  readonly schedule: readonly ScheduleWindow[] | null;
  /** After an alert none of this rule for the same camera and place. */
  readonly cooldownMs: number;
}
