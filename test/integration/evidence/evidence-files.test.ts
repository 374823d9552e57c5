import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeEventId } from '../../../src/events/event-id.ts';
import { type Eviction, EvidenceFiles } from '../../../src/evidence/evidence-files.ts';
import { silentLogger } from '../../../src/system/logger.ts';

const START_MS = Date.UTC(2026, 2, 5, 12);
let dir: string;
let evicted: Eviction[];

beforeEach(async () => {
  evicted = [];
  dir = await mkdtemp(join(tmpdir(), 'apex-snapshots-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

function event(number: number) {
  return { cameraId: 'gate', eventId: makeEventId(START_MS + number * 1000, number, () => 0.5) };
}

function files(budgetBytes = 1000): EvidenceFiles {
  return new EvidenceFiles({
    ...{ evidence: 'snapshot', dir, budgetBytes, log: silentLogger },
    onEvicted: (eviction) => evicted.push(eviction),
  });
}

async function stored(): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

function name(number: number): string {
  return `${event(number).eventId}.jpg`;
}

const jpeg = (bytes: number, fill = 1) => new Uint8Array(bytes).fill(fill);

describe('EvidenceFiles', () => {
  test('stores a picture by camera and day, and a better one in its place', async () => {
    const snapshots = files();
    const path = await snapshots.save(event(1), jpeg(10));
    expect(path).toBe(join(dir, 'gate', '2026-03-05', name(1)));
    expect(path).toBe(snapshots.pathOf('gate', event(1).eventId));
    expect(await snapshots.save(event(1), jpeg(20, 7))).toBe(path);
    expect(new Uint8Array(await readFile(path))).toEqual(jpeg(20, 7));
    expect(await stored()).toEqual([name(1)]);
  });

  test('the oldest go when the budget is spent; replacing one costs only the difference', async () => {
    const snapshots = files(1000);
    for (const number of [1, 2, 3]) await snapshots.save(event(number), jpeg(300));
    await snapshots.save(event(1), jpeg(350));
    expect(await stored()).toEqual([1, 2, 3].map(name));
    await snapshots.save(event(4), jpeg(300));
    // 1 was written again after 2 and 3, so 2 is the oldest now.
    expect(await stored()).toEqual([1, 3, 4].map(name));
  });

  test('calls at the same time keep the budget too', async () => {
    const snapshots = files(1000);
    await Promise.all([1, 2, 3, 4, 5, 6].map((number) => snapshots.save(event(number), jpeg(400))));
    expect(await stored()).toEqual([5, 6].map(name));
    // Each one that was given up is told.
    expect(evicted).toEqual(
      [1, 2, 3, 4].map((number) => ({
        ...{ evidence: 'snapshot', cameraId: 'gate', id: event(number).eventId, bytes: 400 },
        writtenAt: expect.any(Number),
      })),
    );
  });

  test('a finished file is moved to its place', async () => {
    const work = join(dir, 'work');
    await writeFile(work, 'clip');
    const path = await files().save(event(1), work);
    expect(await readFile(path, 'utf8')).toBe('clip');
    await expect(readFile(work)).rejects.toThrow('ENOENT');
  });

  test('the oldest go before a disk is full, and nothing is written when that is not enough', async () => {
    let free = 100e6;
    const snapshots = new EvidenceFiles({
      ...{ evidence: 'snapshot', dir, budgetBytes: 1e9, log: silentLogger },
      onEvicted: (eviction) => {
        evicted.push(eviction);
        free += eviction.bytes;
      },
      freeBytes: async () => free,
    });
    for (const number of [1, 2, 3]) await snapshots.save(event(number), jpeg(300));
    free = 64e6 - 400;
    await snapshots.save(event(4), jpeg(300));
    expect(await stored()).toEqual([3, 4].map(name));
    free = 1e6;
    await expect(snapshots.save(event(5), jpeg(300))).rejects.toMatchObject({
      code: 'EVENTS_SNAPSHOT_WRITE_FAILED',
    });
    expect(await stored()).toEqual([name(4)]);
  });

  test('the newest is kept even when it is larger than the budget', async () => {
    const snapshots = files(100);
    await snapshots.save(event(1), jpeg(50));
    await snapshots.save(event(2), jpeg(500));
    expect(await stored()).toEqual([name(2)]);
  });

  test('counts the pictures of earlier runs, oldest first, and clears away what was never finished', async () => {
    const before = files();
    for (const number of [1, 2, 3]) {
      const path = await before.save(event(number), jpeg(300));
      await utimes(path, 5000 - number, 5000 - number);
    }
    const unfinished = join(dir, 'gate', '2026-03-05', `${name(9)}.part`);
    await writeFile(unfinished, 'half');
    await files().save(event(4), jpeg(300));
    expect(await stored()).toEqual([1, 2, 4].map(name));
  });

  test('a day without pictures leaves no folder behind', async () => {
    const snapshots = files(100);
    await snapshots.save(event(1), jpeg(90));
    await snapshots.save(event(100_000), jpeg(90));
    expect(await readdir(join(dir, 'gate'))).toEqual(['2026-03-06']);
  });

  test('a failure has a code, and the next picture is stored all the same', async () => {
    const snapshots = files();
    const path = snapshots.pathOf('gate', event(1).eventId) ?? '';
    await mkdir(dirname(dirname(path)), { recursive: true });
    await writeFile(dirname(path), 'a file where the folder should be');
    const failed = snapshots.save(event(1), jpeg(10));
    await expect(failed).rejects.toMatchObject({ code: 'EVENTS_SNAPSHOT_WRITE_FAILED' });
    await rm(dirname(path));
    expect(await snapshots.save(event(1), jpeg(10))).toBe(path);
  });

  test('names from outside never leave the folder', async () => {
    const snapshots = files();
    expect(snapshots.pathOf('../..', event(1).eventId)).toBeNull();
    expect(snapshots.pathOf('gate', '../../secret')).toBeNull();
    const save = snapshots.save({ cameraId: '../gate', eventId: event(1).eventId }, jpeg(1));
    await expect(save).rejects.toMatchObject({ code: 'EVENTS_SNAPSHOT_WRITE_FAILED' });
  });
});
