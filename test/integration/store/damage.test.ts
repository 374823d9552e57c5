import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/file/sqlite.ts';
import {
  OUTBOX_APPLICATION_ID,
  OUTBOX_MIGRATIONS,
} from '../../../src/store/outbox/outbox-schema.ts';
import type { RawQueue } from '../../../src/store/requests.ts';
import { CoreScene, gapsOf, messagesOf } from './store-scene.ts';

const PAGE = 4096;
const VARIANTS = 60;

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-damage-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

const file = () => join(dir, 'outbox.db');
const damagedNames = () => readdirSync(dir).filter((name) => /^outbox\.corrupt-\d+$/.test(name));

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Wound {
  /** Pages that it touches, counted from 0; the rest of the file where it is cut. */
  readonly pages: readonly number[];
  readonly isCut: boolean;
}

/** Does one kind of harm to a random place. */
function harm(path: string, random: () => number): Wound {
  const size = statSync(path).size;
  const kind = ['flip', 'zero', 'cut'][Math.floor(random() * 3)];
  if (kind === 'cut') {
    const left = Math.floor(size * (0.2 + 0.8 * random()));
    truncateSync(path, left);
    const first = Math.floor(left / PAGE);
    return {
      pages: Array.from({ length: Math.ceil(size / PAGE) - first }, (_, k) => first + k),
      isCut: true,
    };
  }
  const handle = openSync(path, 'r+');
  const bytes = readFileSync(path);
  const pages: number[] = [];
  for (let hit = 0; hit < 4; hit++) {
    const page = Math.floor((random() * size) / PAGE);
    pages.push(page);
    if (kind === 'zero')
      writeSync(handle, Buffer.alloc(PAGE), 0, Math.min(PAGE, size - page * PAGE), page * PAGE);
    else {
      const at = page * PAGE + Math.floor(random() * Math.min(PAGE, size - page * PAGE));
      writeSync(
        handle,
        Buffer.from([(bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))]),
        0,
        1,
        at,
      );
    }
  }
  closeSync(handle);
  return { pages, isCut: false };
}

/** Alerts by the page of the main file that a part of them lies on. */
function pagesOfAlerts(alerts: readonly number[]): Map<number, Set<number>> {
  const bytes = readFileSync(file());
  const pages = new Map<number, Set<number>>();
  for (const n of alerts) {
    pages.set(n, new Set());
    const mark = Buffer.from(`<${n}>`);
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1))
      pages.get(n)?.add(Math.floor(at / PAGE));
  }
  return pages;
}

const ALERTS = Array.from({ length: 120 }, (_, index) => index + 1);

/** A store with alerts, harmed in its file or in its log, as the next start finds it. */
function harmedScene(
  name: string,
  variant: number,
): { scene: CoreScene; isCut: boolean; unhurt: number[] } {
  const scene = new CoreScene({ dir });
  // Each body tells its number again and again, so that every page with a part of it is found.
  for (const n of ALERTS) scene.put(scene.row(0, n, { filler: `<${n}>`.repeat(1 + (n % 40)) }));
  for (let n = 1; n <= 40; n++) scene.put(scene.row(1, n, { filler: 'e'.repeat(200) }));
  const paths = [file(), `${file()}-wal`];
  const open = paths.map((path) => readFileSync(path));
  // Closed, all is in the main file; before that, most is in the log.
  scene.core.close();
  if (name === 'outbox.db-wal')
    for (const [index, path] of paths.entries()) writeFileSync(path, open[index] ?? '');
  const places = pagesOfAlerts(ALERTS);
  const { pages, isCut } = harm(join(dir, name), randomFrom(variant));
  const isHurt = (n: number) => [...(places.get(n) ?? [])].some((page) => pages.includes(page));
  return { scene, isCut, unhurt: ALERTS.filter((n) => !isHurt(n)) };
}

describe('a damaged file', () => {
  const variants = Array.from({ length: VARIANTS / 2 }, (_, index) => index);

  test.each(variants)(
    'of the database, way %i: starts in time, sends nothing wrong, keeps what is whole',
    async (variant) => {
      const { scene, unhurt } = harmedScene('outbox.db', variant);
      const begin = performance.now();
      scene.restart();
      // Damage that only reading meets puts the file aside then; all is told again from the new one.
      await scene.entries(0).catch(() => []);
      const entries = await scene.entries(0);
      expect(performance.now() - begin).toBeLessThan(3000);
      const found = new Set(messagesOf(entries));
      expect(ALERTS).toEqual(expect.arrayContaining([...found]));
      const kept = unhurt.filter((n) => found.has(n)).length;
      expect(kept).toBeGreaterThanOrEqual(0.99 * unhurt.length);
      if (found.size < ALERTS.length)
        expect(gapsOf(entries).map(({ reason }) => reason)).toContain('storage_corruption');
      expect(scene.put(scene.row(0, 999))).toEqual(['ok']);
      scene.core.close();
    },
  );

  test.each(variants)(
    'of the log, way %i: what is lost is declared, but for what a crash may take',
    async (variant) => {
      const { scene, isCut } = harmedScene('outbox.db-wal', 1000 + variant);
      scene.restart();
      await scene.entries(0).catch(() => []);
      const entries = await scene.entries(0);
      const found = new Set(messagesOf(entries));
      expect(ALERTS).toEqual(expect.arrayContaining([...found]));
      const isDeclared = gapsOf(entries).some(({ reason }) => reason === 'storage_corruption');
      // A log that ends early is one that was never written further; nobody can tell.
      if (!isCut && !isDeclared) expect(found.size).toBeGreaterThanOrEqual(ALERTS.length - 1);
      if (!isCut) expect(found.size).toBeGreaterThanOrEqual(ALERTS.length * 0.9);
      expect(scene.put(scene.row(0, 999))).toEqual(['ok']);
      scene.core.close();
    },
  );

  test('whose first page is gone gives its alerts and events back all the same', async () => {
    const scene = new CoreScene({ dir });
    const ids = [1, 2, 3].map((n) => scene.row(0, n, { filler: 'x'.repeat(n * 5000) }));
    scene.put(...ids, scene.row(1, 1), scene.row(2, 1));
    scene.core.close();
    const handle = openSync(file(), 'r+');
    writeSync(handle, Buffer.alloc(PAGE), 0, PAGE, 0);
    closeSync(handle);
    scene.restart();
    const entries = await scene.entries(0);
    expect(messagesOf(entries)).toEqual([1, 2, 3]);
    expect(messagesOf(await scene.entries(1))).toEqual([1]);
    expect(gapsOf(entries)).toMatchObject([
      { reason: 'storage_corruption', count: 0, is_lower_bound: true },
    ]);
    const [stream] = scene.streams(0);
    const { items } = scene.ask<{ items: { messageId?: string }[] }>({
      op: 'read',
      epoch: stream?.epoch ?? '',
      lane: 0,
      afterSeq: 1,
      maxItems: 9,
      maxBytes: 1e6,
    });
    expect(items.map(({ messageId }) => messageId)).toEqual(ids.map(({ messageId }) => messageId));
    expect(scene.ask<RawQueue>({ op: 'queue' }).damagedFiles).toBe(1);
    expect(damagedNames()).toHaveLength(1);
    scene.core.close();
  });
});

describe('a row', () => {
  test.each([
    ['seq', 'UPDATE outbox_0 SET seq = 2 WHERE seq = 1'],
    ['time', 'UPDATE outbox_0 SET wall_ms = wall_ms + 1 WHERE seq = 1'],
    ['type', "UPDATE outbox_0 SET type = 'object_event' WHERE seq = 1"],
    ['id', 'UPDATE outbox_0 SET message_id = zeroblob(16) WHERE seq = 1'],
    ['flags', 'UPDATE outbox_0 SET flags = flags & ~4 WHERE seq = 1'],
    ['body', 'UPDATE outbox_0 SET body = zeroblob(9) WHERE seq = 1'],
  ])('whose %s is not what was written is declared lost', async (_column, harmful) => {
    const scene = new CoreScene({ dir });
    scene.put(scene.row(0, 1));
    scene.core.close();
    const db = new Database(file());
    db.exec(harmful);
    db.close();
    scene.restart();
    const entries = await scene.entries(0);
    expect(messagesOf(entries)).toEqual([]);
    expect(gapsOf(entries)[0]).toMatchObject({ reason: 'storage_corruption' });
    scene.core.close();
  });
});

test('a file of the first layout is taken over with all its messages', async () => {
  const db = openDatabase(file(), {
    applicationId: OUTBOX_APPLICATION_ID,
    migrations: OUTBOX_MIGRATIONS.slice(0, 1),
  });
  const epoch = '0198c0de-1111-7abc-8def-0123456789ab';
  db.prepare(
    `INSERT INTO epoch(epoch, boot_id, opened_wall_ms, opened_mono_ms, first_seq, clean_close)
     VALUES (?, 'boot-0', 1, 1, '[1,1,1,1]', 1)`,
  ).run(epoch);
  for (const lane of [0, 2]) {
    const insert = db.prepare(
      `INSERT INTO outbox_${lane}(seq, epoch_id, message_id, type, schema_version, camera_id,
         wall_ms, mono_ms, bytes, crc32, body) VALUES (?, 1, ?, 'alert_triggered', 1, 'c', 5, 5, ?, ?, ?)`,
    );
    for (let n = 1; n <= 3; n++) {
      const body = Buffer.from(JSON.stringify({ n }));
      insert.run(n, Buffer.alloc(16, n), body.length, crc32(body), body);
    }
    db.prepare('UPDATE lane_state SET next_seq = 4 WHERE lane = ?').run(lane);
  }
  db.prepare(
    "INSERT INTO dead_letter(lane, seq, code, reason, at_wall_ms, body) VALUES (0, 9, 'c', 'r', 7, '{}')",
  );
  db.close();
  const scene = new CoreScene({ dir });
  expect(messagesOf(await scene.entries(0))).toEqual([1, 2, 3]);
  expect(messagesOf(await scene.entries(2))).toEqual([1, 2, 3]);
  expect(gapsOf(await scene.entries(2))).toEqual([]);
  scene.put(scene.row(0, 4));
  scene.core.close();
  copyFileSync(file(), `${file()}.copy`);
  scene.restart();
  expect(messagesOf(await scene.entries(0))).toEqual([1, 2, 3, 4]);
  scene.core.close();
});

test('a connection that would not survive a power cut is refused', () => {
  class Hasty extends Database {
    override pragma(source: string, options?: Database.PragmaOptions): unknown {
      // As if the library fell back to NORMAL, which it does after the first change of the layout.
      if (source === 'synchronous = FULL') return super.pragma('synchronous = NORMAL');
      return super.pragma(source, options);
    }
  }
  const open = () =>
    openDatabase(file(), {
      applicationId: 1,
      migrations: [],
      connect: (path, o) => new Hasty(path, o),
    });
  expect(open).toThrow(expect.objectContaining({ code: 'STORE_NOT_DURABLE' }));
});
