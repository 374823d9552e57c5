import { expect, test } from 'vitest';
import { barsOf, DAY_MS, dayOf, spanOf } from '../../../src/console/pages/timeline-bars.ts';

const NOON = new Date(2026, 10, 24, 12).getTime();
const MIDNIGHT = new Date(2026, 10, 24).getTime();

test('two weeks end with today', () => {
  const span = spanOf(undefined, NOON);
  expect(span).toEqual({ fromMs: MIDNIGHT - 13 * DAY_MS, toMs: MIDNIGHT + DAY_MS, per: 'day' });
  const entries = [
    { begin_ms: MIDNIGHT, camera_id: 'hall', events: 3, alerts: 1 },
    { begin_ms: MIDNIGHT, camera_id: 'yard', events: 2, alerts: 0 },
    { begin_ms: MIDNIGHT - 20 * DAY_MS, camera_id: 'yard', events: 9, alerts: 9 },
  ];
  const bars = barsOf(entries, span);
  expect(bars).toHaveLength(14);
  expect(bars.at(-1)).toEqual({ beginMs: MIDNIGHT, events: 5, alerts: 1 });
  expect(bars.reduce((sum, { events }) => sum + events, 0)).toBe(5);
});

test('one day is shown by the hour', () => {
  const span = spanOf('2026-11-24', NOON);
  const [first, ...rest] = barsOf([{ begin_ms: MIDNIGHT + 60_000, events: 1, alerts: 0 }], span);
  expect([first?.events, rest.length, dayOf(span.fromMs)]).toEqual([1, 23, '2026-11-24']);
});
