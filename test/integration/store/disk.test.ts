import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RawQueue } from '../../../src/store/requests.ts';
import { CoreScene, gapsOf, messagesOf } from './store-scene.ts';

const MIB = 1024 * 1024;

let dir: string;
let mounted: boolean;

/** A file system of its own, which needs root. */
function mount(options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]);
  mounted = true;
}

/** Every write of this process fails with EFBIG, which is to SQLite what EIO is; or no more. */
const failWrites = (isFailing: boolean) =>
  execFileSync('prlimit', [`--pid=${process.pid}`, `--fsize=${isFailing ? 0 : 'unlimited'}:`]);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-disk-'));
  mounted = false;
});

afterEach(() => {
  failWrites(false);
  if (mounted) execFileSync('umount', ['-l', dir]);
  rmSync(dir, { recursive: true });
});

const queueOf = (scene: CoreScene) => scene.ask<RawQueue>({ op: 'queue' });

/** Others take all that is left of the disk. */
function fillDisk(): void {
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(join(dir, 'others'), Buffer.alloc(bavail * bsize));
}

function messages(scene: CoreScene, lane: 0 | 1 | 2, count: number, filler: string): string[] {
  return Array.from({ length: count }, (_, n) => scene.put(scene.row(lane, n, { filler }))).flat();
}

describe('a disk that others have filled', () => {
  test('still takes alerts, which the ballast makes room for, and recovers when there is room', async () => {
    mount('size=16m');
    const scene = new CoreScene({ dir, budgetBytes: 8 * MIB, durability: 'strict' });
    expect(queueOf(scene).disk.ballast).toBe('ready');
    expect(statSync(join(dir, 'ballast.bin')).blocks * 512).toBe(MIB / 2);
    messages(scene, 2, 400, 'x'.repeat(5000));
    fillDisk();
    const outcomes = messages(scene, 0, 300, 'a'.repeat(2000));
    expect(new Set(outcomes)).toEqual(new Set(['ok']));
    scene.clock.pass(2000);
    expect(queueOf(scene)).toMatchObject({ mode: 'disk', disk: { ballast: 'spent' } });
    expect(gapsOf(await scene.entries(2))[0]).toMatchObject({ reason: 'disk_budget' });
    expect(messagesOf(await scene.entries(0))).toHaveLength(300);
    rmSync(join(dir, 'others'));
    scene.clock.pass(2000);
    scene.core.tidy();
    expect(queueOf(scene).disk.ballast).toBe('ready');
    expect(messages(scene, 1, 10, '')).toEqual(Array(10).fill('ok'));
    scene.core.close();
  });

  test('would take none without the ballast', () => {
    mount('size=16m');
    const scene = new CoreScene({ dir, budgetBytes: 8 * MIB, durability: 'strict' });
    messages(scene, 2, 400, 'x'.repeat(5000));
    scene.core.close();
    scene.restart();
    rmSync(join(dir, 'ballast.bin'));
    fillDisk();
    expect(messages(scene, 0, 300, 'a'.repeat(2000))).toContain('STORE_FULL');
    rmSync(join(dir, 'others'));
    scene.core.close();
  });

  test('takes no detections while it is nearly full, and says what it gave up', async () => {
    mount('size=64m');
    const scene = new CoreScene({ dir, budgetBytes: 16 * MIB });
    const { bavail, bsize } = statfsSync(dir);
    writeFileSync(join(dir, 'others'), Buffer.alloc(bavail * bsize - 2.5 * MIB));
    scene.clock.pass(2000);
    for (let round = 0; round < 5; round++) {
      messages(scene, 2, 600, 'x'.repeat(300));
      scene.clock.pass(300);
      scene.core.tidy();
    }
    const lane = queueOf(scene).lanes[2];
    expect(lane?.inMemory).toBe(lane?.depth);
    expect(lane?.evictedCount).toBeGreaterThan(500);
    const entries = await scene.entries(2);
    expect(gapsOf(entries)).toMatchObject([{ reason: 'disk_budget', count: lane?.evictedCount }]);
    expect(messagesOf(entries).length + (lane?.evictedCount ?? 0)).toBe(3000);
    rmSync(join(dir, 'others'));
    scene.clock.pass(2000);
    scene.core.tidy();
    expect(queueOf(scene).lanes[2]?.inMemory).toBe(0);
    scene.core.close();
  });
});

describe('a disk that refuses writes', () => {
  test('goes on in memory, and everything is on disk once it can be written again', async () => {
    const scene = new CoreScene({ dir });
    scene.do({ op: 'savePeer', storeId: 's', sessionToken: 't' });
    scene.put(scene.row(0, 1), scene.row(2, 1));
    const { epoch } = scene.core.position;
    failWrites(true);
    expect(scene.put(scene.row(0, 2))).toEqual(['deferred']);
    expect(scene.put(scene.row(1, 2), scene.row(2, 2))).toEqual(['ok', 'ok']);
    expect(scene.core.position.epoch).not.toBe(epoch);
    expect(queueOf(scene)).toMatchObject({ mode: 'memory', fault: { code: 'STORE_IO' } });
    // Everything can be sent, also what is on the disk that cannot be written.
    expect(messagesOf(await scene.entries(0))).toEqual([1, 2]);
    expect(messagesOf(await scene.entries(2))).toEqual([1, 2]);
    expect(scene.ask({ op: 'peer' })).toEqual({ storeId: 's', sessionToken: 't' });
    expect(scene.core.settled()).toEqual([]);
    failWrites(false);
    scene.clock.pass(5000);
    scene.core.tidy();
    expect(queueOf(scene)).toMatchObject({ mode: 'disk', fault: null });
    expect(scene.core.settled()).toHaveLength(1);
    scene.core.close();
    scene.restart();
    expect(new Set(messagesOf(await scene.entries(0)))).toEqual(new Set([1, 2]));
    expect(messagesOf(await scene.entries(1))).toContain(2);
    expect(scene.log.lines.filter((line) => line.includes('cannot be written'))).toHaveLength(1);
    scene.core.close();
  });

  test('an alert in memory counts as taken when the hub has it', () => {
    const scene = new CoreScene({ dir });
    failWrites(true);
    expect(scene.put(scene.row(0, 1))).toEqual(['deferred']);
    scene.ack(
      0,
      scene.core.position.nextSeq[0] === undefined ? 0 : scene.core.position.nextSeq[0] - 1,
    );
    expect(scene.core.settled()).toHaveLength(1);
    failWrites(false);
    scene.core.close();
  });

  test('before the start is no reason not to start', () => {
    mount('size=16m,ro');
    const scene = new CoreScene({ dir });
    expect(queueOf(scene)).toMatchObject({ mode: 'memory' });
    expect(scene.put(scene.row(1, 1))).toEqual(['ok']);
    execFileSync('mount', ['-o', 'remount,rw', dir]);
    scene.clock.pass(5000);
    scene.core.tidy();
    expect(queueOf(scene)).toMatchObject({ mode: 'disk' });
    scene.core.close();
    expect(existsSync(join(dir, 'outbox.db'))).toBe(true);
  });
});

test('a memory that is used up gives up what matters least, and says that the disk was to blame', async () => {
  const scene = new CoreScene({ dir });
  failWrites(true);
  for (let round = 0; round < 25; round++) {
    messages(scene, 2, 200, 'x'.repeat(5000));
    scene.clock.pass(300);
    scene.core.tidy();
  }
  expect(gapsOf(await scene.entries(2))[0]).toMatchObject({ reason: 'storage_failure' });
  expect(scene.put(scene.row(0, 1))).toEqual(['deferred']);
  failWrites(false);
  scene.clock.pass(5000);
  scene.core.tidy();
  expect(queueOf(scene).mode).toBe('disk');
  expect(gapsOf(await scene.entries(2)).map(({ reason }) => reason)).toContain('storage_failure');
  scene.core.close();
});

test('a damaged outbox that was put aside goes when the disk needs its room', () => {
  mount('size=16m');
  const aside = join(dir, 'outbox.corrupt-5');
  writeFileSync(aside, Buffer.alloc(2 * MIB));
  const scene = new CoreScene({ dir, budgetBytes: 8 * MIB, durability: 'strict' });
  expect(queueOf(scene).damagedFiles).toBe(1);
  fillDisk();
  scene.clock.pass(2000);
  scene.core.tidy();
  expect(existsSync(aside)).toBe(false);
  expect(scene.log.lines.join('\n')).toContain('damaged outbox deleted for room');
  expect(messages(scene, 0, 100, 'x'.repeat(2000))).not.toContain('STORE_FULL');
  scene.core.close();
});

test('a folder that is not there is made, and one of others is left as it is', () => {
  const inner = join(dir, 'a', 'b');
  const scene = new CoreScene({ dir: inner });
  expect(statSync(inner).mode & 0o777).toBe(0o700);
  scene.core.close();
  mkdirSync(join(dir, 'c'));
  chmodSync(join(dir, 'c'), 0o755);
  new CoreScene({ dir: join(dir, 'c') }).core.close();
  expect(statSync(join(dir, 'c')).mode & 0o777).toBe(0o755);
});
