import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HubDatabase } from '../../../src/hub/store/hub-database.ts';
import { HubStore } from '../../../src/hub/store/hub-store.ts';
import type { StoreBatch, StoredItem } from '../../../src/hub/store/requests.ts';
import { HUB_APPLICATION_ID, HUB_MIGRATIONS } from '../../../src/hub/store/schema.ts';
import { openDatabase } from '../../../src/store/file/sqlite.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLogger } from '../../../src/system/logger.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'apex-hub-store-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function batch(clientId: string, count: number, change: Partial<StoredItem> = {}): StoreBatch {
  const items = Array.from(
    { length: count },
    (_, index): StoredItem => ({
      seq: index + 1,
      toSeq: index + 1,
      messageId: randomUUID(),
      type: 'alert_triggered',
      cameraId: 'gate',
      schemaVersion: 1,
      deviceMs: 1,
      correctedMs: null,
      clockSuspect: false,
      replayed: false,
      status: 0,
      body: '{}',
      ...change,
    }),
  );
  const stream = { epoch: randomUUID(), lane: 0, firstSeq: 1 };
  return { clientId, stream, receivedMs: Date.now(), items };
}

const openStore = () =>
  HubStore.open({ dataDir, log: silentLogger, clock: systemClock, random: Math.random });

describe('hub store', () => {
  test('keeps its name and its event ids over a restart', async () => {
    const first = await openStore();
    expect((await first.store(batch('a', 3))).eventIds).toEqual([1, 2, 3]);
    await first.close();
    const second = await openStore();
    expect(second.storeId).toBe(first.storeId);
    expect(second.openedAtEventId).toBe(3);
    expect((await second.store(batch('a', 1))).eventIds).toEqual([4]);
    await second.close();
  });

  test('a batch that cannot be stored does not take its neighbours with it', async () => {
    const store = await openStore();
    // A fraction is no value of an INTEGER column.
    const results = await Promise.allSettled([
      store.store(batch('a', 2)),
      store.store(batch('b', 2, { deviceMs: 0.5 })),
      store.store(batch('c', 2)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'HUB_STORE_FAILED' } });
    expect(results[2]).toMatchObject({ value: { eventIds: [3, 4] } });
    await store.close();
  });

  test('events and high-water mark change together or not at all', () => {
    const database = new HubDatabase(join(dataDir, 'hub.sqlite'), 1);
    const good = batch('a', 2);
    const broken = {
      ...good,
      items: [
        ...good.items,
        { ...good.items[1]!, seq: 3, toSeq: 3, deviceMs: 0.5, messageId: randomUUID() },
      ],
    };
    expect(() => database.writeGroup([{ op: 'store', batch: broken }])).toThrow();
    expect(database.lastEventId).toBe(0);
    expect(database.writeGroup([{ op: 'store', batch: good }])).toMatchObject([
      { ackedThrough: 2, duplicates: 0, eventIds: [1, 2] },
    ]);
    database.close();
  });

  test('high-water marks go thirty days after their client stopped listing them', () => {
    const database = new HubDatabase(join(dataDir, 'hub.sqlite'), 1);
    const dayMs = 24 * 3600 * 1000;
    const identify = (day: number, epochs: string[]) => {
      const streams = epochs.map((epoch) => ({
        epoch,
        lane: 0 as const,
        first_seq: 1,
        next_seq: 1,
      }));
      const client = {
        clientId: 'a',
        clientType: 'ai_engine' as const,
        token: { name: 'edge', sha256: 'x' },
        connectedMs: day * dayMs,
        resume: { sessionToken: null, streams, isForkForgiven: true },
      };
      return database.writeGroup([{ op: 'identify', client }])[0];
    };
    identify(0, ['old', 'listed']);
    expect(identify(29, ['listed', 'new'])).toMatchObject({ purged: 0 });
    expect(identify(31, ['listed', 'new'])).toMatchObject({ purged: 1 });
    database.close();
  });

  test('a file of the first layout is taken over with its clients', () => {
    const path = join(dataDir, 'hub.sqlite');
    const [first] = HUB_MIGRATIONS as [string];
    const db = openDatabase(path, { applicationId: HUB_APPLICATION_ID, migrations: [first] });
    db.exec(`INSERT INTO session VALUES ('a', 'ai_engine', 'edge', x'01', 5)`);
    db.close();
    const database = new HubDatabase(path, 1);
    expect([...database.edgeTokens()]).toEqual([['a', { name: 'edge', sha256: null }]]);
    database.close();
  });
});

describe('opening a database', () => {
  const options = { applicationId: 7, migrations: ['CREATE TABLE t(x INTEGER) STRICT'] };

  test('every open is synchronous=FULL in WAL mode', () => {
    const path = join(dataDir, 'x.sqlite');
    for (let round = 0; round < 2; round++) {
      const db = openDatabase(path, options);
      expect(db.pragma('synchronous', { simple: true })).toBe(2);
      expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
      expect(db.pragma('locking_mode', { simple: true })).toBe('exclusive');
      db.close();
    }
  });

  test('a newer layout, a foreign file and a file that is no database are refused by name', () => {
    const path = join(dataDir, 'x.sqlite');
    openDatabase(path, { ...options, migrations: [...options.migrations, 'SELECT 1'] }).close();
    expect(() => openDatabase(path, options)).toThrow(
      expect.objectContaining({ code: 'STORE_NEWER' }),
    );
    const foreign = join(dataDir, 'foreign.sqlite');
    new Database(foreign).exec('CREATE TABLE other(x)').close();
    expect(() => openDatabase(foreign, options)).toThrow(
      expect.objectContaining({ code: 'STORE_UNREADABLE' }),
    );
    expect(() => openDatabase(join(dataDir, 'missing', 'x.sqlite'), options)).toThrow(
      expect.objectContaining({ code: 'STORE_UNREADABLE' }),
    );
  });

  test('a failed migration leaves the file as it was', () => {
    const path = join(dataDir, 'x.sqlite');
    openDatabase(path, options).close();
    const broken = [...options.migrations, 'CREATE TABLE u(x INTEGER) STRICT; NONSENSE'];
    expect(() => openDatabase(path, { ...options, migrations: broken })).toThrow();
    openDatabase(path, options).close();
  });
});
