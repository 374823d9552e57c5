import type { Database } from 'better-sqlite3';
import type { SummaryEntry } from './contract.ts';
import type { SummaryQuery } from './query.ts';
import { TALLY_MS } from './schema.ts';

const LENGTH_MS = { hour: 3_600_000, day: 86_400_000 } as const;

interface TallyRow {
  readonly number: number;
  readonly cameraId: string;
  readonly events: number;
  readonly alerts: number;
}

/** Counts by hour or day and camera, oldest first. The first and the last quarter of an hour count as a whole. */
export function summarize(db: Database, query: SummaryQuery): SummaryEntry[] {
  const { from_ms, to_ms, per, offset_min, cameras } = query;
  const length = LENGTH_MS[per] / TALLY_MS;
  const offset = (offset_min * 60_000) / TALLY_MS;
  // Whole numbers, which those bound from JavaScript are not; and nothing was filmed before 1970.
  const rows = db
    .prepare<[Record<string, number>], TallyRow>(`
      SELECT (quarter + CAST(:offset AS INTEGER)) / CAST(:length AS INTEGER) AS number, camera_id AS cameraId, sum(events) AS events,
        sum(alerts) AS alerts
      FROM tally WHERE quarter >= :from AND quarter < :to
      GROUP BY number, camera_id ORDER BY number, camera_id`)
    .all({
      length,
      offset,
      from: Math.floor(from_ms / TALLY_MS),
      to: Math.ceil(to_ms / TALLY_MS),
    });
  return rows
    .filter(({ cameraId }) => cameras === undefined || cameras.includes(cameraId))
    .map(({ number, cameraId, events, alerts }) => ({
      begin_ms: (number * length - offset) * TALLY_MS,
      camera_id: cameraId === '' ? null : cameraId,
      events,
      alerts,
    }));
}
