import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alertOf, eventOf, idOf, JournalScene, NOON } from './journal-scene.ts';

let scene: JournalScene;
beforeEach(() => {
  scene = new JournalScene();
});
afterEach(() => scene.end());

describe('what is told', () => {
  test('is found again, also by the next run, by nobody else', async () => {
    const event = eventOf(1, { entered_zones: ['yard'], current_zones: [] });
    const alert = alertOf(1, { data: { event_id: event.event_id } });
    await scene.tell([event], [alert]);
    await scene.restart();
    const { history } = scene.journal;
    expect(await history.one(event.event_id)).toEqual({
      ...{ event_id: event.event_id, camera_id: 'gate', label: 'person', type: 'person' },
      ...{ start_ms: NOON + 10, end_ms: NOON + 15, score: 0.5, person_id: null, zones: ['yard'] },
      ...{ alert_severity: 'high', reviewed_at: null, reviewed_by: null },
      ...{ false_positive_at: null, false_positive_by: null, event },
    });
    expect(await history.alert(alert.alert_id)).toMatchObject({
      ...{ camera_ids: ['gate'], event_id: event.event_id, severity: 'high', notes: [], alert },
    });
    expect(await history.one(idOf(9))).toBeNull();
    expect(await history.alert(idOf(9))).toBeNull();
    expect(statSync(join(scene.dir, 'journal.db')).mode & 0o777).toBe(0o600);
  });

  test('is the newest of an event, under what people said of it', async () => {
    await scene.tell([eventOf(1, { phase: 'new', end_time: null })]);
    await scene.journal.review.markReviewed([idOf(1)], 'kim');
    await scene.tell([eventOf(1, { score: 0.875 })]);
    expect(await scene.journal.history.one(idOf(1))).toMatchObject({
      ...{ score: 0.875, end_ms: NOON + 15, reviewed_by: 'kim' },
    });
    expect(scene.journal.status().stats).toMatchObject({ events: 1, alerts: 0 });
  });

  test('an event has its highest alert, whichever came first', async () => {
    const of = (number: number, severity: 'low' | 'critical') =>
      alertOf(number, { severity, data: { event_id: idOf(1) } });
    await scene.tell([], [of(1, 'critical')]);
    await scene.tell([eventOf(1)], [of(2, 'low')]);
    expect(await scene.journal.history.one(idOf(1))).toMatchObject({ alert_severity: 'critical' });
  });

  test('an alert of several cameras is one of each', async () => {
    const { camera_id: _, ...alert } = alertOf(1, { type: 'camera_offline' });
    await scene.tell([], [{ ...alert, camera_ids: ['gate', 'yard'] }]);
    const pages = await Promise.all(
      [['gate'], ['yard'], ['dock']].map((cameras) =>
        scene.journal.history.alertsPage({ cameras }),
      ),
    );
    expect(pages.map(({ rows }) => rows.length)).toEqual([1, 1, 0]);
    const day = { from_ms: NOON - 1e6, to_ms: NOON + 1e6, per: 'day' };
    expect(await scene.journal.history.summary(day)).toMatchObject([
      { camera_id: 'gate', alerts: 1 },
      { camera_id: 'yard', alerts: 1 },
    ]);
  });

  test('days of a summary begin where the site has its midnight', async () => {
    // 23:30 in Greenwich is the next day in Vienna.
    const start_time = Date.UTC(2026, 2, 5, 23, 30);
    await scene.tell([eventOf(1), eventOf(2, { start_time })]);
    const query = { from_ms: Date.UTC(2026, 2, 5), to_ms: Date.UTC(2026, 2, 7), offset_min: 60 };
    expect(await scene.journal.history.summary(query)).toEqual([
      { begin_ms: Date.UTC(2026, 2, 4, 23), camera_id: 'gate', events: 1, alerts: 0 },
      { begin_ms: Date.UTC(2026, 2, 5, 23), camera_id: 'gate', events: 1, alerts: 0 },
    ]);
  });
});

describe('what people say', () => {
  test('who was first stands, and the rows that changed are told', async () => {
    await scene.tell([eventOf(1), eventOf(2)], [alertOf(1)]);
    const { review, history } = scene.journal;
    const both = [idOf(1), idOf(2), idOf(77)];
    expect(await review.markReviewed(both, 'kim')).toMatchObject([
      { event_id: idOf(1), reviewed_by: 'kim' },
      { event_id: idOf(2), reviewed_by: 'kim' },
    ]);
    expect(await review.markReviewed(both, 'lee')).toEqual([]);
    const { alert_id: id } = alertOf(1);
    expect(await review.acknowledge([id], 'kim')).toHaveLength(1);
    expect(await review.acknowledge([id], 'lee')).toEqual([]);
    expect(await history.alert(id)).toMatchObject({ acknowledged_by: 'kim' });
    expect(scene.journal.status().stats).toMatchObject({ openAlerts: 0 });
  });

  test('a false positive is none after all', async () => {
    await scene.tell([eventOf(1), eventOf(2)]);
    const { review } = scene.journal;
    await review.falsePositive(idOf(1), true, 'kim');
    expect(await scene.allEvents({ is_false_positive: true })).toEqual([idOf(1)]);
    expect(await review.falsePositive(idOf(1), false, 'kim')).toMatchObject([
      { false_positive_at: null, false_positive_by: null },
    ]);
    expect(await scene.allEvents({ is_false_positive: true })).toEqual([]);
  });

  test('notes add up, one that was sent twice is one, and a hundred are enough', async () => {
    await scene.tell([], [alertOf(1)]);
    const { alert_id: id } = alertOf(1);
    const { review, history } = scene.journal;
    await review.addNote(id, 'called the site', 'kim');
    expect(await review.addNote(id, 'called the site', 'kim')).toEqual([]);
    await review.addNote(id, 'it was the cleaner', 'lee');
    expect((await history.alert(id))?.notes).toMatchObject([
      { by: 'kim', text: 'called the site' },
      { by: 'lee', text: 'it was the cleaner' },
    ]);
    for (let number = 3; number <= 100; number++) await review.addNote(id, `${number}`, 'kim');
    const input = { code: 'JOURNAL_INPUT' };
    await expect(review.addNote(id, 'one too many', 'kim')).rejects.toMatchObject(input);
    await expect(review.addNote(id, ' ', 'kim')).rejects.toMatchObject(input);
    await expect(review.markReviewed([idOf(1)], '')).rejects.toMatchObject(input);
  });
});

test('what is asked for wrongly is told by its place', async () => {
  const { history } = scene.journal;
  for (const [query, place] of [
    [{ limit: 501 }, 'limit'],
    [{ after: '1; DROP TABLE event' }, 'after'],
    [{ cameras: [] }, 'cameras'],
    [{ colour: 'red' }, 'colour'],
  ] as const)
    await expect(history.page(query)).rejects.toMatchObject({
      code: 'JOURNAL_INPUT',
      message: expect.stringContaining(place),
    });
});

test('after the end nothing is taken, and what was told before is kept', async () => {
  scene.journal.event(eventOf(1));
  const before = scene.journal;
  await scene.restart();
  expect(await scene.allEvents()).toEqual([idOf(1)]);
  await expect(before.history.one(idOf(1))).rejects.toMatchObject({ code: 'JOURNAL_CLOSED' });
});
