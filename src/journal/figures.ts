import type { Database } from 'better-sqlite3';

/** Numbers that are kept in the file. `evictedUntilMs`: events that began before may have been deleted for want of room. */
export type FigureName =
  | 'evictedEvents'
  | 'evictedAlerts'
  | 'evictedUntilMs'
  | 'lostEvents'
  | 'lostAlerts';

export function figure(db: Database, name: FigureName): number {
  const read = db.prepare<[string], number>('SELECT value FROM figure WHERE name = ?').pluck();
  return read.get(name) ?? 0;
}

export function addToFigure(db: Database, name: FigureName, count: number): void {
  if (count === 0) return;
  db.prepare<[string, number]>(
    `INSERT INTO figure(name, value) VALUES (?, ?)
     ON CONFLICT(name) DO UPDATE SET value = value + excluded.value`,
  ).run(name, count);
}

export function raiseFigure(db: Database, name: FigureName, value: number): void {
  db.prepare<[string, number]>(
    `INSERT INTO figure(name, value) VALUES (?, ?)
     ON CONFLICT(name) DO UPDATE SET value = max(value, excluded.value)`,
  ).run(name, value);
}
