import { type AlertTriggered, type ObjectEvent, SEVERITIES } from '../protocol/payloads.ts';
import type { Severity } from './contract.ts';

/** Columns of an event, as its newest message has them. */
export interface EventColumns {
  readonly eventId: string;
  readonly cameraId: string;
  readonly label: string;
  readonly type: string;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly score: number;
  readonly personId: string | null;
  /** Sorted. */
  readonly zones: readonly string[];
  readonly body: string;
}

export interface AlertColumns {
  readonly alertId: string;
  readonly cameraId: string | null;
  readonly cameras: readonly string[];
  readonly eventId: string | null;
  readonly type: string;
  /** Place in `SEVERITIES`. */
  readonly severity: number;
  readonly atMs: number;
  readonly body: string;
}

/** Fields in which messages of different versions tell where an object was. */
const ZONE_FIELDS = ['entered_zones', 'current_zones', 'zones'] as const;

/** @param body JSON text of an `object_event` @throws SyntaxError, TypeError for another text */
export function eventColumns(body: string): EventColumns {
  const event = JSON.parse(body) as ObjectEvent & Record<string, unknown>;
  const zones = ZONE_FIELDS.flatMap((field) => textsOf(event[field]));
  return {
    eventId: event.event_id,
    cameraId: event.camera_id,
    label: event.label,
    type: event.type,
    startMs: Math.round(event.start_time),
    endMs: event.end_time === null ? null : Math.round(event.end_time),
    score: event.score,
    personId: event.identity?.person_id ?? null,
    zones: [...new Set(zones)].sort(),
    body,
  };
}

/** @param body JSON text of an `alert_triggered` with an `alert_id` @throws SyntaxError, TypeError for another text */
export function alertColumns(body: string): AlertColumns {
  const alert = JSON.parse(body) as AlertTriggered & { readonly alert_id: string };
  const { event_id: eventId } = alert.data;
  return {
    alertId: alert.alert_id,
    cameraId: alert.camera_id ?? null,
    cameras: alert.camera_id === undefined ? (alert.camera_ids ?? []) : [],
    eventId: typeof eventId === 'string' ? eventId : null,
    type: alert.type,
    severity: severityNumber(alert.severity),
    atMs: Math.round(alert.timestamp),
    body,
  };
}

export function severityNumber(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

export function severityOf(number: number): Severity {
  return SEVERITIES[number] ?? 'low';
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
