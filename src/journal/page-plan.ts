/** Where a page begins: behind this place in its order. */
export interface PagePlace {
  readonly atMs: number;
  /** Number of the row. */
  readonly id: number;
}

export type PageOrder = 'newest' | 'oldest';

/** What was read of one part of an index. */
interface PagePart<Key extends PagePlace> {
  readonly keys: readonly Key[];
  /** There is more of it. */
  readonly isCut: boolean;
}

export interface MergedPage<Key extends PagePlace> {
  readonly keys: readonly Key[];
  readonly next: PagePlace | null;
}

/** A page looks at no more rows than this in all, whatever is asked for. */
const SCANNED_ROWS = 2000;
const LEAST_ROWS = 20;

/** Rows that are read of each part. @param isSieved whether some of them may not be wanted */
export function rowsOfPart(parts: number, limit: number, isSieved: boolean): number {
  const share = Math.max(LEAST_ROWS, Math.floor(SCANNED_ROWS / Math.max(1, parts)));
  return isSieved ? share : Math.min(limit + 1, share);
}

/**
 * One page of parts that are each in the order: what is wanted, once.
 *
 * A part that was cut says nothing of what lies behind its last row. So the page ends at the first such end, and the
 * next one goes on from there.
 */
export function mergeParts<Key extends PagePlace>(
  parts: readonly PagePart<Key>[],
  options: {
    readonly order: PageOrder;
    readonly limit: number;
    readonly isWanted: (key: Key) => boolean;
  },
): MergedPage<Key> {
  const { order, limit, isWanted } = options;
  let end: Key | null = null;
  for (const { keys, isCut } of parts) {
    const last = keys.at(-1);
    if (isCut && last !== undefined && (end === null || inOrder(order, last, end) < 0)) end = last;
  }
  const byId = new Map<number, Key>();
  for (const { keys } of parts)
    for (const key of keys)
      if (isWanted(key) && (end === null || inOrder(order, key, end) <= 0)) byId.set(key.id, key);
  const merged = [...byId.values()].sort((a, b) => inOrder(order, a, b));
  const keys = merged.slice(0, limit);
  const next = merged.length > limit ? keys.at(-1) : end;
  return { keys, next: next ? { atMs: next.atMs, id: next.id } : null };
}

/** Negative where `a` comes first. */
function inOrder(order: PageOrder, a: PagePlace, b: PagePlace): number {
  const ascending = a.atMs - b.atMs || a.id - b.id;
  return order === 'oldest' ? ascending : -ascending;
}

/** Bounds of a statement over an index: the time, and the place to go on from. */
export function boundsOf(query: {
  readonly order: PageOrder;
  readonly from_ms?: number | undefined;
  readonly to_ms?: number | undefined;
  readonly after?: string | undefined;
}) {
  const isDown = query.order === 'newest';
  const farthest = isDown ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  const place = query.after === undefined ? { atMs: farthest, id: farthest } : placeOf(query.after);
  return {
    fromMs: query.from_ms ?? Number.MIN_SAFE_INTEGER,
    toMs: query.to_ms ?? Number.MAX_SAFE_INTEGER,
    atMs: place.atMs,
    id: place.id,
  };
}

/** What `JournalPage.next` says of a place. */
export function cursorOf({ atMs, id }: PagePlace): string {
  return `${atMs}.${id}`;
}

/** Of a cursor of the form that the query's schema lets through. */
function placeOf(cursor: string): PagePlace {
  const [atMs, id] = cursor.split('.');
  return { atMs: Number(atMs), id: Number(id) };
}

/** The end of a statement that reads a part of an index. @param time column of the order */
export function pageClause(time: string, order: PageOrder): string {
  const isDown = order === 'newest';
  const direction = isDown ? 'DESC' : 'ASC';
  return `${time} >= :fromMs AND ${time} < :toMs AND (${time}, id) ${isDown ? '<' : '>'} (:atMs, :id)
    ORDER BY ${time} ${direction}, id ${direction} LIMIT :rows`;
}
