import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lane } from '../../../src/protocol/lanes.ts';
import { type ObjectEvent, PAYLOADS } from '../../../src/protocol/payloads.ts';
import type {
  DeadLetter,
  EventRow,
  ForgottenRows,
  NewRow,
  RawQueue,
} from '../../../src/store/requests.ts';
import { Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { LogLines } from '../../support/log-lines.ts';
import { filesHolding } from '../../support/raw-bytes.ts';
import { CoreScene } from '../store/store-scene.ts';

const ANNA = { personId: 'person-k3x9m2p7qa', names: ['Anna Ölçer'] };
const NAME = 'Anna Ölçer';
const OTHER = { person_id: 'person-zzzzzzzzzz', name: 'Bob Stone', confidence: 0.9 };

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-forget-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const identityOf = (n: number) =>
  n % 3 === 0 ? { person_id: ANNA.personId, name: NAME, confidence: 0.8 } : OTHER;

/** Bodies of many sizes, so that pages are split and merged. */
function bodyOf(n: number, salt = 0x9e3779b1): string {
  const identity = identityOf(n);
  const filler = 'x'.repeat((Math.imul(n, salt) >>> 8) % 900);
  return JSON.stringify({
    n,
    event_id: `event-${n}`,
    data: { n, identity, why: `${identity.name} came`, filler },
  });
}

const rowOf = (scene: CoreScene, lane: Lane, n: number): NewRow =>
  scene.row(lane, n, { body: bodyOf(n) });

function eventRow(n: number, endMs: number | null): EventRow {
  return {
    eventId: `event-${n}`,
    cameraId: 'cam-1',
    label: 'person',
    startMs: n,
    endMs,
    snapshotPath: null,
    // Updated in another size, which rearranges the pages.
    body: bodyOf(n, endMs === null ? 0x9e3779b1 : 0x85ebca6b),
  };
}

const traces = () => [...filesHolding(dir, NAME), ...filesHolding(dir, ANNA.personId)];

const forget = (scene: CoreScene, order: NewRow | null = null) =>
  scene.ask<ForgottenRows>({ op: 'forget', person: ANNA, order });

interface Sent {
  readonly seq: number;
  readonly type: string;
  readonly body: string;
}

async function sent(scene: CoreScene, lane: Lane): Promise<Sent[]> {
  return scene.streams(lane).flatMap(({ epoch, firstSeq }) => {
    const limits = { maxItems: 5000, maxBytes: 1e8 };
    const call = { op: 'read', epoch, lane, afterSeq: firstSeq - 1, ...limits } as const;
    return scene
      .ask<{ items: (Sent & { readonly kind: string })[] }>(call)
      .items.filter(({ kind }) => kind === 'message');
  });
}

describe('forgetting a person in the file of the edge', () => {
  test('leaves nothing in rows that wait, are kept, were deleted, were refused, or in free room', async () => {
    const scene = new CoreScene({ dir, durability: 'strict' });
    for (let n = 1; n <= 600; n++) {
      const row = rowOf(scene, 1, n);
      scene.do({ op: 'write', rows: [row], event: eventRow(n, null) });
      const ended = eventRow(Math.max(1, n - (Math.imul(n, 0x27d4eb2f) >>> 28)), n + 1);
      scene.do({ op: 'write', rows: [rowOf(scene, 0, n)], event: ended });
      scene.put(rowOf(scene, 2, n));
    }
    const rejection = { code: 'schema_invalid', reason: `name: ${NAME}` };
    scene.do({
      op: 'deadLetter',
      rejections: [3, 4].map((seq) => ({ ...rejection, lane: 1 as const, seq })),
    });
    scene.ack(0, 200);
    scene.ack(1, 400);
    scene.core.tidy();
    scene.core.tidy();
    writeFileSync(join(dir, 'outbox.corrupt-17'), `damaged ${NAME}`);
    expect(traces()).toContain('outbox.db');
    const before = scene.ask<RawQueue>({ op: 'queue' });

    const { rows, eventIds } = forget(scene);

    expect(traces()).toEqual([]);
    expect(rows).toBeGreaterThan(400);
    expect(eventIds).toHaveLength(200);
    expect(eventIds).toContain('event-3');
    expect(filesHolding(dir, OTHER.name)).toEqual(['outbox.db']);
    expect(filesHolding(dir, 'event-3')).toEqual(['outbox.db']);
    expect(statSync(join(dir, 'outbox.db-wal')).size).toBe(0);
    for (const lane of [0, 1, 2] as const) {
      const messages = await sent(scene, lane);
      const known = messages.filter(({ body }) => body.includes(OTHER.person_id));
      expect(known).not.toEqual([]);
      for (const { body } of messages) {
        const isOther = body.includes(OTHER.person_id);
        const { identity, why } = JSON.parse(body).data;
        expect({ identity, why }).toEqual({
          identity: isOther ? OTHER : undefined,
          why: isOther ? 'Bob Stone came' : 'a forgotten person came',
        });
      }
    }
    const after = scene.ask<RawQueue>({ op: 'queue' });
    expect(after.lanes.map(({ depth }) => depth)).toEqual(before.lanes.map(({ depth }) => depth));
    const letters = scene.ask<DeadLetter[]>({ op: 'deadLetters', limit: 9 });
    expect(letters.map(({ reason }) => reason)).toEqual([
      'name: a forgotten person',
      'name: a forgotten person',
    ]);
    scene.core.close();
    // What was counted in memory is what the file holds.
    const reopened = new CoreScene({ dir, durability: 'strict' });
    const counted = ({ lanes }: RawQueue) => lanes.map(({ depth, bytes }) => ({ depth, bytes }));
    expect(counted(reopened.ask<RawQueue>({ op: 'queue' }))).toEqual(counted(after));
    expect(traces()).toEqual([]);
    reopened.core.close();
  });

  test('bodies that were deflated for want of room are found too', async () => {
    const scene = new CoreScene({ dir, budgetBytes: 1024 * 1024 });
    let outcome: string | undefined = 'ok';
    let count = 0;
    while (outcome === 'ok' && count < 20_000) {
      count++;
      const row = scene.row(0, count, {
        body: JSON.stringify({ n: count, identity: identityOf(3), why: `${NAME} `.repeat(100) }),
      });
      [outcome] = scene.put(row);
    }
    expect(outcome).toBe('STORE_FULL');
    const { rows } = forget(scene);
    expect(rows).toBe(count - 1);
    expect(traces()).toEqual([]);
    for (const { body } of await sent(scene, 0)) expect(body).not.toContain(NAME);
    scene.core.close();
  }, 120_000);

  test('pictures of their stays that wait to be sent are taken back, also where nothing else tells of them', async () => {
    const scene = new CoreScene({ dir });
    const pictures = ['one', 'two'].map((who) =>
      Buffer.from(`a picture of ${who} `.repeat(900)).toString('base64'),
    );
    const thumbnail = (n: number): NewRow =>
      scene.row(1, n, {
        type: 'alert_thumbnail',
        body: JSON.stringify({ alert_id: `a-${n}`, event_id: `event-${n}`, jpeg: pictures[n - 3] }),
      });
    // The first is known, the second somebody else.
    for (const n of [3, 4]) {
      scene.put(thumbnail(n));
      scene.do({ op: 'write', rows: [], event: eventRow(n, null) });
    }
    const letter = { lane: 1 as const, code: 'schema_invalid', reason: 'width: required' };
    scene.do({ op: 'write', rows: [thumbnail(3)], event: null });
    scene.do({ op: 'deadLetter', rejections: [{ ...letter, seq: 3 }] });
    const shownIn = () =>
      pictures.map((each) => filesHolding(dir, each.slice(400, 800)).length > 0);
    expect(shownIn()).toEqual([true, true]);
    forget(scene);
    expect(shownIn()).toEqual([false, true]);
    const jpegs = (await sent(scene, 1)).map(({ body }) => JSON.parse(body).jpeg);
    expect(jpegs.map((jpeg) => pictures.indexOf(jpeg))).toEqual([-1, 1, -1]);
    scene.core.close();
  });

  test('a damaged row loses its traces and stays damaged', async () => {
    const scene = new CoreScene({ dir });
    scene.put(rowOf(scene, 0, 1), rowOf(scene, 0, 3));
    scene.core.close();
    const path = join(dir, 'outbox.db');
    const bytes = readFileSync(path);
    const at = bytes.indexOf(`${NAME} came`);
    bytes.write('X', at);
    writeFileSync(path, bytes);
    const reopened = new CoreScene({ dir });
    forget(reopened);
    expect(traces()).toEqual([]);
    expect((await reopened.entries(0)).map((entry) => 'gap' in entry)).toEqual([false, true]);
    reopened.core.close();
  });
});

describe('a disk that cannot be written', () => {
  /** Every write of this process fails with EFBIG, which is to SQLite what EIO is; or no more. */
  const failWrites = (isFailing: boolean) =>
    execFileSync('prlimit', [`--pid=${process.pid}`, `--fsize=${isFailing ? 0 : 'unlimited'}:`]);
  afterEach(() => failWrites(false));

  test('forgets nobody yet, and says so; once it is back it does', async () => {
    const scene = new CoreScene({ dir });
    scene.put(rowOf(scene, 0, 2), rowOf(scene, 0, 3));
    const order = scene.row(0, 9, { type: 'person_forgotten' });
    failWrites(true);
    expect(scene.do({ op: 'forget', person: ANNA, order })).toEqual(['STORE_IO']);
    failWrites(false);
    scene.clock.pass(10_000);
    scene.core.tidy();
    expect(scene.ask<RawQueue>({ op: 'queue' }).mode).toBe('disk');
    expect(traces()).not.toEqual([]);
    forget(scene, order);
    expect(traces()).toEqual([]);
    const messages = await sent(scene, 0);
    expect(messages.filter(({ type }) => type === 'person_forgotten')).toHaveLength(1);
    scene.core.close();
  });
});

describe('through the store', () => {
  const now = () => ({ wallMs: systemClock.wallMs(), monoMs: systemClock.monotonicMs() });
  const event: ObjectEvent = {
    phase: 'update',
    event_id: '1767225580.000001-abcdef',
    camera_id: 'cam-1',
    type: 'person',
    label: 'person',
    track_id: 1,
    start_time: 1,
    last_seen_time: 2,
    end_time: null,
    score: 0.5,
    top_score: 0.5,
    bounding_box: { x: 0, y: 0, width: 0.1, height: 0.1 },
    has_snapshot: false,
    model: 'm',
    timestamp: 2,
    identity: { person_id: ANNA.personId, name: NAME, confidence: 0.8, threat_level: 'safe' },
  };

  test('the order for the hub goes behind everything, and what comes later goes without the person', async () => {
    const store = await Store.open({ dir, clock: systemClock, log: new LogLines() });
    const record = (phase: ObjectEvent['phase']) =>
      store.recordEvent({ ...event, phase }, { ...now(), snapshotPath: null });
    await record('update');
    const { rows, eventIds } = await store.forgetPerson(ANNA, now());
    expect({ rows, eventIds }).toEqual({ rows: 2, eventIds: [event.event_id] });
    // A track that goes on still has the identity.
    await record('end');
    expect(filesHolding(dir, NAME)).toEqual([]);
    const limits = { maxItems: 10, maxBytes: 1e6 };
    const { epoch } = store.position;
    const events = await store.readBatch({ epoch, lane: 1, afterSeq: 0 }, limits);
    expect(events.items).toHaveLength(2);
    const { identity: _identity, ...rest } = event;
    for (const item of events.items) {
      const body = JSON.parse(item.kind === 'message' ? item.body : '');
      expect({ ...body, phase: 'update' }).toEqual(rest);
      // It is still what the hub takes for an event.
      expect(PAYLOADS.object_event.schema.safeParse(body).success).toBe(true);
    }
    const { items } = await store.readBatch({ epoch, lane: 0, afterSeq: 0 }, limits);
    expect(items).toMatchObject([{ kind: 'message', type: 'person_forgotten', cameraId: null }]);
    const body = items[0]?.kind === 'message' ? JSON.parse(items[0].body) : {};
    expect(body).toEqual({ person_id: ANNA.personId, timestamp: expect.any(Number) });
    await store.close();
  });

  test('without a hub nothing is queued, and not even the id is left', async () => {
    const log = new LogLines();
    const store = await Store.open({ dir, clock: systemClock, log, hasSink: false });
    await store.recordEvent(event, { ...now(), snapshotPath: null });
    await store.forgetPerson(ANNA, now());
    expect(traces()).toEqual([]);
    await store.close();
    expect(traces()).toEqual([]);
  });
});
