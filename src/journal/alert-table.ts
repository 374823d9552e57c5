import type { Database } from 'better-sqlite3';
import { type AlertColumns, alertColumns } from './columns.ts';
import type { Tallies } from './tallies.ts';

/** What is to be deleted with an alert. */
export interface AlertPlace {
  readonly id: number;
  readonly cameraId: string | null;
  readonly cameras: string;
  readonly atMs: number;
}

/** Writes the rows of alerts. Synchronous; within transactions of the caller. */
export class AlertTable {
  readonly #tallies: Tallies;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(db: Database, tallies: Tallies) {
    this.#tallies = tallies;
    this.#statements = prepareStatements(db);
  }

  /** An alert never changes: one that is known stays as it is. @param body JSON text of its message */
  put(body: string): void {
    const { cameras, ...columns } = alertColumns(body);
    const row = { ...columns, cameras: JSON.stringify(cameras) };
    if (this.#statements.insert.run(row).changes === 0) return;
    this.#tallies.add({ atMs: row.atMs, cameras: tallied(row), alerts: 1 });
    const { eventId, severity } = columns;
    if (eventId !== null) this.#statements.raise.run({ eventId, severity });
  }

  delete(alerts: readonly AlertPlace[]): void {
    for (const alert of alerts) {
      this.#statements.remove.run(alert.id);
      this.#tallies.add({ atMs: alert.atMs, cameras: tallied(alert), alerts: -1 });
    }
  }
}

/** Cameras under which an alert is counted. */
function tallied({ cameraId, cameras }: Pick<AlertPlace, 'cameraId' | 'cameras'>): string[] {
  if (cameraId !== null) return [cameraId];
  const several = JSON.parse(cameras) as string[];
  return several.length === 0 ? [''] : [...new Set(several)];
}

type Row = Omit<AlertColumns, 'cameras'> & { readonly cameras: string };

function prepareStatements(db: Database) {
  return {
    insert: db.prepare<[Row]>(`
      INSERT INTO alert(alert_id, camera_id, cameras, event_id, type, severity, at_ms, body)
      VALUES (:alertId, :cameraId, :cameras, :eventId, :type, :severity, :atMs, :body)
      ON CONFLICT(alert_id) DO NOTHING`),
    raise: db.prepare<[{ readonly eventId: string; readonly severity: number }]>(`
      UPDATE event SET alert_severity = max(coalesce(alert_severity, :severity), :severity)
      WHERE event_id = :eventId`),
    remove: db.prepare<[number]>('DELETE FROM alert WHERE id = ?'),
  };
}
