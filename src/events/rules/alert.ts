import { detectionType } from '../../protocol/detection.ts';
import type { AlertTriggered, EventIdentity } from '../../protocol/payloads.ts';
import type { Track } from '../../tracking/types.ts';
import type { Direction } from '../../tracking/zones/line-crossing.ts';
import { wireBox, wireScore } from '../wire-numbers.ts';
import type { Rule } from './rule.ts';

/** A track with its event. */
export interface SeenObject {
  readonly track: Track;
  readonly eventId: string;
  /** Who it is; null where that is not known. */
  readonly identity: EventIdentity | null;
  /** The face was compared and is nobody's that is known. */
  readonly isUnknown: boolean;
}

/** What made a rule fire. */
export interface Firing {
  readonly rule: Rule;
  readonly object: SeenObject;
  /** Null for the whole picture, or a line. */
  readonly zone: string | null;
  readonly crossing: { readonly line: string; readonly direction: Direction } | null;
  /** How long the object has been there. */
  readonly presentMs: number;
  /** How fast it is there; null where that is not known. */
  readonly kmh: number | null;
  /** How many that fit the rule are there. */
  readonly count: number;
  /** Firings that a cooldown held back since the last alert. */
  readonly suppressed: number;
}

/** @param timestamp Unix milliseconds of the frame */
export function alertOf(firing: Firing, cameraId: string, timestamp: number): AlertTriggered {
  const { rule, object, zone, crossing, presentMs, kmh, count, suppressed } = firing;
  const { track, eventId } = object;
  return {
    type: rule.alertType,
    camera_id: cameraId,
    severity: rule.severity,
    timestamp: Math.round(timestamp),
    data: {
      rule: rule.name,
      why: inWords(firing),
      event_id: eventId,
      track_id: track.id,
      label: track.label,
      object_type: detectionType(track.label),
      score: wireScore(track.medianScore),
      bounding_box: wireBox(track.box),
      start_time: Math.round(timestamp - (track.lastSeenMs - track.firstSeenMs)),
      present_s: Math.round(presentMs / 100) / 10,
      ...(object.identity !== null && { identity: object.identity }),
      ...(zone !== null && { zone }),
      ...(kmh !== null && { speed_kmh: Math.round(kmh * 10) / 10 }),
      ...(crossing !== null && crossing),
      ...(count > 1 && { count }),
      ...(suppressed > 0 && { suppressed }),
    },
  };
}

function nameOf({ identity, isUnknown, track }: SeenObject): string {
  if (identity === null) return isUnknown ? `unknown ${track.label}` : track.label;
  const level = identity.threat_level.replace('_', ' ');
  return level === 'safe' || level === 'unknown' ? identity.name : `${identity.name} (${level})`;
}

function inWords({ rule, object, zone, crossing, presentMs, kmh, count }: Firing): string {
  const label = nameOf(object);
  if (crossing !== null) return `${label} crossed ${crossing.line} to the ${crossing.direction}`;
  const where = zone === null ? 'in view' : `in ${zone}`;
  if (rule.count > 1) return `${count} at once ${where}, ${rule.count} or more are an alert`;
  const time = rule.durationMs === 0 ? '' : ` for ${Math.floor(presentMs / 1000)} s`;
  const speed = rule.minSpeedKmh === null || kmh === null ? '' : ` at ${Math.round(kmh)} km/h`;
  return `${label} ${where}${time}${speed}`;
}
