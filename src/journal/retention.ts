import type { Database } from 'better-sqlite3';
import type { AlertPlace, AlertTable } from './alert-table.ts';
import type { EventPlace, EventTable } from './event-table.ts';
import { addToFigure, raiseFigure } from './figures.ts';

export interface RetentionOptions {
  /** Of the main file. */
  readonly budgetBytes: number;
  /** Free on the file system; null where that cannot be read. */
  readonly freeBytes: () => number | null;
  /** What the main file and its log take of the file system. */
  readonly takenBytes: () => number;
}

/** Tables out of which rows are deleted. */
interface Rows {
  readonly db: Database;
  readonly events: EventTable;
  readonly alerts: AlertTable;
}

/** What a slice did. */
export type RetentionStep = 'deleted' | 'shrunk' | 'nothing';

/** Left free for what matters more; evidence leaves twice as much, so it is given up before. Bytes. */
export const RESERVE_BYTES = 32_000_000;
const SLICE_ROWS = 200;
const SLICE_PAGES = 256;
/** Room is made above this part of the budget, so that what comes in meanwhile stays under it. */
const FULL = 0.97;

/**
 * Keeps the journal within its budget, and the disk from being full: the oldest goes first, open events never.
 *
 * Alerts that nobody has acknowledged go last: once they are more than all events, or where nothing else is left. They
 * are not given up for a disk that others have filled.
 */
export class Retention {
  readonly #rows: Rows;
  readonly #options: RetentionOptions;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(rows: Rows, options: RetentionOptions) {
    this.#rows = rows;
    this.#options = options;
    this.#statements = prepareStatements(rows.db);
  }

  /** Does one slice, on disk when this returns; milliseconds. */
  slice(): RetentionStep {
    const { fileBytes, usedBytes } = this.#size();
    const { budgetBytes } = this.#options;
    const isOverBudget = usedBytes > FULL * budgetBytes;
    const roomBytes = this.#roomOnDisk();
    if ((isOverBudget || usedBytes > roomBytes) && this.#deleteOldest(isOverBudget))
      return 'deleted';
    const isTooLarge = fileBytes > Math.min(budgetBytes, roomBytes);
    if (!isTooLarge || fileBytes === usedBytes) return 'nothing';
    this.#rows.db.pragma(`incremental_vacuum(${SLICE_PAGES})`);
    // The file system has the room back once the log is in the file.
    this.#rows.db.pragma('wal_checkpoint(PASSIVE)');
    return this.#size().fileBytes < fileBytes ? 'shrunk' : 'nothing';
  }

  /**
   * What the file may be, so that the reserve stays free. From what it takes now, not from what it will once the log is
   * in it: that room is not free yet, and would be asked for twice.
   */
  #roomOnDisk(): number {
    const free = this.#options.freeBytes();
    if (free === null || free >= RESERVE_BYTES) return Number.POSITIVE_INFINITY;
    return this.#options.takenBytes() + free - RESERVE_BYTES;
  }

  #size(): { fileBytes: number; usedBytes: number } {
    const read = (name: string) => this.#rows.db.pragma(name, { simple: true }) as number;
    const pageBytes = read('page_size');
    const pages = read('page_count');
    return {
      fileBytes: pages * pageBytes,
      usedBytes: (pages - read('freelist_count')) * pageBytes,
    };
  }

  #deleteOldest(mayTakeOpenAlerts: boolean): boolean {
    const { db } = this.#rows;
    return db.transaction(() => {
      const { counts, event, acknowledged } = this.#statements;
      const { openAlerts, events } = counts.get() ?? { openAlerts: 0, events: 0 };
      if (mayTakeOpenAlerts && openAlerts > events) return this.#deleteAlerts(true);
      const oldestEvent = event.get()?.startMs ?? Number.POSITIVE_INFINITY;
      const oldestAlert = acknowledged.get()?.atMs ?? Number.POSITIVE_INFINITY;
      if (oldestEvent < Number.POSITIVE_INFINITY && oldestEvent <= oldestAlert)
        return this.#deleteEvents();
      if (oldestAlert < Number.POSITIVE_INFINITY) return this.#deleteAlerts(false);
      return mayTakeOpenAlerts && this.#deleteAlerts(true);
    })();
  }

  #deleteEvents(): boolean {
    const { db, events } = this.#rows;
    const oldest = this.#statements.event.all();
    events.delete(oldest);
    addToFigure(db, 'evictedEvents', oldest.length);
    raiseFigure(db, 'evictedUntilMs', oldest.at(-1)?.startMs ?? 0);
    return oldest.length > 0;
  }

  #deleteAlerts(isOpen: boolean): boolean {
    const { db, alerts } = this.#rows;
    const { open, acknowledged } = this.#statements;
    const oldest = (isOpen ? open : acknowledged).all();
    alerts.delete(oldest);
    addToFigure(db, 'evictedAlerts', oldest.length);
    return oldest.length > 0;
  }
}

function prepareStatements(db: Database) {
  const alert = (index: string, term: string) =>
    db.prepare<[], AlertPlace>(`
      SELECT id, camera_id AS cameraId, cameras, at_ms AS atMs FROM alert INDEXED BY ${index}
      WHERE acknowledged_ms IS ${term} ORDER BY at_ms, id LIMIT ${SLICE_ROWS}`);
  return {
    counts: db.prepare<[], { openAlerts: number; events: number }>(`
      SELECT (SELECT count(*) FROM alert WHERE acknowledged_ms IS NULL) AS openAlerts,
        (SELECT coalesce(sum(events), 0) FROM tally) AS events`),
    event: db.prepare<[], EventPlace>(`
      SELECT id, camera_id AS cameraId, start_ms AS startMs, zones FROM event INDEXED BY event_at
      WHERE end_ms IS NOT NULL ORDER BY start_ms, id LIMIT ${SLICE_ROWS}`),
    open: alert('alert_open', 'NULL'),
    acknowledged: alert('alert_acknowledged', 'NOT NULL'),
  };
}
