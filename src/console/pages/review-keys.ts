import { useEffect, useRef } from 'react';
import type { Event } from '../../protocol/local-api/history.ts';
import type { Review } from './review.ts';

export interface ReviewKeys extends Review {
  readonly events: readonly Event[];
  /** -1 for none. */
  readonly selected: number;
  readonly marked: ReadonlySet<string>;
  open(index: number): void;
  mark(id: string): void;
}

/** Reviewing without a mouse. Keys that are typed into a field are left alone. */
export function useReviewKeys(keys: ReviewKeys): void {
  const newest = useRef(keys);
  newest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { target, ctrlKey, metaKey, altKey, key } = event;
      const isTyping =
        target instanceof HTMLElement && target.closest('input, select, textarea, dialog') !== null;
      if (isTyping || ctrlKey || metaKey || altKey) return;
      if (act(key, newest.current)) event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

/** Whether the key means something. */
function act(key: string, keys: ReviewKeys): boolean {
  const { events, selected, marked, open, mark, markReviewed, setFalsePositive } = keys;
  const event = events[selected];
  if (key === 'j') open(selected + 1);
  else if (key === 'k') open(selected - 1);
  else if (key === 'R') markReviewed([...marked]);
  else if (event === undefined) return false;
  else if (key === 'x') mark(event.event_id);
  else if (key === 'r') markReviewed([event.event_id]);
  else if (key === 'f') setFalsePositive(event);
  else return false;
  return true;
}
