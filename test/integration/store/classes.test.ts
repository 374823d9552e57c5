import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { alert, CoreScene, detection, gapsOf, messagesOf } from './store-scene.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-classes-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

const file = () => join(dir, 'outbox.db');

/** Bytes of the file and of its log: anything that was written changes them. */
function written(): string {
  const parts = [file(), `${file()}-wal`].filter(existsSync);
  return parts.map((path) => readFileSync(path).toString('base64')).join();
}

const tableRows = (lane: number): number => {
  const db = new Database(file(), { readonly: true });
  try {
    return db.prepare<[], number>(`SELECT count(*) FROM outbox_${lane}`).pluck().get() ?? 0;
  } finally {
    db.close();
  }
};

describe('detections', () => {
  test('are sent and acknowledged without a byte being written', () => {
    const scene = new CoreScene({ dir });
    scene.core.tidy();
    const before = written();
    for (let n = 1; n <= 500; n++) {
      scene.put(scene.row(2, n), scene.row(3, n));
      expect(scene.core.position.nextSeq.slice(2)).toEqual([n + 1, n + 1]);
      scene.clock.pass(50);
      scene.ack(2, n);
      scene.ack(3, n);
      scene.core.tidy();
    }
    expect(written()).toBe(before);
    scene.core.close();
  });

  test('are on disk once they wait longer than a quarter of a second, all together', () => {
    const scene = new CoreScene({ dir });
    scene.put(scene.row(2, 1));
    scene.clock.pass(200);
    scene.put(scene.row(2, 2));
    scene.core.tidy();
    const lane = () =>
      scene.ask<{ lanes: { inMemory: number; depth: number }[] }>({ op: 'queue' }).lanes[2];
    expect(lane()).toMatchObject({ depth: 2, inMemory: 2 });
    scene.clock.pass(60);
    scene.core.tidy();
    expect(lane()).toMatchObject({ depth: 2, inMemory: 0 });
    scene.core.close();
    expect(tableRows(2)).toBe(2);
  });

  test.each([
    ['rows', 2100, ''],
    ['bytes', 80, 'x'.repeat(16_000)],
  ])('are written before that where there are too many %s', (_what, count, filler) => {
    const scene = new CoreScene({ dir });
    for (let n = 1; n <= count; n++) scene.put(scene.row(2, n, { filler }));
    scene.core.tidy();
    const queue = scene.ask<{ lanes: { inMemory: number }[] }>({ op: 'queue' });
    expect(queue.lanes[2]?.inMemory).toBe(0);
    scene.core.close();
  });

  test('go to disk with the next alert once they are due', () => {
    const scene = new CoreScene({ dir });
    scene.put(scene.row(2, 1));
    scene.clock.pass(260);
    scene.put(scene.row(0, 1));
    const queue = scene.ask<{ lanes: { inMemory: number }[] }>({ op: 'queue' });
    expect(queue.lanes[2]?.inMemory).toBe(0);
    scene.core.close();
  });

  test('are written at once where the configuration says strict', () => {
    const scene = new CoreScene({ dir, durability: 'strict' });
    scene.put(scene.row(2, 1));
    expect(scene.ask<{ lanes: { inMemory: number }[] }>({ op: 'queue' }).lanes[2]?.inMemory).toBe(
      0,
    );
    scene.core.close();
    expect(tableRows(2)).toBe(1);
  });
});

describe('states', () => {
  test('give way to the newer one of the same camera, in memory and on disk', async () => {
    const scene = new CoreScene({ dir });
    const state = (n: number, cameraId: string) => scene.put(scene.row(3, n, { cameraId }));
    for (const n of [1, 2, 3]) state(n, 'a');
    state(4, 'b');
    scene.clock.pass(300);
    scene.core.tidy();
    for (const n of [5, 6]) state(n, 'a');
    scene.clock.pass(300);
    scene.core.tidy();
    const entries = await scene.entries(3);
    expect(messagesOf(entries)).toEqual([4, 6]);
    expect(gapsOf(entries)).toMatchObject([
      { from_seq: 1, to_seq: 3, count: 3, reason: 'superseded', by_camera: { a: 3 } },
      { from_seq: 5, to_seq: 5, count: 1, reason: 'superseded' },
    ]);
    scene.core.close();
  });
});

describe('an end that was not in good order', () => {
  test('is declared in the lanes of memory, and what was not written is a hole with the same reason', async () => {
    const scene = new CoreScene({ dir });
    scene.put(scene.row(2, 1));
    scene.clock.pass(300);
    scene.core.tidy();
    scene.put(scene.row(2, 2));
    // Saves the numbers of all lanes, not what is in memory.
    scene.put(scene.row(0, 1));
    scene.put(scene.row(2, 3));
    scene.crash();
    const entries = await scene.entries(2);
    expect(messagesOf(entries)).toEqual([1]);
    expect(gapsOf(entries)).toMatchObject([
      { from_seq: 2, to_seq: 2, reason: 'unclean_shutdown' },
      { from_seq: 3, to_seq: 3, count: 0, is_lower_bound: true, reason: 'unclean_shutdown' },
    ]);
    expect(messagesOf(await scene.entries(0))).toEqual([1]);
    expect(gapsOf(await scene.entries(1))).toEqual([]);
    scene.core.close();
  });

  test('is not declared at the very first start, nor after a close in good order', async () => {
    const scene = new CoreScene({ dir });
    expect(gapsOf(await scene.entries(2))).toEqual([]);
    scene.put(scene.row(2, 1));
    scene.core.close();
    scene.restart();
    const entries = await scene.entries(2);
    expect([messagesOf(entries), gapsOf(entries)]).toEqual([[1], []]);
    scene.core.close();
  });
});

describe('the thread', () => {
  let store: Store;

  beforeEach(async () => {
    store = await Store.open({ dir, clock: systemClock, log: silentLogger });
  });

  afterEach(() => store.close());

  test('tells of a detection as soon as it is taken, and of an alert when it is on disk', async () => {
    const heard: (readonly number[])[] = [];
    store.onCommitted(() => heard.push(store.position.nextSeq));
    await store.enqueue([detection(1)]);
    expect(heard).toEqual([[1, 1, 2, 1]]);
    const before = statSync(`${file()}-wal`).mtimeMs;
    await store.enqueue([alert(1)]);
    expect(heard.at(-1)).toEqual([2, 1, 2, 1]);
    expect(statSync(`${file()}-wal`).mtimeMs).toBeGreaterThan(before);
  });

  test('writes what the hub does not take', async () => {
    await store.enqueue([detection(1), detection(2)]);
    expect((await store.queue()).lanes[2]).toMatchObject({ depth: 2, inMemory: 2 });
    const isWritten = async () => (await store.queue()).lanes[2]?.inMemory === 0;
    await vi.waitFor(async () => expect(await isWritten()).toBe(true), { timeout: 2000 });
    expect((await store.queue()).lanes[2]).toMatchObject({ depth: 2, nextSeq: 3 });
  });
});
