import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { everythingWithin } from '../../../src/hub/fan-out/event-filter.ts';
import { EventPages } from '../../../src/hub/store/event-pages.ts';
import { HubDatabase } from '../../../src/hub/store/hub-database.ts';
import { HubHistory } from '../../../src/hub/store/hub-history.ts';
import { HubStore } from '../../../src/hub/store/hub-store.ts';
import { openForReading } from '../../../src/hub/store/reading-connection.ts';
import { DEFAULT_RETENTION } from '../../../src/hub/store/retention.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { storedBatch, storedItem, storeIn } from '../../support/stored-events.ts';

const DAY = 24 * 3600 * 1000;
const MIB = 1024 * 1024;
const DETECTION = { type: 'ai_detection_result', status: 0 } as const;

const NEWEST = {
  cameras: null,
  types: null,
  severities: null,
  clients: null,
  fromMs: null,
  toMs: null,
  order: 'newest',
  after: null,
  eventId: null,
  scopes: null,
  limit: 10,
} as const;

let dataDir: string;
let path: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'apex-hub-retention-'));
  path = join(dataDir, 'hub.sqlite');
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function keptIds(): number[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare('SELECT event_id FROM event ORDER BY event_id').pluck().all() as number[];
  } finally {
    db.close();
  }
}

function retainAll(database: HubDatabase, nowMs: number): number {
  let deleted = 0;
  for (;;) {
    const slice = database.retain(nowMs);
    if (slice === null) return deleted;
    deleted += slice.deleted;
  }
}

describe('retention by age', () => {
  test('deletes what is too old, gaps and quarantine too; alerts and the newest stay', () => {
    const database = new HubDatabase(path, 1);
    const nowMs = 1000 * DAY;
    const old = [
      DETECTION,
      {},
      { type: 'gap', status: 3 },
      { type: 'unreadable', status: 1 },
    ] as const;
    storeIn(database, storedBatch('edge-1', old, nowMs - 91 * DAY));
    storeIn(database, storedBatch('edge-1', [DETECTION, {}], nowMs - 89 * DAY));
    expect(retainAll(database, nowMs)).toBe(3);
    expect(keptIds()).toEqual([2, 5, 6]);
    expect(database.oldestEventId).toBe(5);
    // Alerts have their own age; an event that is the newest stays whatever its age.
    expect(retainAll(database, nowMs + 400 * DAY)).toBe(2);
    expect(keptIds()).toEqual([6]);
    expect(database.oldestEventId).toBe(6);
    database.close();
  });

  test('goes on after a restart, gives out no id twice and keeps high-water marks', () => {
    const first = new HubDatabase(path, 1);
    const batch = storedBatch(
      'edge-1',
      Array.from({ length: 900 }, () => DETECTION),
      DAY,
    );
    storeIn(first, batch);
    expect(first.retain(1000 * DAY)).toEqual({ deleted: 200, oldestEventId: 201 });
    first.close();
    const second = new HubDatabase(path, 1);
    expect(second.oldestEventId).toBe(201);
    expect(retainAll(second, 1000 * DAY)).toBe(699);
    // Delivered again although its rows are gone: known, and not stored again.
    const [answer] = second.writeGroup([{ op: 'store', batch }]);
    expect(answer).toMatchObject({ ackedThrough: 900, duplicates: 900, forked: 0 });
    storeIn(second, storedBatch('edge-2', [DETECTION]));
    expect(second.lastEventId).toBe(901);
    second.close();
  });

  test('a subscriber that resumes below what is kept gets what is there at once', () => {
    const database = new HubDatabase(path, 1);
    storeIn(
      database,
      storedBatch(
        'edge-1',
        Array.from({ length: 9000 }, () => DETECTION),
        DAY,
      ),
    );
    storeIn(database, storedBatch('edge-1', [{}], 999 * DAY));
    retainAll(database, 1000 * DAY);
    const all = everythingWithin(USUAL_SCOPES);
    const reading = openForReading(path);
    expect(new EventPages(reading).page({ ...all, afterEventId: 0 })).toMatchObject({
      frames: [expect.stringContaining('"event_id":9001')],
      throughEventId: 9001,
    });
    reading.close();
    database.close();
  });
});

test('the file stays at its bound while events come in', async () => {
  const maxBytes = 16 * MIB;
  const retention = { ...DEFAULT_RETENTION, maxBytes };
  const options = {
    dataDir,
    log: silentLogger,
    clock: systemClock,
    random: Math.random,
    retention,
  };
  const store = await HubStore.open(options);
  const body = JSON.stringify({ padding: 'x'.repeat(4000) });
  const stream = { epoch: randomUUID(), lane: 2, firstSeq: 1 };
  let seq = 0;
  while (seq < 6000) {
    const items = Array.from({ length: 100 }, () => storedItem(++seq, { ...DETECTION, body }));
    const batch = { clientId: 'edge-1', stream, receivedMs: Date.now(), items };
    expect(await store.store(batch)).toMatchObject({ ackedThrough: seq });
    // What came in faster than it was deleted makes the file larger for a moment, and no longer.
    await vi.waitFor(() => expect(statSync(path).size).toBeLessThan(maxBytes), 20_000);
  }
  expect(store.deletedEvents).toBeGreaterThan(2000);
  expect(store.oldestEventId).toBe(store.deletedEvents + 1);
  await store.close();
  // What was in the log when the hub ended comes on top.
  expect(statSync(path).size).toBeLessThan(maxBytes + 4 * MIB);
  expect(keptIds().at(-1)).toBe(seq);
});

test('a lower bound makes the file smaller', () => {
  const items = Array.from({ length: 3000 }, () => ({
    ...DETECTION,
    body: `"${'x'.repeat(4000)}"`,
  }));
  const before = new HubDatabase(path, 1);
  storeIn(before, storedBatch('edge-1', items, 1));
  before.close();
  expect(statSync(path).size).toBeGreaterThan(12 * MIB);
  const after = new HubDatabase(path, 1, { ...DEFAULT_RETENTION, maxBytes: 2 * MIB });
  expect(retainAll(after, 2)).toBeGreaterThan(2000);
  after.close();
  expect(statSync(path).size).toBeLessThan(2 * MIB);
});

test('a long look at history does not keep events from being stored', async () => {
  const options = { dataDir, log: silentLogger, clock: systemClock, random: Math.random };
  const store = await HubStore.open(options);
  await store.store(
    storedBatch(
      'edge-1',
      Array.from({ length: 50 }, () => DETECTION),
    ),
  );
  // A reader that has its view of the file open for as long as the test says.
  const reader = new Database(path, { readonly: true });
  reader.exec('BEGIN');
  const count = reader.prepare('SELECT count(*) FROM event').pluck();
  expect(count.get()).toBe(50);
  for (let round = 0; round < 20; round++)
    await store.store(
      storedBatch(
        'edge-1',
        Array.from({ length: 50 }, () => DETECTION),
      ),
    );
  expect(count.get()).toBe(50);
  reader.exec('COMMIT');
  expect(count.get()).toBe(1050);
  reader.close();
  await store.close();
});

test('events are stored while history is asked for without a pause', async () => {
  const options = { dataDir, log: silentLogger, clock: systemClock, random: Math.random };
  const store = await HubStore.open(options);
  const history = new HubHistory(options);
  const fifty = Array.from({ length: 50 }, () => DETECTION);
  await store.store(storedBatch('edge-1', fifty));
  let isAsking = true;
  let pages = 0;
  const asking = (async () => {
    for (; isAsking; pages++)
      await Promise.all(
        Array.from({ length: 20 }, (_, n) => history.page(NEWEST, `viewer-${n % 4}`)),
      );
  })();
  const stream = { epoch: randomUUID(), lane: 2, firstSeq: 1 };
  for (let seq = 1; seq <= 100 || pages < 5; seq++) {
    const batch = { ...storedBatch('edge-2', []), stream, items: [storedItem(seq, DETECTION)] };
    expect(await store.store(batch)).toMatchObject({ ackedThrough: seq });
  }
  isAsking = false;
  await asking;
  await history.close();
  await store.close();
});

test('more questions than the hub answers at a time are sent away, those it took are answered', async () => {
  const options = { dataDir, log: silentLogger, clock: systemClock, random: Math.random };
  const store = await HubStore.open(options);
  await store.store(storedBatch('edge-1', [{}, {}]));
  const history = new HubHistory(options);
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      history.page(NEWEST, `viewer-${n % 20}`).then(
        ({ frames }) => frames.length,
        ({ code }) => code as string,
      ),
    ),
  );
  expect(outcomes.filter((outcome) => outcome === 2)).toHaveLength(65);
  expect(outcomes.filter((outcome) => outcome === 'HISTORY_BUSY')).toHaveLength(35);
  await history.close();
  await expect(history.page(NEWEST, 'viewer')).rejects.toMatchObject({ code: 'HISTORY_BUSY' });
  await store.close();
});

test('one token with many questions is sent away, and another one is answered between', async () => {
  const options = { dataDir, log: silentLogger, clock: systemClock, random: Math.random };
  const store = await HubStore.open(options);
  await store.store(storedBatch('edge-1', [{}]));
  const history = new HubHistory(options);
  const order: string[] = [];
  const ask = (asker: string) =>
    history.page(NEWEST, asker).then(
      () => void order.push(asker),
      ({ code }) => void order.push(code),
    );
  await Promise.all([...Array.from({ length: 20 }, () => ask('greedy')), ask('modest')]);
  // One is under way and eight wait.
  expect(order.slice(0, 11)).toEqual(Array.from({ length: 11 }, () => 'HISTORY_CROWDED'));
  const answered = order.slice(11);
  expect(answered).toHaveLength(10);
  expect(answered.indexOf('modest')).toBe(2);
  await history.close();
  await store.close();
});
