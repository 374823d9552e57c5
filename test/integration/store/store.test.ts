import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ObjectEvent } from '../../../src/protocol/payloads.ts';
import { type OutgoingMessage, Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { LogLines } from '../../support/log-lines.ts';
import { waitFor } from '../../support/program.ts';
import { alert, detection } from './store-scene.ts';

const LIMITS = { maxItems: 64, maxBytes: 65_536 };

let dir: string;
let log: LogLines;
const open: Store[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-store-'));
  log = new LogLines();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
  rmSync(dir, { recursive: true });
});

async function openStore(): Promise<Store> {
  const store = await Store.open({ dir, clock: systemClock, log });
  open.push(store);
  return store;
}

const now = () => ({ wallMs: systemClock.wallMs(), monoMs: systemClock.monotonicMs() });

function objectEvent(id: string, phase: ObjectEvent['phase']): ObjectEvent {
  return {
    phase,
    event_id: id,
    camera_id: 'cam-1',
    type: 'person',
    label: 'person',
    track_id: 1,
    start_time: 1000,
    last_seen_time: 2000,
    end_time: phase === 'end' ? 2000 : null,
    score: 0.8,
    top_score: 0.9,
    bounding_box: { x: 0, y: 0, width: 1, height: 1 },
    has_snapshot: false,
    model: 'm',
    timestamp: 2000,
  };
}

const file = () => join(dir, 'outbox.db');
const asides = () => readdirSync(dir).filter((name) => name.startsWith('outbox.corrupt-'));

/** Reads and changes the file while no store has it. */
function withFile<T>(use: (db: Database.Database) => T): T {
  const db = new Database(file());
  try {
    return use(db);
  } finally {
    db.close();
  }
}

describe('queue', () => {
  test('counts what is not acknowledged, and deletes what is', async () => {
    const store = await openStore();
    await store.enqueue([alert(1), alert(2), alert(3)]);
    const { epoch } = store.position;
    const before = (await store.queue()).lanes[0];
    expect(before).toMatchObject({ lane: 0, depth: 3, ackedSeq: 0, nextSeq: 4, lastAckMono: null });
    expect(before?.oldestAgeMs).toBeGreaterThanOrEqual(0);
    store.acked(epoch, 0, 2);
    const after = (await store.queue()).lanes[0];
    expect(after).toMatchObject({ depth: 1, ackedSeq: 2 });
    expect(after?.lastAckMono).not.toBeNull();
    await store.close();
    expect(withFile((db) => db.prepare('SELECT acked_seq FROM sink_cursor').pluck().all())).toEqual(
      [2],
    );
  });

  test('acknowledged events go by themselves, without a later message', async () => {
    const store = await openStore();
    await store.recordEvent(objectEvent('e-1', 'new'), { ...now(), snapshotPath: null });
    store.acked(store.position.epoch, 1, 1);
    const stream = { epoch: store.position.epoch, lane: 1, afterSeq: 0 } as const;
    const isGone = async () => (await store.readBatch(stream, LIMITS)).items[0]?.kind === 'gap';
    await waitFor('the deletion', isGone, 5000);
  });

  test('acknowledged alerts stay for a hub that is put back to an older state', async () => {
    const store = await openStore();
    await store.enqueue([alert(1), alert(2)]);
    const { epoch } = store.position;
    store.acked(epoch, 0, 2);
    await store.close();
    const next = await openStore();
    const { streams } = await next.streams(10);
    expect(streams.filter(({ lane }) => lane === 0)).toMatchObject([
      { epoch, firstSeq: 1, nextSeq: 3 },
      { isCurrent: true },
    ]);
    const { items } = await next.readBatch({ epoch, lane: 0, afterSeq: 0 }, LIMITS);
    expect(items.map(({ kind, seq }) => [kind, seq])).toEqual([
      ['message', 1],
      ['message', 2],
    ]);
    expect((await next.queue()).lanes[0]).toMatchObject({ depth: 0, bytes: 0 });
  });

  test('acknowledgements of unknown epochs and of numbers not given out are ignored', async () => {
    const store = await openStore();
    await store.enqueue([alert(1)]);
    store.acked('0198c0de-0000-7000-8000-000000000000', 0, 1);
    store.acked(store.position.epoch, 0, 2);
    expect((await store.queue()).lanes[0]?.depth).toBe(1);
  });

  test('a body that no frame can carry is refused, alone', async () => {
    const store = await openStore();
    const large = store.enqueue([alert(1, 'x'.repeat(1_100_000))]);
    await expect(large).rejects.toMatchObject({ code: 'STORE_MESSAGE_TOO_LARGE' });
    await store.enqueue([alert(2)]);
    expect((await store.queue()).lanes[0]?.depth).toBe(1);
  });
});

test('a payload nested deeper than a frame may be is refused', async () => {
  const nested = (levels: number): object => (levels === 0 ? {} : { a: nested(levels - 1) });
  const deep = (levels: number): OutgoingMessage => {
    const message = alert(1);
    return { ...message, data: { ...message.data, data: nested(levels) } } as OutgoingMessage;
  };
  const store = await openStore();
  await store.enqueue([deep(58)]);
  await expect(store.enqueue([deep(59)])).rejects.toMatchObject({ code: 'STORE_MESSAGE_INVALID' });
});

describe('dead letters', () => {
  test('a refused message is kept even where its acknowledgement comes at the same moment', async () => {
    const store = await openStore();
    await store.enqueue([alert(1), alert(2)]);
    const rejection = { lane: 0, seq: 1, code: 'schema_invalid', reason: 'no' } as const;
    const kept = store.deadLetter([rejection]);
    store.acked(store.position.epoch, 0, 2);
    await Promise.all([kept, store.enqueue([alert(3)])]);
    expect((await store.queue()).deadLetters).toBe(1);
    expect(await store.deadLetters(5)).toMatchObject([
      { lane: 0, seq: 1, type: 'alert_triggered', code: 'schema_invalid', reason: 'no' },
    ]);
    await store.close();
    const row = withFile((db) => db.prepare('SELECT lane, seq, code, body FROM dead_letter').get());
    expect(row).toMatchObject({ lane: 0, seq: 1, code: 'schema_invalid' });
  });
});

describe('lives', () => {
  test('a new life has an epoch of its own and goes on counting; messages keep theirs', async () => {
    const first = await openStore();
    await first.enqueue([alert(1), alert(2)]);
    const { epoch } = first.position;
    await first.close();
    const second = await openStore();
    await second.enqueue([alert(3)]);
    const { streams } = await second.streams(10);
    const alerts = streams.filter(({ lane }) => lane === 0);
    expect(alerts.map((stream) => [stream.epoch, stream.firstSeq, stream.nextSeq])).toEqual([
      [epoch, 1, 3],
      [second.position.epoch, 3, 4],
    ]);
    expect(alerts.map(({ isCurrent }) => isCurrent)).toEqual([false, true]);
    expect(second.position.epoch > epoch).toBe(true);
  });

  test('the file is durable, exclusive to its user and closed in good order', async () => {
    const store = await openStore();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    await store.enqueue([alert(1)]);
    await store.close();
    expect(existsSync(`${file()}-wal`)).toBe(false);
    const row = withFile((db) => db.prepare('SELECT clean_close, boot_id FROM epoch').get());
    expect(row).toMatchObject({ clean_close: 1 });
  });

  test('a second process is refused', async () => {
    await openStore();
    await expect(openStore()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });

  test('after close everything is refused, and closing again is no error', async () => {
    const store = await openStore();
    await store.close();
    await expect(store.enqueue([alert(1)])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await store.close();
  });

  test('a file of a newer version is left as it is', async () => {
    await (await openStore()).close();
    withFile((db) => db.pragma('user_version = 99'));
    await expect(openStore()).rejects.toMatchObject({ code: 'STORE_NEWER' });
    expect(asides()).toEqual([]);
  });

  test('a folder in its place is refused', async () => {
    mkdirSync(file());
    await expect(openStore()).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });
});

describe('object events', () => {
  test('those without an end are found again, with their snapshot', async () => {
    const store = await openStore();
    await store.recordEvent(objectEvent('e-1', 'new'), { ...now(), snapshotPath: null });
    await store.recordEvent(objectEvent('e-2', 'new'), { ...now(), snapshotPath: null });
    await store.recordEvent(objectEvent('e-2', 'update'), { ...now(), snapshotPath: '/s/2.jpg' });
    await store.recordEvent(objectEvent('e-1', 'end'), { ...now(), snapshotPath: null });
    await store.recordEvent(objectEvent('e-2', 'update'), { ...now(), snapshotPath: null });
    await store.close();
    const next = await openStore();
    expect(await next.openEvents()).toEqual([
      { event: objectEvent('e-2', 'update'), snapshotPath: '/s/2.jpg' },
    ]);
    expect((await next.queue()).lanes[1]?.depth).toBe(5);
  });

  test('an event and its message are written together or not at all', async () => {
    const store = await openStore();
    const [broken] = [{ ...objectEvent('e-1', 'new'), start_time: Number.NaN }];
    const at = { ...now(), snapshotPath: null };
    await expect(store.recordEvent(broken, at)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect((await store.queue()).lanes[1]).toMatchObject({ depth: 0, nextSeq: 1 });
    await store.recordEvent(objectEvent('e-2', 'new'), at);
    expect((await store.queue()).lanes[1]).toMatchObject({ depth: 1, nextSeq: 2 });
  });
});

describe('a box that works alone', () => {
  test('without a hub nothing is queued, and object events are kept', async () => {
    const store = await Store.open({ dir, clock: systemClock, log, hasSink: false });
    open.push(store);
    await store.enqueue([alert(1), detection(1)]);
    await store.recordEvent(objectEvent('e-1', 'new'), { ...now(), snapshotPath: null });
    expect((await store.queue()).lanes.map(({ depth }) => depth)).toEqual([0, 0, 0, 0]);
    expect(await store.openEvents()).toHaveLength(1);
  });
});

describe('faults', () => {
  test('a thread that dies is started again, with a new epoch and all that was promised', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const store = await openStore();
    const [worker] = await started;
    await store.enqueue([alert(1)]);
    const { epoch } = store.position;
    let commits = 0;
    store.onCommitted(() => commits++);
    await worker.terminate();
    await waitFor('the next thread', () => store.position.epoch !== epoch);
    expect(commits).toBe(1);
    await store.enqueue([alert(2)]);
    expect((await store.queue()).lanes[0]).toMatchObject({ depth: 2, nextSeq: 3 });
  });
});

describe('acknowledgements of several epochs', () => {
  test('do not pass over what an older epoch still holds', async () => {
    const first = await openStore();
    await first.enqueue([alert(1)]);
    const { epoch } = first.position;
    await first.close();
    const second = await openStore();
    await second.enqueue([alert(2), alert(3)]);
    second.acked(second.position.epoch, 0, 1);
    second.acked(second.position.epoch, 0, 2);
    expect((await second.queue()).lanes[0]).toMatchObject({ depth: 3, ackedSeq: 0 });
    second.acked(epoch, 0, 1);
    second.acked(second.position.epoch, 0, 2);
    expect((await second.queue()).lanes[0]).toMatchObject({ depth: 1, ackedSeq: 2 });
  });
});

describe('damage', () => {
  test('a file that is no database is put aside and a new one begun', async () => {
    writeFileSync(file(), 'this is not a database, but it is long enough to look at: '.repeat(100));
    const store = await openStore();
    await store.enqueue([alert(1)]);
    expect(asides()).toHaveLength(1);
    expect(log.lines.join('\n')).toContain('outbox damaged');
  });

  test('a truncated database is put aside', async () => {
    const store = await openStore();
    for (let n = 0; n < 50; n++) await store.enqueue([alert(n, 'x'.repeat(5000))]);
    await store.close();
    truncateSync(file(), statSync(file()).size / 2);
    await expect(openStore().then((opened) => opened.queue())).resolves.toBeDefined();
    expect(asides()).toHaveLength(1);
  });

  test('a body that no longer matches its checksum is declared lost, not sent', async () => {
    const store = await openStore();
    await store.enqueue([alert(1), alert(2), alert(3)]);
    const { epoch } = store.position;
    await store.close();
    withFile((db) => db.exec("UPDATE outbox_0 SET body = CAST('{}' AS BLOB) WHERE seq = 2"));
    const next = await openStore();
    const batch = await next.readBatch({ epoch, lane: 0, afterSeq: 0 }, LIMITS);
    expect(batch.items.map((item) => (item.kind === 'gap' ? item.gap : item.seq))).toEqual([
      1,
      { from_seq: 2, to_seq: 2, count: 1, reason: 'storage_corruption' },
      3,
    ]);
    expect(log.lines.join('\n')).toContain('outbox rows damaged');
  });

  test.each(['before', 'after'])(
    'pages that rot %s the start are noticed, and the store goes on with a new file',
    async (when) => {
      const store = await openStore();
      for (let n = 0; n < 400; n++) await store.enqueue([alert(n, 'x'.repeat(8000))]);
      const { epoch } = store.position;
      await store.close();
      if (when === 'before') overwritePages();
      const next = await openStore();
      if (when === 'after') overwritePages();
      const stream = { epoch, lane: 0, afterSeq: 0 } as const;
      await next.readBatch(stream, LIMITS);
      await next.enqueue([alert(1000)]);
      expect(asides()).toHaveLength(1);
      // What was lost is declared, in an entry of its own.
      expect((await next.queue()).lanes[0]?.depth).toBeGreaterThanOrEqual(2);
    },
  );
});

/** All but the first pages, which hold the layout. */
function overwritePages(): void {
  const handle = openSync(file(), 'r+');
  const garbage = Buffer.alloc(4096, 0xff);
  const pages = statSync(file()).size / 4096;
  for (let page = 30; page < pages; page++) writeSync(handle, garbage, 0, 4096, page * 4096);
  closeSync(handle);
}
