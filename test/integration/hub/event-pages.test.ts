import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { everythingWithin } from '../../../src/hub/fan-out/event-filter.ts';
import { HubHistory } from '../../../src/hub/store/hub-history.ts';
import { HubStore } from '../../../src/hub/store/hub-store.ts';
import type { StoredItem } from '../../../src/hub/store/requests.ts';
import { EVENT_STATUS } from '../../../src/hub/store/schema.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { storedBatch } from '../../support/stored-events.ts';

const ALL = everythingWithin(USUAL_SCOPES);

let dataDir: string;
let store: HubStore;
let history: HubHistory;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'apex-hub-pages-'));
  const options = { dataDir, log: silentLogger, clock: systemClock, random: Math.random };
  store = await HubStore.open(options);
  history = new HubHistory(options);
});
afterEach(async () => {
  await history.close();
  await store.close();
  rmSync(dataDir, { recursive: true });
});

const stored = (changes: readonly Partial<StoredItem>[]) =>
  store.store(storedBatch('edge-1', changes));
const many = (count: number, change: Partial<StoredItem> = {}) =>
  Array.from({ length: count }, () => change);

async function allPages(filter: Partial<typeof ALL> = {}): Promise<number[][]> {
  const pages: number[][] = [];
  for (let cursor = 0; ; ) {
    const page = await history.follow({ ...ALL, ...filter, afterEventId: cursor });
    pages.push(page.frames.map((frame) => JSON.parse(frame).event_id as number));
    cursor = page.throughEventId;
    if (cursor >= page.lastEventId) return pages;
  }
}

test('pages are bounded by rows and come to the end', async () => {
  await stored(many(900));
  const pages = await allPages({ cameras: ['gate'] });
  expect(pages.map((ids) => ids.length)).toEqual([256, 256, 256, 132]);
  expect(pages.flat()).toEqual(Array.from({ length: 900 }, (_, index) => index + 1));
});

test('pages are bounded by bytes, whatever their characters', async () => {
  // 60,000 characters of three bytes.
  await stored(many(8, { body: JSON.stringify({ text: '\u20ac'.repeat(60_000) }) }));
  const pages = await allPages();
  expect(pages).toEqual([
    [1, 2],
    [3, 4],
    [5, 6],
    [7, 8],
  ]);
});

test('a page of nothing that is wanted ends, too', async () => {
  await stored([...many(4500, { cameraId: 'dock' }), {}]);
  expect(await allPages({ cameras: ['gate'] })).toEqual([[], [], [4501]]);
});

test('severities are those of alerts, and of what is too new to be known', async () => {
  const opaque = { status: EVENT_STATUS.opaque, schemaVersion: 9 };
  await stored([
    { body: '{"severity":"high"}' },
    { body: '{"severity":"low"}' },
    { ...opaque, body: '{"severity":"low"}' },
    { ...opaque, body: '{"severity":"high"}' },
    { type: 'object_event', body: '{}' },
  ]);
  expect(await allPages({ severities: ['high', 'critical'] })).toEqual([[1, 4, 5]]);
});

test('what has been stored is seen by the next read', async () => {
  for (let eventId = 1; eventId <= 100; eventId++) {
    await stored([{}]);
    const page = await history.follow({ ...ALL, afterEventId: eventId - 1 });
    expect(page).toMatchObject({ throughEventId: eventId, lastEventId: eventId });
    expect(page.frames).toHaveLength(1);
  }
});
