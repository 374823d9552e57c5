import type { Database } from 'better-sqlite3';
import { type RetentionRules, type RetentionStep, retentionStep } from './retention.ts';

/** What one slice of retention did. */
export interface RetentionSlice {
  readonly deleted: number;
  /** Nothing from this event on was ever deleted. */
  readonly oldestEventId: number;
}

/** A commit that comes in meanwhile waits for no more than so many rows or pages. */
const SLICE_ROWS = 200;
const SLICE_PAGES = 256;
const PAGE_BYTES = 4096;
const AUTO_VACUUM_INCREMENTAL = 2;

/** Deletes old events slice by slice. Synchronous, for the thread that owns the file. */
export class EventDeletion {
  readonly #db: Database;
  readonly #rules: RetentionRules;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #canShrink: boolean;
  #sweptThrough: number;
  #deletedThrough: number;
  #oldAlerts: number;

  constructor(db: Database, rules: RetentionRules) {
    this.#db = db;
    this.#rules = rules;
    this.#statements = prepareStatements(db);
    this.#canShrink = db.pragma('auto_vacuum', { simple: true }) === AUTO_VACUUM_INCREMENTAL;
    const progress = this.#statements.progress.get();
    this.#sweptThrough = progress?.sweptThrough ?? 0;
    this.#deletedThrough = progress?.deletedThrough ?? 0;
    this.#oldAlerts = this.#statements.countThrough.get(this.#sweptThrough) ?? 0;
  }

  /** Nothing from this event on was ever deleted. */
  get oldestEventId(): number {
    return this.#deletedThrough + 1;
  }

  /** Does what is due of one slice, on disk when this returns; null when nothing is due. */
  slice(nowMs: number, lastEventId: number): RetentionSlice | null {
    const step = retentionStep(this.#rules, this.#state(nowMs, lastEventId));
    if (step.do === 'nothing') return null;
    let deleted = 0;
    if (step.do === 'delete') deleted = this.#delete(step, lastEventId);
    else this.#shrink();
    return { deleted, oldestEventId: this.oldestEventId };
  }

  #shrink(): void {
    this.#db.pragma(`incremental_vacuum(${SLICE_PAGES})`);
    // The file itself becomes smaller when the log is folded into it.
    this.#db.pragma('wal_checkpoint(PASSIVE)');
  }

  #state(nowMs: number, lastEventId: number) {
    const pages = this.#db.pragma('page_count', { simple: true }) as number;
    const free = this.#db.pragma('freelist_count', { simple: true }) as number;
    const storedMs = (from: number, through: number) =>
      this.#statements.oldest.get({ from, through }) ?? null;
    return {
      nowMs,
      usedBytes: (pages - free) * PAGE_BYTES,
      fileBytes: pages * PAGE_BYTES,
      canShrink: this.#canShrink,
      oldAlerts: { count: this.#oldAlerts, oldestMs: storedMs(0, this.#sweptThrough) },
      rest: {
        count: Math.max(0, lastEventId - 1 - this.#sweptThrough),
        oldestMs: storedMs(this.#sweptThrough, lastEventId - 1),
      },
    };
  }

  #delete(
    { what, beforeMs }: Extract<RetentionStep, { do: 'delete' }>,
    lastEventId: number,
  ): number {
    const from = what === 'rest' ? this.#sweptThrough : 0;
    const bound = what === 'rest' ? lastEventId - 1 : this.#sweptThrough;
    const ids = this.#statements.slice.all({ from, bound, beforeMs, rows: SLICE_ROWS });
    const through = ids.at(-1) ?? bound;
    const keep = what === 'rest' ? 'alert_triggered' : '';
    const sweptThrough = what === 'rest' ? through : this.#sweptThrough;
    let deletedThrough = this.#deletedThrough;
    const deleted = this.#db
      .transaction(() => {
        this.#statements.noteStreams.run({ from, through, keep });
        const { changes } = this.#statements.remove.run({ from, through, keep });
        if (changes > 0) deletedThrough = Math.max(deletedThrough, through);
        this.#statements.note.run({ sweptThrough, deletedThrough });
        return changes;
      })
      .immediate();
    this.#sweptThrough = sweptThrough;
    this.#deletedThrough = deletedThrough;
    this.#oldAlerts += what === 'rest' ? ids.length - deleted : -deleted;
    return deleted;
  }
}

function prepareStatements(db: Database) {
  return {
    progress: db.prepare<[], { sweptThrough: number; deletedThrough: number }>(`
      SELECT swept_through AS sweptThrough, deleted_through AS deletedThrough FROM retention`),
    countThrough: db
      .prepare<[number], number>('SELECT count(*) FROM event WHERE event_id <= ?')
      .pluck(),
    oldest: db
      .prepare<[{ from: number; through: number }], number>(`
      SELECT received_ms FROM event WHERE event_id > :from AND event_id <= :through
      ORDER BY event_id LIMIT 1`)
      .pluck(),
    // From the oldest up to the first that is too new.
    slice: db
      .prepare<[{ from: number; bound: number; beforeMs: number; rows: number }], number>(`
      SELECT event_id FROM (
        SELECT event_id, max(received_ms) OVER (ORDER BY event_id) AS newest_ms FROM (
          SELECT event_id, received_ms FROM event WHERE event_id > :from AND event_id <= :bound
          ORDER BY event_id LIMIT :rows))
      WHERE newest_ms < :beforeMs ORDER BY event_id`)
      .pluck(),
    noteStreams: db.prepare<[{ from: number; through: number; keep: string }]>(`
      UPDATE stream_state SET deleted_through = max(deleted_through, gone.seq)
      FROM (
        SELECT client_id, epoch, lane, max(seq) AS seq FROM event
        WHERE event_id > :from AND event_id <= :through AND type <> :keep AND epoch IS NOT NULL
        GROUP BY client_id, epoch, lane) AS gone
      WHERE stream_state.client_id = gone.client_id AND stream_state.epoch = gone.epoch
        AND stream_state.lane = gone.lane`),
    remove: db.prepare<[{ from: number; through: number; keep: string }]>(`
      DELETE FROM event WHERE event_id > :from AND event_id <= :through AND type <> :keep`),
    note: db.prepare<[{ sweptThrough: number; deletedThrough: number }]>(`
      UPDATE retention SET swept_through = :sweptThrough, deleted_through = :deletedThrough`),
  };
}
