/** The sequence numbers that one item of a batch stands for; a message has one, a gap a range. */
export interface SeqRange {
  readonly seq: number;
  readonly toSeq: number;
}

export interface Placement<Item extends SeqRange> {
  /** To be stored, with their index in the batch. A gap that overlaps what is already held comes shortened. */
  readonly accepted: readonly { readonly index: number; readonly item: Item }[];
  /** Items whose numbers the hub already has: acknowledged again, never refused. */
  readonly duplicates: readonly { readonly index: number; readonly item: Item }[];
  /** High-water mark after this batch. */
  readonly ackedThrough: number;
  /** The number that should have come where the batch has a hole; nothing from there on was taken. */
  readonly expectedSeq: number | null;
}

/**
 * Decides what of a batch is new to a stream whose messages up to `ackedThrough` are stored.
 *
 * A high-water mark instead of a list of seen ids: it needs no time window, so a client may be away for days.
 */
export function placeBatch<Item extends SeqRange>(
  ackedThrough: number,
  items: readonly Item[],
): Placement<Item> {
  const accepted: { index: number; item: Item }[] = [];
  const duplicates: { index: number; item: Item }[] = [];
  let through = ackedThrough;
  for (const [index, item] of items.entries()) {
    if (item.toSeq <= through) {
      duplicates.push({ index, item });
      continue;
    }
    if (item.seq > through + 1)
      return { accepted, duplicates, ackedThrough: through, expectedSeq: through + 1 };
    const isOverlapping = item.seq <= through;
    accepted.push({ index, item: isOverlapping ? { ...item, seq: through + 1 } : item });
    through = item.toSeq;
  }
  return { accepted, duplicates, ackedThrough: through, expectedSeq: null };
}
