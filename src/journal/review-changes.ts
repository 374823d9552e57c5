import type { Database } from 'better-sqlite3';
import { ApexError } from '../system/errors.ts';
import type { AlertNote, JournalAlert, JournalEvent } from './contract.ts';
import { alertOf, eventOf, rowReaders } from './rows.ts';

/** What people said of events and alerts. `by` names who; times are Unix milliseconds. */
export type ReviewCall =
  | { readonly op: 'markReviewed'; readonly ids: readonly string[]; readonly by: string }
  | {
      readonly op: 'falsePositive';
      readonly id: string;
      readonly isFalse: boolean;
      readonly by: string;
    }
  | { readonly op: 'acknowledge'; readonly ids: readonly string[]; readonly by: string }
  | { readonly op: 'addNote'; readonly id: string; readonly text: string; readonly by: string };

export interface ReviewAnswer {
  readonly events: readonly JournalEvent[];
  readonly alerts: readonly JournalAlert[];
}

/** More would make one row as large as a page of history. */
const MAX_NOTES = 100;

/**
 * Writes what people said, and returns the rows that it changed: what was said before changes nothing.
 * @throws ApexError JOURNAL_INPUT for a note too many
 */
export function applyReview(db: Database, call: ReviewCall, nowMs: number): ReviewAnswer {
  const at = Math.round(nowMs);
  return db
    .transaction(() => {
      switch (call.op) {
        case 'markReviewed':
          return { events: markReviewed(db, call, at), alerts: [] };
        case 'falsePositive':
          return { events: markFalsePositive(db, call, at), alerts: [] };
        case 'acknowledge':
          return { events: [], alerts: acknowledge(db, call, at) };
        case 'addNote':
          return { events: [], alerts: addNote(db, call, at) };
      }
    })
    .immediate();
}

type Call<Op extends ReviewCall['op']> = Extract<ReviewCall, { op: Op }>;

function markReviewed(db: Database, { ids, by }: Call<'markReviewed'>, at: number): JournalEvent[] {
  const update = db.prepare<[number, string, string]>(
    `UPDATE event SET reviewed_ms = ?, reviewed_by = ? WHERE event_id = ? AND reviewed_ms IS NULL`,
  );
  return eventsOf(
    db,
    ids.filter((id) => update.run(at, by, id).changes > 0),
  );
}

function markFalsePositive(
  db: Database,
  { id, isFalse, by }: Call<'falsePositive'>,
  at: number,
): JournalEvent[] {
  const update = db.prepare<[number | null, string | null, string]>(
    `UPDATE event SET false_positive_ms = ?, false_positive_by = ?
     WHERE event_id = ? AND false_positive_ms IS ${isFalse ? '' : 'NOT '}NULL`,
  );
  const { changes } = isFalse ? update.run(at, by, id) : update.run(null, null, id);
  return changes === 0 ? [] : eventsOf(db, [id]);
}

function acknowledge(db: Database, { ids, by }: Call<'acknowledge'>, at: number): JournalAlert[] {
  const update = db.prepare<[number, string, string]>(
    `UPDATE alert SET acknowledged_ms = ?, acknowledged_by = ?
     WHERE alert_id = ? AND acknowledged_ms IS NULL`,
  );
  return alertsOf(
    db,
    ids.filter((id) => update.run(at, by, id).changes > 0),
  );
}

function addNote(db: Database, { id, text, by }: Call<'addNote'>, at: number): JournalAlert[] {
  const row = rowReaders(db).alert.get(id);
  if (row === undefined) return [];
  const notes = JSON.parse(row.notes) as AlertNote[];
  // The same from the same person is a request that was sent twice.
  if (notes.some((note) => note.text === text && note.by === by)) return [];
  if (notes.length >= MAX_NOTES)
    throw new ApexError('JOURNAL_INPUT', `an alert has at most ${MAX_NOTES} notes`);
  const all = JSON.stringify([...notes, { at, by, text }]);
  db.prepare<[string, string]>('UPDATE alert SET notes = ? WHERE alert_id = ?').run(all, id);
  return alertsOf(db, [id]);
}

function eventsOf(db: Database, ids: readonly string[]): JournalEvent[] {
  const { event } = rowReaders(db);
  return [...new Set(ids)].flatMap((id) => {
    const row = event.get(id);
    return row === undefined ? [] : [eventOf(row)];
  });
}

function alertsOf(db: Database, ids: readonly string[]): JournalAlert[] {
  const { alert } = rowReaders(db);
  return [...new Set(ids)].flatMap((id) => {
    const row = alert.get(id);
    return row === undefined ? [] : [alertOf(row)];
  });
}
