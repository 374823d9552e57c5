import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cameraColumn } from '../../../src/hub/store/event-cameras.ts';
import { HistoryDatabase, partStatement } from '../../../src/hub/store/history-database.ts';
import {
  type HistoryKey,
  type HistoryQuery,
  inOrder,
  isAskedFor,
} from '../../../src/hub/store/history-query.ts';
import { HubDatabase } from '../../../src/hub/store/hub-database.ts';
import { openForReading } from '../../../src/hub/store/reading-connection.ts';
import type { StoredItem } from '../../../src/hub/store/requests.ts';
import { storedBatch, storeIn } from '../../support/stored-events.ts';

let dataDir: string;
let writer: HubDatabase;
let reading: Database.Database;
let history: HistoryDatabase;

function open(): void {
  dataDir = mkdtempSync(join(tmpdir(), 'apex-hub-history-'));
  writer = new HubDatabase(join(dataDir, 'hub.sqlite'), 1);
  reading = openForReading(join(dataDir, 'hub.sqlite'));
  history = new HistoryDatabase(reading);
}

function close(): void {
  reading.close();
  writer.close();
  rmSync(dataDir, { recursive: true });
}

beforeEach(open);
afterEach(close);

const EVERYTHING: HistoryQuery = {
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
  limit: 100,
};

function pageIds(query: Partial<HistoryQuery>) {
  const page = history.page({ ...EVERYTHING, ...query });
  return { ...page, ids: page.frames.map((frame) => JSON.parse(frame).event_id as number) };
}

/** All pages from the beginning; `between` runs before every page but the first. */
function allIds(query: Partial<HistoryQuery>, between = () => {}): number[] {
  const ids: number[] = [];
  for (let after: HistoryQuery['after'] = null, pages = 0; pages < 1000; pages++) {
    const page = pageIds({ ...query, after });
    ids.push(...page.ids);
    if (!page.hasMore) return ids;
    after = page.next;
    between();
  }
  throw new Error('there is no end to the pages');
}

const severities = ['low', 'high'];
const arbitraryEvent = fc.record({
  clientId: fc.constantFrom('edge-1', 'edge-2'),
  type: fc.constantFrom('alert_triggered', 'object_event', 'ai_engine_status'),
  cameras: fc.constantFrom(['gate'], ['yard'], ['gate', 'yard'], ['dock', 'yard'], []),
  // Few values, so that many happen at once.
  deviceMs: fc.integer({ min: 1, max: 12 }),
  correctedMs: fc.option(fc.integer({ min: 1, max: 12 })),
  severity: fc.constantFrom(...severities),
  status: fc.constantFrom<StoredItem['status']>(0, 0, 0, 1, 2, 3),
});
type ArbitraryEvent = typeof arbitraryEvent extends fc.Arbitrary<infer Event> ? Event : never;

const some = <Value>(...values: Value[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }));
const arbitraryQuery = fc.record({
  cameras: some('gate', 'yard', null),
  types: some('alert_triggered', 'object_event'),
  severities: some(...severities),
  clients: some('edge-1', 'edge-2', 'nobody'),
  fromMs: fc.option(fc.integer({ min: 0, max: 8 })),
  toMs: fc.option(fc.integer({ min: 4, max: 13 })),
  order: fc.constantFrom<HistoryQuery['order']>('newest', 'oldest', 'stored'),
  limit: fc.integer({ min: 1, max: 7 }),
});

function store({ clientId, severity, cameras, ...item }: ArbitraryEvent): void {
  const isFolded = cameras.length > 1;
  const body = JSON.stringify({ severity, ...(isFolded && { camera_ids: cameras }) });
  const cameraId = cameraColumn(cameras);
  storeIn(writer, storedBatch(clientId, [{ ...item, cameraId, body }]));
}

function keyOf(event: ArbitraryEvent, index: number): HistoryKey {
  const isAlert = event.type === 'alert_triggered' && event.status === 0;
  return {
    ...event,
    // Alerts alone have a list of cameras.
    cameras: event.cameras.length > 1 && event.type !== 'alert_triggered' ? [] : event.cameras,
    eventId: index + 1,
    atMs: event.correctedMs ?? event.deviceMs,
    severity: isAlert ? event.severity : null,
    isShown: event.status === 0 || event.status === 2 ? 1 : 0,
  };
}

describe('pages of history', () => {
  test('hold everything that is asked for, once, in order, while events are added', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryEvent, { maxLength: 40 }),
        fc.array(arbitraryEvent, { maxLength: 8 }),
        arbitraryQuery,
        (events, later, change) => {
          close();
          open();
          for (const event of events) store(event);
          const query = { ...EVERYTHING, ...change };
          const added: ArbitraryEvent[] = [];
          const ids = allIds(query, () => {
            const event = later[added.length];
            if (event === undefined) return;
            added.push(event);
            store(event);
          });
          const keys = [...events, ...added].map(keyOf);
          const wanted = keys
            .filter((key) => isAskedFor(query, key))
            .sort((a, b) => inOrder(query.order, a, b));
          // What was there from the beginning is all there; what came later may be.
          const isOld = (id: number) => id <= events.length;
          expect(ids.filter(isOld)).toEqual(wanted.map(({ eventId }) => eventId).filter(isOld));
          const seen = new Set(ids);
          expect(ids).toEqual(
            wanted.map(({ eventId }) => eventId).filter((eventId) => seen.has(eventId)),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('end early rather than look through the whole table, and go on from there', () => {
    const many = Array.from({ length: 12_000 }, (_, index) => ({
      type: 'object_event',
      cameraId: index === 0 ? 'gate' : 'yard',
      deviceMs: index + 1,
    }));
    storeIn(writer, storedBatch('edge-1', many));
    const query = { cameras: ['yard', 'gate'], types: ['alert_triggered'] };
    const first = pageIds(query);
    expect(first).toMatchObject({ ids: [], hasMore: true });
    expect(allIds(query)).toEqual([]);
    expect(allIds({ cameras: ['gate'], types: ['object_event'] })).toEqual([1]);
  });

  test('of large events hold few, of the largest one', () => {
    const body = JSON.stringify({ text: 'ü'.repeat(200_000) });
    storeIn(
      writer,
      storedBatch(
        'edge-1',
        Array.from({ length: 7 }, () => ({ body })),
      ),
    );
    expect(pageIds({}).ids).toEqual([7, 6]);
    expect(allIds({})).toEqual([7, 6, 5, 4, 3, 2, 1]);
    const largest = JSON.stringify({ text: 'x'.repeat(1020 * 1024) });
    storeIn(writer, storedBatch('edge-2', [{ body: largest }, { body: largest }]));
    expect(pageIds({ clients: ['edge-2'] })).toMatchObject({ ids: [9], hasMore: true });
    expect(allIds({})).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  test('in the order of storing go on where the last one ended, also at the end', () => {
    storeIn(writer, storedBatch('edge-1', [{}, { type: 'object_event' }]));
    const query = { order: 'stored' as const, types: ['alert_triggered'] };
    const first = pageIds(query);
    expect(first).toMatchObject({ ids: [1], hasMore: false, next: { eventId: 2 } });
    storeIn(writer, storedBatch('edge-1', [{}]));
    expect(pageIds({ ...query, after: first.next }).ids).toEqual([3]);
  });

  test('are of events, not of what is in quarantine or lost', () => {
    storeIn(writer, storedBatch('edge-1', [{ status: 1 }, { status: 2 }, { status: 3 }, {}]));
    expect(pageIds({}).ids).toEqual([4, 2]);
    expect(pageIds({ eventId: 1 }).ids).toEqual([]);
    expect(pageIds({ eventId: 2 }).ids).toEqual([2]);
    expect(pageIds({ eventId: 9 }).ids).toEqual([]);
  });
});

test('no body keeps an alert from being stored', () => {
  const deep = `{"severity":"low","data":${'['.repeat(5000)}${']'.repeat(5000)}}`;
  const bodies = ['{"severity":7}', '{"severity":null}', '{"severity":{"a":1}}', '[]', deep];
  storeIn(
    writer,
    storedBatch(
      'edge-1',
      bodies.map((body) => ({ body })),
    ),
  );
  storeIn(writer, storedBatch('edge-1', [{ status: 1, body: 'no json' }]));
  expect(writer.lastEventId).toBe(6);
});

describe('every query is answered from an index, without sorting', () => {
  test.each(['at', 'camera', 'client', 'folded', 'severity', 'type'] as const)('%s', (index) => {
    const db = new Database(join(dataDir, 'hub.sqlite'), { readonly: true });
    try {
      for (const order of ['newest', 'oldest'] as const) {
        const names = { value: 'x', fromMs: 0, toMs: 9, atMs: 5, eventId: 5, rows: 10 };
        const plan = db
          .prepare<[typeof names], { detail: string }>(
            `EXPLAIN QUERY PLAN ${partStatement(index, order)}`,
          )
          .all(names);
        expect(plan.map(({ detail }) => detail)).toEqual([
          expect.stringMatching(new RegExp(`^SEARCH event USING INDEX event_${index} \\(.*at_ms`)),
        ]);
      }
    } finally {
      db.close();
    }
  });
});
