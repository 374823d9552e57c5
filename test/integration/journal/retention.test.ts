import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JournalCore } from '../../../src/journal/journal-core.ts';
import { journalBytes } from '../../../src/journal/journal-file.ts';
import { RESERVE_BYTES } from '../../../src/journal/retention.ts';
import type { AlertTriggered, ObjectEvent } from '../../../src/protocol/payloads.ts';
import { LogLines } from '../../support/log-lines.ts';
import { ManualClock } from '../../unit/hub/manual-clock.ts';
import { alertOf, BUDGET, eventOf, idOf } from './journal-scene.ts';

const PLENTY = 1e12;
/** So that a few thousand rows are more than the budget. */
const FILLER = { sub_label: 'x'.repeat(4000) } as Partial<ObjectEvent>;
const filled = (number: number) =>
  alertOf(number, { data: { filler: 'x'.repeat(4000) } as AlertTriggered['data'] });

let dir: string;
let free = PLENTY;
let core: JournalCore;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-journal-room-'));
  free = PLENTY;
  core = new JournalCore({
    ...{ dir, budgetBytes: BUDGET, clock: new ManualClock(), log: new LogLines() },
    freeBytes: () => free,
  });
});
afterEach(() => {
  core.close();
  rmSync(dir, { recursive: true });
});

const numbers = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => from + index);

function write(events: readonly ObjectEvent[], alerts: readonly object[] = []): void {
  const texts = (messages: readonly object[]) => messages.map((each) => JSON.stringify(each));
  const lost = { events: 0, alerts: 0 };
  core.answer({ op: 'write', events: texts(events), alerts: texts(alerts), lost });
}

/** As the thread does between calls. */
function makeRoom(): void {
  for (let slice = 0; core.makeRoom() !== 'nothing'; slice++)
    if (slice > 10_000) throw new Error('room is made without end');
}

function fill(count: number, first = 0): void {
  for (let from = first; from < first + count; from += 200) {
    write(numbers(from, 200).map((number) => eventOf(number, FILLER)));
    makeRoom();
  }
}

const stats = () => core.news.stats;
const sizeOf = () => statSync(join(dir, 'journal.db')).size;
const lacking = (ids: readonly number[]) =>
  core.answer({
    op: 'lacking',
    events: ids.map((number) => ({ eventId: idOf(number), startMs: eventOf(number).start_time })),
  });

describe('over its budget', () => {
  test('the oldest goes, is counted, and is not missed by the catching up', () => {
    fill(8000);
    expect(sizeOf()).toBeLessThanOrEqual(BUDGET);
    const { events = 0, evictedEvents = 0, oldestMs } = stats() ?? {};
    expect(events).toBeGreaterThan(800);
    expect(events + evictedEvents).toBe(8000);
    expect(oldestMs).toBe(eventOf(evictedEvents).start_time);
    expect(lacking([0, 1, evictedEvents - 1, 7999])).toEqual([]);
    expect(lacking([9000])).toEqual([idOf(9000)]);
  });

  test('what goes on stays, however old', () => {
    write([eventOf(1, { phase: 'new', end_time: null })]);
    fill(6000, 2);
    expect(stats()?.oldestMs).toBe(eventOf(1).start_time);
    expect(stats()?.evictedEvents).toBeGreaterThan(0);
  });

  test('alerts that nobody has acknowledged outlive events, the others do not', () => {
    write([], numbers(0, 100).map(filled));
    const seen = numbers(0, 50).map((number) => filled(number).alert_id);
    core.answer({ op: 'review', change: { op: 'acknowledge', ids: seen, by: 'kim' } });
    fill(8000);
    expect(stats()).toMatchObject({ alerts: 50, openAlerts: 50, evictedAlerts: 50 });
    expect(stats()?.evictedEvents).toBeGreaterThan(0);
  });

  test('a flood of alerts does not take the whole journal, nor more than its budget', () => {
    fill(2000);
    for (let from = 0; from < 6000; from += 200) {
      write([], numbers(from, 200).map(filled));
      makeRoom();
    }
    expect(sizeOf()).toBeLessThanOrEqual(BUDGET);
    const { events = 0, openAlerts = 0, evictedAlerts = 0 } = stats() ?? {};
    expect(events).toBeGreaterThan(400);
    expect(openAlerts).toBeGreaterThan(400);
    expect(openAlerts + evictedAlerts).toBe(6000);
  });
});

describe('where others fill the disk', () => {
  test('the journal gives room back, events first, open alerts never', () => {
    fill(2000);
    write([], numbers(0, 100).map(filled));
    const before = stats()?.events ?? 0;
    const disk = journalBytes(dir) + RESERVE_BYTES - 4e6;
    // What the files give back is free then.
    for (let slice = 0; slice < 10_000; slice++) {
      free = disk - journalBytes(dir);
      if (core.makeRoom() === 'nothing') break;
    }
    // The log may keep its room.
    expect(sizeOf()).toBeLessThanOrEqual(disk - RESERVE_BYTES);
    // Not much more than was asked for.
    expect(stats()?.events).toBeGreaterThan(before / 3);
    expect(stats()).toMatchObject({ openAlerts: 100, evictedAlerts: 0 });
    expect(stats()?.evictedEvents).toBeGreaterThan(0);
    free = -PLENTY;
    makeRoom();
    expect(stats()).toMatchObject({ events: 0, openAlerts: 100, evictedAlerts: 0 });
  });

  test('alerts are written where events are not any more, and both again afterwards', () => {
    free = RESERVE_BYTES / 2 - 1;
    expect(() => write([eventOf(1)])).toThrow(expect.objectContaining({ code: 'JOURNAL_FULL' }));
    write([], [alertOf(1)]);
    free = PLENTY;
    write([eventOf(1)]);
    expect(stats()).toMatchObject({ events: 1, alerts: 1 });
  });
});
