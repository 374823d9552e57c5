import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HubDatabase } from '../../../src/hub/store/hub-database.ts';
import { DEFAULT_RETENTION } from '../../../src/hub/store/retention.ts';
import { filesHolding } from '../../support/raw-bytes.ts';
import { EDGE_TOKEN, HubScene, VIEWER_TOKEN } from './hub-scene.ts';
import { type Item, RawClient } from './raw-client.ts';

const DAY = 24 * 3600 * 1000;
const PERSON = 'person-k3x9m2p7qa';
const NAME = 'Anna Ölçer';
const OTHER = 'person-zzzzzzzzzz';
const NOW = 1_767_225_590_000;

/** Every third tells of the person, every third of another of the same name, and the next to each names nobody. */
function bodyOf(n: number): Record<string, unknown> {
  const who = n % 3 === 0 ? PERSON : OTHER;
  const filler = 'x'.repeat((Math.imul(n, 0x9e3779b1) >>> 8) % 900);
  const identity = n % 3 === 1 ? {} : { identity: { person_id: who, name: NAME, confidence: 0.8 } };
  const why = n % 3 === 2 ? 'somebody known came' : `${NAME} came`;
  return {
    type: 'watch_list',
    camera_id: 'gate',
    severity: 'high',
    timestamp: NOW + n,
    data: { n, ...identity, why, filler },
  };
}

function itemOf(seq: number, type: string, data: unknown): Item {
  const message_id = randomUUID();
  return { seq, message_id, type, schema_version: 1, timestamp: NOW, mono_ms: 1, data };
}

const orderOf = (seq: number): Item =>
  itemOf(seq, 'person_forgotten', { person_id: PERSON, timestamp: NOW });

interface Row {
  readonly type: string;
  readonly client_id: string;
  readonly status: number;
  readonly body: Record<string, unknown>;
}

function rowsIn(dataDir: string): Row[] {
  const db = new Database(join(dataDir, 'hub.sqlite'), { readonly: true });
  try {
    return db
      .prepare<[], Omit<Row, 'body'> & { body: string }>(
        'SELECT type, client_id, status, CAST(body AS TEXT) AS body FROM event ORDER BY event_id',
      )
      .all()
      .map((row) => ({ ...row, body: JSON.parse(row.body) }));
  } finally {
    db.close();
  }
}

describe('a hub that is told to forget a person', () => {
  let scene: HubScene;

  beforeEach(() => {
    scene = new HubScene();
  });
  afterEach(() => scene.end());

  const identity = { token: EDGE_TOKEN, clientId: 'edge-1' };

  async function deliver(edge: RawClient, lane: number, items: Item[]): Promise<void> {
    const epoch = randomUUID();
    for (let from = 0; from < items.length; from += 50) {
      edge.batch({ epoch, lane }, items.slice(from, from + 50));
      await edge.next('batch_ack');
    }
  }

  const alerts = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      itemOf(index + 1, 'alert_triggered', bodyOf(index)),
    );

  test('does so in the events of that edge, counts it, and shows the order to nobody', async () => {
    const { hub, url } = await scene.start();
    const viewer = await RawClient.identified(url, {
      token: VIEWER_TOKEN,
      clientId: 'viewer',
      type: 'frontend',
    });
    viewer.send('subscribe', { types: ['*'] });
    await viewer.next('subscription_success');
    const edge = await RawClient.identified(url, identity);
    await deliver(edge, 0, alerts(300));
    expect(filesHolding(scene.dataDir, PERSON)).not.toEqual([]);

    await deliver(edge, 0, [orderOf(1)]);
    await vi.waitFor(() => expect(hub.stats().forgottenPersons).toBe(1), { timeout: 20_000 });

    // Alerts of the person, and those that name nobody beside the id and tell the name.
    expect(hub.stats().scrubbedEvents).toBe(200);
    expect(hub.stats().quarantined).toBe(0);
    await deliver(edge, 0, [itemOf(1, 'alert_triggered', { ...bodyOf(2), type: 'last' })]);
    await vi.waitFor(() => expect(viewer.frames.map(({ data }) => data.type)).toContain('last'));
    expect(viewer.frames.map(({ type }) => type)).not.toContain('person_forgotten');
    await scene.stop(hub);
    expect(filesHolding(scene.dataDir, PERSON)).toEqual([]);
    const rows = rowsIn(scene.dataDir);
    const order = rows.find(({ type }) => type === 'person_forgotten');
    expect(order).toMatchObject({ status: 4, body: { timestamp: NOW } });
    for (const { body } of rows.filter(({ type }) => type === 'alert_triggered')) {
      const data = body.data as { n: number; identity?: object; why: string };
      if (data.n % 3 === 0) expect(data.identity).toBeUndefined();
      if (data.n % 3 !== 2) expect(data.why).toBe('a forgotten person came');
      // Another person of that name stays known.
      if (data.n % 3 === 2) expect(data.identity).toMatchObject({ person_id: OTHER, name: NAME });
    }
  });

  test('takes the pictures back that show a stay of theirs, however it was told', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, identity);
    // Larger than a page of the file.
    const pictures = ['one', 'two'].map((who) =>
      Buffer.from(`a picture of ${who} `.repeat(900)).toString('base64'),
    );
    const thumbnail = (seq: number): Item =>
      itemOf(seq, 'alert_thumbnail', {
        ...{
          alert_id: `alert-${seq}`,
          event_id: `event-${seq}`,
          camera_id: 'gate',
          timestamp: NOW,
        },
        ...{ width: 320, height: 240, jpeg: pictures[seq - 1] },
      });
    const shownIn = () =>
      pictures.map((picture) => filesHolding(scene.dataDir, picture.slice(400, 800)).length > 0);
    // The picture comes first, its alert names nobody, and only later it turns out who it was.
    await deliver(edge, 1, [thumbnail(1), thumbnail(2)]);
    const alert = { ...bodyOf(1), data: { event_id: 'event-1', why: 'somebody in view' } };
    await deliver(edge, 0, [itemOf(1, 'alert_triggered', alert)]);
    const who = (person_id: string) => ({
      person_id,
      name: NAME,
      confidence: 0.8,
      threat_level: 'safe',
    });
    await deliver(edge, 1, [
      itemOf(1, 'face_detection_result', {
        ...{ camera_id: 'gate', timestamp: NOW },
        faces: [
          { event_id: 'event-1', ...who(PERSON) },
          { event_id: 'event-2', ...who(OTHER) },
        ],
      }),
    ]);
    expect(shownIn()).toEqual([true, true]);

    await deliver(edge, 0, [orderOf(1)]);
    await vi.waitFor(() => expect(hub.stats().forgottenPersons).toBe(1), { timeout: 20_000 });

    expect(hub.stats().quarantined).toBe(0);
    await scene.stop(hub);
    const kept = rowsIn(scene.dataDir).filter(({ type }) => type === 'alert_thumbnail');
    expect(kept.map(({ body }) => body.jpeg)).toEqual(['', pictures[1]]);
    expect(shownIn()).toEqual([false, true]);
  });

  test('leaves the events of other edges alone', async () => {
    const { hub, url } = await scene.start();
    const other = await RawClient.identified(url, { ...identity, clientId: 'edge-2' });
    await deliver(other, 0, alerts(3));
    const edge = await RawClient.identified(url, identity);
    await deliver(edge, 0, [...alerts(3), orderOf(4)]);
    await vi.waitFor(() => expect(hub.stats().forgottenPersons).toBe(1), { timeout: 20_000 });
    await scene.stop(hub);
    const texts = rowsIn(scene.dataDir).map(({ client_id: id, body }) => [
      id,
      JSON.stringify(body).includes(PERSON),
    ]);
    expect(texts.filter(([id]) => id === 'edge-2').filter(([, has]) => has)).toHaveLength(1);
    expect(texts.filter(([id]) => id === 'edge-1').filter(([, has]) => has)).toHaveLength(0);
  });

  test('goes on where it was killed', async () => {
    const { child, url } = await scene.spawn();
    const edge = await RawClient.identified(url, identity);
    await deliver(edge, 0, alerts(1500));
    await deliver(edge, 0, [orderOf(1)]);
    await scene.kill(child);
    const { hub } = await scene.start();
    await vi.waitFor(
      () => {
        const db = new Database(join(scene.dataDir, 'hub.sqlite'), { readonly: true });
        const left = db.prepare('SELECT count(*) FROM forgetting').pluck().get();
        db.close();
        expect(left).toBe(0);
      },
      { timeout: 20_000 },
    );
    await scene.stop(hub);
    expect(filesHolding(scene.dataDir, PERSON)).toEqual([]);
  });
});

describe('pages that retention has rearranged', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'apex-hub-forget-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  test('keep nothing of a person between their rows', () => {
    const database = new HubDatabase(join(dataDir, 'hub.sqlite'), NOW, {
      ...DEFAULT_RETENTION,
      maxAgeDays: 1,
    });
    const store = (type: string, body: unknown, status: 0 | 4, receivedMs: number): void => {
      const item = { messageId: randomUUID(), type, cameraId: null, schemaVersion: 1 };
      const at = { deviceMs: NOW, correctedMs: null, clockSuspect: false, replayed: false };
      const items = [{ seq: 1, toSeq: 1, ...item, ...at, status, body: JSON.stringify(body) }];
      database.writeGroup([
        { op: 'store', batch: { clientId: 'edge-1', stream: null, receivedMs, items } },
      ]);
    };
    for (let n = 0; n < 1500; n++) {
      const type = n % 6 === 0 ? 'alert_triggered' : 'object_event';
      store(type, bodyOf(n), 0, NOW);
    }
    while (database.retain(NOW + 2 * DAY) !== null);
    store('person_forgotten', { person_id: PERSON, timestamp: NOW }, 4, NOW + 2 * DAY);
    let scrubbed = 0;
    for (let slice = database.forget(); slice !== null; slice = database.forget())
      scrubbed += slice.scrubbed;
    expect(scrubbed).toBeGreaterThan(100);
    expect(filesHolding(dataDir, PERSON)).toEqual([]);
    const alerts = rowsIn(dataDir).filter(({ type }) => type === 'alert_triggered');
    expect(alerts.map(({ body }) => (body.data as { n: number }).n)).toEqual(
      Array.from({ length: 250 }, (_, index) => index * 6),
    );
    database.close();
    const check = new Database(join(dataDir, 'hub.sqlite'), { readonly: true });
    expect(check.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    check.close();
  });
});
