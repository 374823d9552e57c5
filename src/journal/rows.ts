import type { Database } from 'better-sqlite3';
import type { AlertTriggered, ObjectEvent } from '../protocol/payloads.ts';
import { severityOf } from './columns.ts';
import type { AlertNote, JournalAlert, JournalEvent } from './contract.ts';

/** An event as the file has it. */
interface EventRow {
  readonly eventId: string;
  readonly cameraId: string;
  readonly label: string;
  readonly type: string;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly score: number;
  readonly personId: string | null;
  readonly zones: string;
  readonly alertSeverity: number | null;
  readonly reviewedMs: number | null;
  readonly reviewedBy: string | null;
  readonly falsePositiveMs: number | null;
  readonly falsePositiveBy: string | null;
  readonly body: string;
}

interface AlertRow {
  readonly alertId: string;
  readonly cameraId: string | null;
  readonly cameras: string;
  readonly eventId: string | null;
  readonly type: string;
  readonly severity: number;
  readonly atMs: number;
  readonly acknowledgedMs: number | null;
  readonly acknowledgedBy: string | null;
  readonly notes: string;
  readonly body: string;
}

const EVENT = `SELECT event_id AS eventId, camera_id AS cameraId, label, type, start_ms AS startMs,
  end_ms AS endMs, score, zones, alert_severity AS alertSeverity, reviewed_ms AS reviewedMs,
  reviewed_by AS reviewedBy, false_positive_ms AS falsePositiveMs,
  false_positive_by AS falsePositiveBy, body,
  (SELECT person_id FROM person WHERE id = event.person) AS personId FROM event`;

const ALERT = `SELECT alert_id AS alertId, camera_id AS cameraId, cameras, event_id AS eventId, type,
  severity, at_ms AS atMs, acknowledged_ms AS acknowledgedMs, acknowledged_by AS acknowledgedBy,
  notes, body FROM alert`;

/** Reads whole rows, by their number in the file or by their id. */
export function rowReaders(db: Database) {
  return {
    eventAt: db.prepare<[number], EventRow>(`${EVENT} WHERE id = ?`),
    event: db.prepare<[string], EventRow>(`${EVENT} WHERE event_id = ?`),
    alertAt: db.prepare<[number], AlertRow>(`${ALERT} WHERE id = ?`),
    alert: db.prepare<[string], AlertRow>(`${ALERT} WHERE alert_id = ?`),
  };
}

export function eventOf(row: EventRow): JournalEvent {
  return {
    event_id: row.eventId,
    camera_id: row.cameraId,
    label: row.label,
    type: row.type,
    start_ms: row.startMs,
    end_ms: row.endMs,
    score: row.score,
    person_id: row.personId,
    zones: JSON.parse(row.zones) as string[],
    alert_severity: row.alertSeverity === null ? null : severityOf(row.alertSeverity),
    reviewed_at: row.reviewedMs,
    reviewed_by: row.reviewedBy,
    false_positive_at: row.falsePositiveMs,
    false_positive_by: row.falsePositiveBy,
    event: JSON.parse(row.body) as ObjectEvent,
  };
}

export function alertOf(row: AlertRow): JournalAlert {
  const several = JSON.parse(row.cameras) as string[];
  return {
    alert_id: row.alertId,
    camera_id: row.cameraId,
    camera_ids: row.cameraId === null ? several : [row.cameraId],
    event_id: row.eventId,
    type: row.type,
    severity: severityOf(row.severity),
    at_ms: row.atMs,
    acknowledged_at: row.acknowledgedMs,
    acknowledged_by: row.acknowledgedBy,
    notes: JSON.parse(row.notes) as AlertNote[],
    alert: JSON.parse(row.body) as AlertTriggered,
  };
}
