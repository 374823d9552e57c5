import type { Database } from 'better-sqlite3';
import { LANES, type Lane } from '../protocol/lanes.ts';
import type { OutboxStream, OutboxStreams } from './requests.ts';

/** An epoch is one life of the daemon over this file; (epoch, lane, seq) is never given out twice. */
export interface Epoch {
  readonly id: number;
  readonly epoch: string;
  readonly isSameBoot: boolean;
  /** By lane. */
  readonly firstSeq: readonly number[];
  /** By lane; null while the epoch goes on. */
  readonly nextSeq: readonly number[] | null;
}

export interface NewEpoch {
  readonly epoch: string;
  readonly bootId: string;
  readonly wallMs: number;
  readonly monoMs: number;
  /** By lane. */
  readonly firstSeq: readonly number[];
}

interface EpochRow {
  epoch_id: number;
  epoch: string;
  boot_id: string;
  first_seq: string;
  next_seq: string | null;
}

/** All epochs that are still of interest, oldest first; the last one is the current. */
export function readEpochs(db: Database, bootId: string): Epoch[] {
  const rows = db.prepare<[], EpochRow>('SELECT * FROM epoch ORDER BY epoch_id').all();
  return rows.map((row) => ({
    id: row.epoch_id,
    epoch: row.epoch,
    isSameBoot: row.boot_id === bootId,
    firstSeq: JSON.parse(row.first_seq) as number[],
    nextSeq: row.next_seq === null ? null : (JSON.parse(row.next_seq) as number[]),
  }));
}

/** Ends the current epoch and begins a new one, which starts clean only once it is closed. */
export function beginEpoch(db: Database, next: NewEpoch): void {
  const firstSeq = JSON.stringify(next.firstSeq);
  db.prepare('UPDATE epoch SET next_seq = ? WHERE next_seq IS NULL').run(firstSeq);
  db.prepare(
    `INSERT INTO epoch(epoch, boot_id, opened_wall_ms, opened_mono_ms, first_seq)
     VALUES (?, ?, ?, ?, ?)`,
  ).run(next.epoch, next.bootId, Math.round(next.wallMs), Math.round(next.monoMs), firstSeq);
}

/** True where the last daemon closed the file itself, and where there was none. */
export function wasClosedCleanly(db: Database): boolean {
  const clean = db
    .prepare('SELECT clean_close FROM epoch ORDER BY epoch_id DESC LIMIT 1')
    .pluck()
    .get();
  return clean !== 0;
}

/** Forgets epochs of which the hub has everything. */
export function purgeEpochs(
  db: Database,
  epochs: readonly Epoch[],
  ackedSeq: readonly number[],
): void {
  const remove = db.prepare('DELETE FROM epoch WHERE epoch_id = ?');
  for (const epoch of epochs.slice(0, -1)) {
    if (LANES.every((lane) => !hasUnacked(epoch, lane, ackedSeq))) remove.run(epoch.id);
  }
}

/** The streams to resume, by lane and oldest first; at most `limit` beside those of the current epoch. */
export function streamsOf(
  epochs: readonly Epoch[],
  position: { readonly nextSeq: readonly number[]; readonly ackedSeq: readonly number[] },
  limit: number,
): OutboxStreams {
  const older = epochs
    .slice(0, -1)
    .flatMap((epoch) =>
      LANES.filter((lane) => hasUnacked(epoch, lane, position.ackedSeq)).map((lane) =>
        streamOf(epoch, lane, position.nextSeq),
      ),
    );
  const current = epochs
    .slice(-1)
    .flatMap((epoch) => LANES.map((lane) => streamOf(epoch, lane, position.nextSeq)));
  const streams = [...older.slice(0, limit), ...current];
  return {
    streams: streams.sort((a, b) => a.lane - b.lane || a.firstSeq - b.firstSeq),
    isTruncated: older.length > limit,
  };
}

function streamOf(epoch: Epoch, lane: Lane, nextSeq: readonly number[]): OutboxStream {
  return {
    epoch: epoch.epoch,
    lane,
    firstSeq: epoch.firstSeq[lane] ?? 1,
    nextSeq: (epoch.nextSeq ?? nextSeq)[lane] ?? 1,
    isCurrent: epoch.nextSeq === null,
    isSameBoot: epoch.isSameBoot,
  };
}

function hasUnacked(epoch: Epoch, lane: Lane, ackedSeq: readonly number[]): boolean {
  const first = epoch.firstSeq[lane] ?? 1;
  const next = epoch.nextSeq?.[lane] ?? Number.POSITIVE_INFINITY;
  return next > first && next - 1 > (ackedSeq[lane] ?? 0);
}
