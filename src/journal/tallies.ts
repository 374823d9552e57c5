import type { Database } from 'better-sqlite3';
import { TALLY_MS } from './schema.ts';

interface Change {
  readonly atMs: number;
  /** The box itself is ''. */
  readonly cameras: readonly string[];
  readonly events?: number;
  readonly alerts?: number;
}

/** Counts of events and alerts, kept with every row that comes or goes, so that nobody has to count a million. */
export class Tallies {
  readonly #add;
  readonly #drop;

  constructor(db: Database) {
    this.#add = db.prepare<[number, string, number, number]>(`
      INSERT INTO tally(quarter, camera_id, events, alerts) VALUES (?, ?, ?, ?)
      ON CONFLICT(quarter, camera_id) DO UPDATE SET
        events = events + excluded.events, alerts = alerts + excluded.alerts`);
    this.#drop = db.prepare<[number, string]>(
      'DELETE FROM tally WHERE quarter = ? AND camera_id = ? AND events <= 0 AND alerts <= 0',
    );
  }

  /** Within the transaction of the row. */
  add({ atMs, cameras, events = 0, alerts = 0 }: Change): void {
    const quarter = Math.floor(atMs / TALLY_MS);
    for (const camera of cameras) {
      this.#add.run(quarter, camera, events, alerts);
      if (events + alerts < 0) this.#drop.run(quarter, camera);
    }
  }
}
