import type { HistoryOrder, HistoryPlace } from '../store/history-query.ts';

/** Where a page begins, as a client carries it from one page to the next. It must not look inside. */
export interface Cursor {
  readonly order: HistoryOrder;
  readonly place: HistoryPlace;
}

const FORM = /^(newest|oldest|stored):(-?\d{1,16}):(\d{1,16})$/;

export function cursorText({ order, place }: Cursor): string {
  return Buffer.from(`${order}:${place.atMs}:${place.eventId}`).toString('base64url');
}

/** Null for a text that is no cursor. */
export function readCursor(text: string): Cursor | null {
  const [, order, atMs, eventId] = FORM.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (order === undefined) return null;
  const place = { atMs: Number(atMs), eventId: Number(eventId) };
  if (!Number.isSafeInteger(place.atMs) || !Number.isSafeInteger(place.eventId)) return null;
  return { order: order as HistoryOrder, place };
}
