import type { AlertTriggered } from '../../protocol/payloads.ts';

/** Time of a look. */
export interface LookTime {
  readonly monoMs: number;
  /** Unix milliseconds. */
  readonly wallMs: number;
}

/** What an alert of several cameras tells of one of them: readable without what it tells of the others. */
export interface CameraEntry extends Readonly<Record<string, unknown>> {
  readonly camera_id: string;
  /** In words. */
  readonly why: string;
}

/** What is found and not over yet: for the status. */
export interface OpenCondition {
  readonly type: string;
  readonly severity: AlertTriggered['severity'];
  /** None for one of the edge itself. */
  readonly cameraIds: readonly string[];
  /** Monotonic. */
  readonly sinceMs: number;
  readonly why: string;
}

/** One alert for all of these cameras. @param what of the cameras together, in words, such as `are offline` */
export function foldedAlert(
  { type, severity, what }: Pick<OpenCondition, 'type' | 'severity'> & { readonly what: string },
  cameras: readonly CameraEntry[],
  { wallMs }: LookTime,
): AlertTriggered {
  const ids = cameras.map((entry) => entry.camera_id);
  const [only] = cameras.length === 1 ? cameras : [];
  return {
    type,
    ...(only ? { camera_id: only.camera_id } : { camera_ids: ids }),
    severity,
    timestamp: Math.round(wallMs),
    data: { why: only?.why ?? `${inWords(ids)} ${what}`, cameras },
  };
}

/** More names than these are a number. */
const SHOWN_NAMES = 8;

function inWords(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES);
  const rest = names.length - shown.length;
  const last = rest > 0 ? `${rest} more` : shown.pop();
  return `${shown.join(', ')} and ${last}`;
}

/** Of a time that passed, in words for people. */
export function durationInWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
