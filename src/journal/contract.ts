import type { AlertTriggered, ObjectEvent, SEVERITIES } from '../protocol/payloads.ts';
import type { ErrorCode } from '../system/errors.ts';

export type Severity = (typeof SEVERITIES)[number];

/** What the journal is told; it answers to nothing and keeps what it cannot write yet. */
export interface JournalIntake {
  /** An object event as it now stands. */
  event(event: ObjectEvent): void;
  /** An alert; one without an `alert_id` is left out. */
  alert(alert: AlertTriggered): void;
  /** Whether an alert is not on disk, or not yet. */
  readonly hasUnstoredAlerts: boolean;
}

/** An event as the journal keeps it. Times are Unix milliseconds. */
export interface JournalEvent {
  readonly event_id: string;
  readonly camera_id: string;
  readonly label: string;
  readonly type: string;
  readonly start_ms: number;
  /** Null while it goes on. */
  readonly end_ms: number | null;
  /** 0..1 */
  readonly score: number;
  /** Who it was; null for nobody who is known, or who is forgotten. */
  readonly person_id: string | null;
  /** Every zone that the object was in. */
  readonly zones: readonly string[];
  /** The highest of its alerts; null where it has none. */
  readonly alert_severity: Severity | null;
  readonly reviewed_at: number | null;
  readonly reviewed_by: string | null;
  readonly false_positive_at: number | null;
  readonly false_positive_by: string | null;
  /** The newest message of it. */
  readonly event: ObjectEvent;
}

export interface AlertNote {
  readonly at: number;
  readonly by: string;
  readonly text: string;
}

/** An alert as the journal keeps it. Times are Unix milliseconds. */
export interface JournalAlert {
  readonly alert_id: string;
  /** Null for one of several cameras, or of the box itself. */
  readonly camera_id: string | null;
  /** All that it is about; empty for the box itself. */
  readonly camera_ids: readonly string[];
  readonly event_id: string | null;
  readonly type: string;
  readonly severity: Severity;
  readonly at_ms: number;
  readonly acknowledged_at: number | null;
  readonly acknowledged_by: string | null;
  readonly notes: readonly AlertNote[];
  readonly alert: AlertTriggered;
}

/** A part of what was asked for, in its order. */
export interface JournalPage<Row> {
  /** Fewer than asked for does not mean that there are no more. */
  readonly rows: readonly Row[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
  /** Whether that page has, or may have, something. */
  readonly has_more: boolean;
}

/** What happened on one camera within an hour or a day. */
export interface SummaryEntry {
  readonly begin_ms: number;
  /** Null for alerts of the box itself. */
  readonly camera_id: string | null;
  readonly events: number;
  /** An alert of several cameras counts at each of them. */
  readonly alerts: number;
}

/** How the file stands. */
export interface JournalStats {
  readonly events: number;
  readonly alerts: number;
  /** Alerts that nobody has acknowledged. */
  readonly openAlerts: number;
  /** The oldest event or alert, Unix milliseconds; null in an empty journal. */
  readonly oldestMs: number | null;
  /** Of the file and its log. */
  readonly bytes: number;
  /** Deleted for want of room, since the file was made. */
  readonly evictedEvents: number;
  readonly evictedAlerts: number;
  /** Given up before they could be written, since the file was made. */
  readonly lostEvents: number;
  readonly lostAlerts: number;
  /** Damaged files that were put aside and lie beside it. */
  readonly damagedFiles: number;
}

/** The journal for a status page. */
export interface JournalStatus {
  /** As last known; null before the file was first opened. */
  readonly stats: JournalStats | null;
  readonly budgetBytes: number;
  /** In memory, to be written. */
  readonly waitingEvents: number;
  readonly waitingAlerts: number;
  /** Given up since they could last be declared in the file. */
  readonly undeclaredEvents: number;
  readonly undeclaredAlerts: number;
  /** Why nothing can be written now. */
  readonly fault: JournalFailure | null;
}

export interface JournalFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What is about a person. */
export interface PersonTraces {
  /** Rows of the journal that tell of the person. */
  readonly rows: number;
  readonly eventIds: readonly string[];
  /** Alerts about these events, and alerts that tell of the person themselves. */
  readonly alertIds: readonly string[];
}
