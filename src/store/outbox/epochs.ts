import type { Database } from 'better-sqlite3';
import { LANES, type Lane } from '../../protocol/lanes.ts';
import type { OutboxStream, OutboxStreams } from '../requests.ts';

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

/** Wall time when the epoch before began, where the daemon did not end it itself. */
export function uncleanEpochSince(db: Database): number | null {
  const row = db
    .prepare<[], { clean_close: number; opened_wall_ms: number }>(
      'SELECT clean_close, opened_wall_ms FROM epoch ORDER BY epoch_id DESC LIMIT 1',
    )
    .get();
  return row === undefined || row.clean_close !== 0 ? null : row.opened_wall_ms;
}

/** True where the last daemon closed the file itself, and where there was none. */
export function wasClosedCleanly(db: Database): boolean {
  const clean = db
    .prepare('SELECT clean_close FROM epoch ORDER BY epoch_id DESC LIMIT 1')
    .pluck()
    .get();
  return clean !== 0;
}

/** Forgets epochs of which nothing is wanted any more. The current one stays. */
export function purgeEpochs(
  db: Database,
  epochs: readonly Epoch[],
  isOfInterest: (epoch: Epoch) => boolean,
): void {
  const remove = db.prepare('DELETE FROM epoch WHERE epoch_id = ?');
  for (const epoch of epochs.slice(0, -1)) if (!isOfInterest(epoch)) remove.run(epoch.id);
}

export interface LanePositions {
  /** By lane. */
  readonly nextSeq: readonly number[];
  readonly ackedSeq: readonly number[];
  /** Whether acknowledged messages of the range are still kept. */
  readonly hasRetained: (lane: Lane, fromSeq: number, toSeq: number) => boolean;
}

/**
 * The streams to resume, by lane and oldest first; at most `limit` beside those of the current epoch. Streams that
 * the hub has acknowledged are told, where there is room, while their messages are kept: a hub that was put back
 * to an older state asks for them again.
 */
export function streamsOf(
  epochs: readonly Epoch[],
  position: LanePositions,
  limit: number,
): OutboxStreams {
  const older = epochs.slice(0, -1).flatMap((epoch) => LANES.map((lane) => ({ epoch, lane })));
  const unacked = older.filter(({ epoch, lane }) => hasUnacked(epoch, lane, position.ackedSeq));
  const retained = older
    .filter((stream) => !unacked.includes(stream) && isRetained(stream, position))
    .reverse();
  const told = [...unacked, ...retained].slice(0, limit);
  const current = epochs.slice(-1).flatMap((epoch) => LANES.map((lane) => ({ epoch, lane })));
  return {
    streams: [...told, ...current]
      .map(({ epoch, lane }) => streamOf(epoch, lane, position.nextSeq))
      .sort((a, b) => a.lane - b.lane || a.firstSeq - b.firstSeq),
    isTruncated: unacked.length > limit,
  };
}

function isRetained(
  { epoch, lane }: { epoch: Epoch; lane: Lane },
  { hasRetained }: LanePositions,
): boolean {
  const first = epoch.firstSeq[lane] ?? 1;
  const next = epoch.nextSeq?.[lane] ?? first;
  return next > first && hasRetained(lane, first, next - 1);
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
