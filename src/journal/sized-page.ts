import type { JournalPage } from './contract.ts';
import { cursorOf, type PagePlace } from './page-plan.ts';

/** A page of large rows ends before it is larger; one row is on it in any case. Characters of JSON. */
const PAGE_LENGTH = 1024 * 1024;

/**
 * Reads the rows of a page.
 * @param next where the next one begins; null at the end
 * @param read null for what is no longer there
 */
export function sized<Key extends PagePlace, Row>(
  keys: readonly Key[],
  next: PagePlace | null,
  read: (key: Key) => { readonly row: Row; readonly bytes: number } | null,
): JournalPage<Row> {
  const rows: Row[] = [];
  let length = 0;
  let place: PagePlace | null = null;
  for (const key of keys) {
    const found = read(key);
    if (found === null) continue;
    length += found.bytes;
    if (length > PAGE_LENGTH && place !== null)
      return { rows, next: cursorOf(place), has_more: true };
    rows.push(found.row);
    place = key;
  }
  return { rows, next: next && cursorOf(next), has_more: next !== null };
}
