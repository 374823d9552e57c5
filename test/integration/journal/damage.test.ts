import {
  closeSync,
  openSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { catchUpJournal } from '../../../src/edge/journal-catch-up.ts';
import { Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { alertOf, eventOf, idOf, JournalScene } from './journal-scene.ts';

let scene: JournalScene;
beforeEach(() => {
  scene = new JournalScene();
});
afterEach(() => scene.end());

const file = () => join(scene.dir, 'journal.db');
const aside = () => readdirSync(scene.dir).filter((name) => /^journal\.corrupt-\d+$/.test(name));
const many = Array.from({ length: 300 }, (_, number) => eventOf(number));

/** Overwrites everything but the first page. */
function wound(): void {
  const { size } = statSync(file());
  const handle = openSync(file(), 'r+');
  writeSync(handle, Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
  closeSync(handle);
}

/** As if the machine had gone down with it open. */
function leaveMarkedOpen(): void {
  const db = new Database(file());
  db.prepare("UPDATE figure SET value = 1 WHERE name = 'open'").run();
  db.close();
}

describe('a file that is not a journal any more', () => {
  test.each([
    ['cut to nothing but its head', () => truncateSync(file(), 5000)],
    ['overwritten by something else', () => writeFileSync(file(), 'not a database '.repeat(999))],
    ['full of rubbish', () => wound()],
  ])('%s is put aside and told, and a new one takes what comes', async (_, harm) => {
    await scene.tell(many);
    await scene.restart(() => {
      leaveMarkedOpen();
      harm();
    });
    await scene.tell([eventOf(900)]);
    await scene.journal.flushed();
    expect(await scene.allEvents()).toEqual([idOf(900)]);
    expect(aside()).toHaveLength(1);
    expect(scene.journal.status()).toMatchObject({ fault: null, stats: { damagedFiles: 1 } });
    expect(scene.log.lines.join('\n')).toContain('journal damaged; started a new one');
  });

  test('is found by who reads it, too, and what waits is not lost', async () => {
    await scene.tell(many);
    await scene.restart();
    await scene.journal.flushed();
    const replaced = vi.fn();
    scene.journal.onReplaced(replaced);
    wound();
    await vi.waitFor(
      async () => {
        scene.journal.event(eventOf(901));
        await scene.journal.history.page({}).catch(() => undefined);
        await scene.journal.flushed();
        expect(replaced).toHaveBeenCalledOnce();
      },
      { timeout: 8000 },
    );
    await vi.waitFor(async () => {
      await scene.tell([eventOf(902)]);
      expect(await scene.allEvents()).toContain(idOf(902));
    });
    expect(aside()).toHaveLength(1);
  });

  test('of a newer program is left as it is, and the journal says why it stands still', async () => {
    await scene.tell([eventOf(1)]);
    await scene.restart(() => {
      const db = new Database(file());
      db.pragma('user_version = 99');
      db.close();
    });
    scene.journal.event(eventOf(2));
    await scene.journal.flushed();
    expect(scene.journal.status()).toMatchObject({
      fault: { code: 'STORE_NEWER' },
      waitingEvents: 1,
    });
    expect(aside()).toEqual([]);
  });
});

describe('what the store has and the journal lacks', () => {
  let store: Store;
  beforeEach(async () => {
    store = await Store.open({
      dir: scene.dir,
      clock: systemClock,
      log: scene.log,
      hasSink: false,
    });
    for (const event of many.slice(0, 250))
      await store.recordEvent(event, { wallMs: 2, monoMs: 2, snapshotPath: null });
  });
  afterEach(() => store.close());

  const catchUp = () => catchUpJournal({ store, journal: scene.journal, log: scene.log });

  test('comes from the store, and what people said stays', async () => {
    await scene.tell(many.slice(0, 20));
    await scene.journal.review.markReviewed([idOf(3)], 'kim');
    // One that the journal knows without its end, and one that goes on.
    await scene.tell([eventOf(200, { phase: 'new', end_time: null })]);
    const open = eventOf(299, { phase: 'new', end_time: null });
    await store.recordEvent(open, { wallMs: 2, monoMs: 2, snapshotPath: null });
    await catchUp();
    expect(await scene.allEvents({ order: 'oldest' })).toEqual(
      many.slice(0, 250).map(({ event_id }) => event_id),
    );
    expect(await scene.journal.history.one(idOf(200))).toMatchObject({ event: { phase: 'end' } });
    expect(await scene.allEvents({ is_reviewed: true })).toEqual([idOf(3)]);
    const lines = () => scene.log.lines.filter((line) => line.includes('journal lacked'));
    expect(lines()).toHaveLength(1);
    await catchUp();
    expect(lines()).toHaveLength(1);
  });
});

test('an alert waits where it cannot be written, and nothing says that it is stored', async () => {
  await scene.tell([eventOf(1)]);
  await scene.journal.flushed();
  const blocker = new Database(file());
  blocker.exec('BEGIN EXCLUSIVE');
  scene.journal.alert(alertOf(1));
  await scene.journal.flushed();
  expect(scene.journal.hasUnstoredAlerts).toBe(true);
  expect(scene.journal.status()).toMatchObject({
    waitingAlerts: 1,
    fault: { code: 'JOURNAL_BUSY' },
  });
  blocker.exec('ROLLBACK');
  blocker.close();
  await scene.journal.flushed();
  expect(scene.journal.hasUnstoredAlerts).toBe(false);
  expect(scene.journal.status()).toMatchObject({ waitingAlerts: 0, fault: null });
  expect(scene.log.lines.filter((line) => line.includes('cannot be written'))).toHaveLength(1);
});
