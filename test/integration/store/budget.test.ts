import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RawQueue } from '../../../src/store/requests.ts';
import { CoreScene, gapsOf, messagesOf } from './store-scene.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-budget-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

function sizeOnDisk(): number {
  return ['outbox.db', 'outbox.db-wal', 'ballast.bin']
    .map((name) => statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}

const queueOf = (scene: CoreScene) => scene.ask<RawQueue>({ op: 'queue' });

describe('a budget that is used up', () => {
  test('gives up detections first, then events, declares them, and never an alert', async () => {
    const budgetBytes = 16 * MIB;
    const scene = new CoreScene({ dir, budgetBytes });
    const filler = 'x'.repeat(600);
    let largest = 0;
    const alerts: number[] = [];
    const times: number[] = [];
    for (let n = 1; n <= 2000; n++) {
      if (n % 20 === 0) {
        alerts.push(n);
        scene.put(scene.row(0, n, { filler }));
      }
      scene.put(
        scene.row(1, n, { filler }),
        ...Array(4)
          .fill(0)
          .map((_, k) => scene.row(1, n * 10 + k, { filler })),
      );
      const begin = performance.now();
      scene.put(...Array.from({ length: 100 }, (_, k) => scene.row(2, n * 100 + k)));
      times.push((performance.now() - begin) / 100);
      scene.clock.pass(50);
      if (n % 5 === 0) scene.core.tidy();
      largest = Math.max(largest, sizeOnDisk());
    }
    expect(largest).toBeLessThanOrEqual(budgetBytes);
    const queue = queueOf(scene);
    expect(queue.lanes[0]).toMatchObject({ depth: alerts.length, evictedCount: 0 });
    expect(queue.lanes[2]?.evictedCount).toBeGreaterThan(50_000);
    expect(queue.disk.used).toBeLessThanOrEqual(budgetBytes);
    expect(messagesOf(await scene.entries(0))).toEqual(alerts);
    for (const lane of [1, 2] as const) {
      const entries = await scene.entries(lane);
      const lost = gapsOf(entries).reduce((sum, { count }) => sum + count, 0);
      const given = (scene.core.position.nextSeq[lane] ?? 0) - 1;
      expect(messagesOf(entries).length + lost).toBe(given);
      expect(lost).toBe(queue.lanes[lane]?.evictedCount);
      expect(new Set(gapsOf(entries).map(({ reason }) => reason))).toEqual(
        new Set(lost > 0 ? ['disk_budget'] : []),
      );
      // Those that are left are the newest.
      expect(gapsOf(entries).length).toBeLessThanOrEqual(1);
    }
    expect(times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]).toBeLessThan(20);
    scene.core.close();
  }, 120_000);

  test('of alerts alone makes their bodies smaller, and only then refuses one', async () => {
    const scene = new CoreScene({ dir, budgetBytes: 4 * MIB });
    scene.put(scene.row(1, 1), scene.row(2, 1));
    let taken = 0;
    let outcome = 'ok';
    while (outcome === 'ok' && taken < 20_000) {
      [outcome = 'none'] = scene.put(scene.row(0, taken + 1, { filler: 'text '.repeat(400) }));
      if (outcome === 'ok') taken++;
    }
    expect(outcome).toBe('STORE_FULL');
    // Uncompressed, not even 2000 of them would fit.
    expect(taken).toBeGreaterThan(3000);
    expect(sizeOnDisk()).toBeLessThanOrEqual(4 * MIB);
    const kept = messagesOf(await scene.entries(0));
    expect(kept).toEqual(Array.from({ length: taken }, (_, index) => index + 1));
    expect(gapsOf(await scene.entries(1))).toMatchObject([{ reason: 'disk_budget', count: 1 }]);
    scene.ack(0, Math.floor(taken / 2));
    expect(scene.put(scene.row(0, taken + 1))).toEqual(['ok']);
    scene.core.close();
  }, 120_000);

  test('takes acknowledged alerts first, which were only kept for a hub that might ask again', () => {
    const scene = new CoreScene({ dir, budgetBytes: 4 * MIB });
    const filler = 'x'.repeat(20_000);
    for (let n = 1; n <= 100; n++) scene.put(scene.row(0, n, { filler }));
    scene.ack(0, 100);
    for (let n = 1; n <= 100; n++) expect(scene.put(scene.row(1, n, { filler }))).toEqual(['ok']);
    scene.core.tidy();
    expect(queueOf(scene).lanes[1]).toMatchObject({ evictedCount: 0 });
    scene.core.close();
  });

  test('a message that does not fit does not take its neighbours along', () => {
    const scene = new CoreScene({ dir, budgetBytes: MIB });
    const filler = 'x'.repeat(800_000);
    const outcomes = scene.put(scene.row(0, 1), scene.row(0, 2, { filler }), scene.row(0, 3));
    expect(outcomes).toEqual(['ok', 'STORE_FULL', 'ok']);
    scene.core.close();
  });
});

describe('gaps', () => {
  test('that are cut by an acknowledgement or by where the hub is go on behind it', async () => {
    const scene = new CoreScene({ dir, budgetBytes: MIB, durability: 'strict' });
    const filler = 'x'.repeat(2000);
    for (let n = 1; n <= 2000; n++) scene.put(scene.row(2, n, { filler }));
    const [gap] = gapsOf(await scene.entries(2));
    const to = gap?.to_seq ?? 0;
    expect(to).toBeGreaterThan(1000);
    scene.ack(2, 500);
    scene.put(scene.row(2, 2001, { filler }));
    const [stream] = scene.streams(2);
    const read = (afterSeq: number) =>
      scene.ask<{ items: { gap?: { from_seq: number; to_seq: number; count: number } }[] }>({
        op: 'read',
        epoch: stream?.epoch ?? '',
        lane: 2,
        afterSeq,
        maxItems: 1,
        maxBytes: 1000,
      }).items[0]?.gap;
    expect(read(500)).toMatchObject({ from_seq: 501, count: (read(500)?.to_seq ?? 0) - 500 });
    expect(read(700)).toMatchObject({ from_seq: 701, to_seq: read(500)?.to_seq });
    expect(read(100)).toMatchObject({ from_seq: 101, to_seq: 500, reason: 'hub_regression' });
    scene.core.close();
  });
});

describe('age', () => {
  const old = async (scene: CoreScene, lane: 1 | 2) => gapsOf(await scene.entries(lane));

  test('expires detections after a day and events after a week, by the monotonic clock', async () => {
    const scene = new CoreScene({ dir, durability: 'strict' });
    scene.put(scene.row(1, 1), scene.row(2, 1), scene.row(0, 1));
    scene.clock.pass(25 * HOUR_MS);
    scene.put(scene.row(2, 2));
    scene.core.tidy();
    expect(await old(scene, 2)).toMatchObject([{ reason: 'ttl', count: 1, to_seq: 1 }]);
    expect(await old(scene, 1)).toEqual([]);
    scene.clock.pass(7 * 24 * HOUR_MS);
    scene.core.tidy();
    expect(await old(scene, 1)).toMatchObject([{ reason: 'ttl', count: 1 }]);
    expect(messagesOf(await scene.entries(0))).toEqual([1]);
    scene.core.close();
  });

  test.each([
    ['ten years ahead', 10 * 365 * 24 * HOUR_MS],
    ['ten years back', -10 * 365 * 24 * HOUR_MS],
  ])('does not come with a wall clock that jumps %s', async (_name, jump) => {
    const scene = new CoreScene({ dir, durability: 'strict' });
    scene.put(scene.row(1, 1), scene.row(2, 1));
    scene.clock.wall += jump;
    scene.clock.mono += 61_000;
    scene.core.tidy();
    expect([...(await old(scene, 1)), ...(await old(scene, 2))]).toEqual([]);
    scene.core.close();
  });
});

test('the messages of one call are taken all or none', () => {
  const scene = new CoreScene({ dir, budgetBytes: MIB });
  const [outcome] = scene.do({
    op: 'write',
    rows: [scene.row(0, 1), scene.row(0, 2, { filler: 'x'.repeat(800_000) })],
    event: null,
  });
  expect(outcome).toBe('STORE_FULL');
  expect(queueOf(scene).lanes[0]).toMatchObject({ depth: 0, nextSeq: 1 });
  scene.core.close();
});
