import {
  type HistoryKey,
  type HistoryPlace,
  type HistoryQuery,
  inOrder,
  isAskedFor,
} from './history-query.ts';

/** `folded`: alerts whose column names no camera, as they are of several, or of the edge itself. */
export type HistoryIndex = 'id' | 'at' | 'camera' | 'client' | 'folded' | 'severity' | 'type';

/** An entry of an index, with everything that has it. */
interface PlannedPart {
  readonly index: HistoryIndex;
  /** Null where the index has no values, and for events without one. */
  readonly value: string | null;
}

/** Parts of indices, each sorted by itself; together they hold everything that is asked for. */
export interface HistoryPlan {
  readonly parts: readonly PlannedPart[];
  /** Entries that are read of each part at most. */
  readonly rows: number;
}

/** What was read of one part. */
export interface HistoryPart {
  readonly keys: readonly HistoryKey[];
  /** There is more of it. */
  readonly isCut: boolean;
}

export interface MergedParts {
  readonly keys: readonly HistoryKey[];
  readonly next: HistoryPlace | null;
  readonly hasMore: boolean;
}

/** A page looks at no more entries than this in all, whatever is asked for. */
const SCANNED_ROWS = 2000;
const LEAST_ROWS = 20;

/**
 * Picks the index that leaves the least to look through, as far as that can be told without numbers: severities are
 * rare, a camera is one of many, a client has several cameras, a type is one of few.
 */
export function planHistory(query: HistoryQuery): HistoryPlan {
  const { severities, cameras, clients, types, limit, eventId } = query;
  const filters = [severities, cameras, clients, types].filter((list) => list !== null);
  const [index, values] = chooseIndex(query);
  const own = values.map((value) => ({ index, value }));
  if (eventId !== null) return { parts: own, rows: 1 };
  const hasFolded = index === 'camera' && !values.includes(null);
  const parts = hasFolded ? [...own, { index: 'folded' as const, value: null }] : own;
  const isSieved = index === 'id' || filters.length > (index === 'at' ? 0 : 1);
  const share = Math.max(LEAST_ROWS, Math.floor(SCANNED_ROWS / Math.max(1, parts.length)));
  // Folded alerts are few, and most that are about other cameras would be looked through in vain page by page.
  return { parts, rows: isSieved || hasFolded ? share : Math.min(limit + 1, share) };
}

function chooseIndex(
  query: HistoryQuery,
): readonly [index: HistoryIndex, values: readonly (string | null)[]] {
  if (query.order === 'stored' || query.eventId !== null) return ['id', [null]];
  if (query.severities !== null) return ['severity', query.severities];
  if (query.cameras !== null) return ['camera', query.cameras];
  if (query.clients !== null) return ['client', query.clients];
  if (query.types !== null) return ['type', query.types];
  return ['at', [null]];
}

/**
 * One page of the parts: what is asked for, in order, once.
 *
 * A part that was cut says nothing of what lies behind its last entry. So the page ends at the first such end, and
 * the next one goes on from there.
 */
export function mergeParts(query: HistoryQuery, parts: readonly HistoryPart[]): MergedParts {
  const { order, limit } = query;
  let end: HistoryPlace | null = null;
  for (const { keys, isCut } of parts) {
    const last = keys.at(-1);
    if (isCut && last !== undefined && (end === null || inOrder(order, last, end) < 0)) end = last;
  }
  const merged = parts
    .flatMap(({ keys }) => keys)
    .filter((key) => isAskedFor(query, key) && (end === null || inOrder(order, key, end) <= 0))
    .sort((a, b) => inOrder(order, a, b));
  const hasMore = end !== null || merged.length > limit;
  const keys = merged.slice(0, limit);
  if (merged.length > limit) return { keys, hasMore, next: placeOf(keys.at(-1)) };
  // Whoever follows what is stored goes on behind what was looked at, wanted or not.
  const followed = order === 'stored' ? (parts[0]?.keys.at(-1) ?? query.after) : null;
  return { keys, hasMore, next: placeOf(end ?? followed) };
}

function placeOf(key: HistoryPlace | null | undefined): HistoryPlace | null {
  return key ? { atMs: key.atMs, eventId: key.eventId } : null;
}
