import type { StoredRow } from './lane-table.ts';
import type { OutboxLane } from './outbox-lane.ts';
import { bodyText } from './outbox-rows.ts';

/** Rows that one transaction rewrites, so that the log stays small. */
export const SLICE_ROWS = 200;

/** Runs a change as a transaction. */
export type Commit = (change: () => void) => void;

export interface Rewriting {
  /** One of these stands in every body that is to change; deflated ones are looked at in any case. */
  readonly texts: readonly string[];
  /** The new body; the same where it stays as it is. */
  readonly change: (body: string, type: string) => string;
  /** Null to count only. */
  readonly commit: Commit | null;
}

/** Writes messages of a lane anew, slice by slice. How many. Idempotent. */
export function rewriteLane(lane: OutboxLane, { texts, change, commit }: Rewriting): number {
  let rewritten = 0;
  let afterSeq = 0;
  let isOver = false;
  const slice = (): void => {
    // Within the transaction, which may have deleted acknowledged rows before.
    const rows = lane.holding(texts, afterSeq, SLICE_ROWS);
    const bodies = new Map<number, string>();
    for (const row of rows) {
      const before = readable(row);
      const after = change(before, row.type);
      if (after !== before) bodies.set(row.seq, after);
    }
    if (commit !== null) lane.rewrite(rows, bodies);
    rewritten += bodies.size;
    const last = rows.at(-1);
    if (last === undefined) isOver = true;
    else afterSeq = last.seq;
  };
  while (!isOver) {
    if (commit === null) slice();
    else commit(slice);
  }
  return rewritten;
}

/** A damaged body that cannot be read is told as what it holds, which is no JSON. */
function readable(row: StoredRow): string {
  try {
    return bodyText(row);
  } catch {
    return row.body.toString('latin1');
  }
}
