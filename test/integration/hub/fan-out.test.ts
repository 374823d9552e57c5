import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PACING } from '../../../src/hub/fan-out/subscriber.ts';
import { EDGE_TOKEN, HubScene, VIEWER_TOKEN } from './hub-scene.ts';
import { alertItem, alerts, gapItem, RawClient } from './raw-client.ts';

let scene: HubScene;
let stream: { epoch: string; lane: number };

beforeEach(() => {
  scene = new HubScene();
  stream = { epoch: randomUUID(), lane: 0 };
});
afterEach(() => scene.end());

const edgeAt = (url: string) => RawClient.identified(url, { token: EDGE_TOKEN });

async function viewerAt(url: string, subscription?: object): Promise<RawClient> {
  const identity = { token: VIEWER_TOKEN, type: 'frontend', clientId: randomUUID() } as const;
  const viewer = await RawClient.identified(url, identity);
  if (subscription !== undefined) {
    viewer.send('subscribe', subscription);
    await viewer.next('subscription_success');
  }
  return viewer;
}

const ackedThrough = async (client: RawClient) =>
  (await client.next('batch_ack')).data.acks[0].acked_through as number;
const idsOf = (viewer: RawClient) =>
  viewer.frames.flatMap((frame) => (frame.event_id === undefined ? [] : [frame.event_id]));
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('subscriptions', () => {
  test('see events live, as they came, with their id and client', async () => {
    const { url } = await scene.start();
    const [edge, viewer] = [await edgeAt(url), await viewerAt(url, { types: ['*'] })];
    const item = alertItem(1);
    edge.batch(stream, [item, alertItem(2, { replayed: true })]);
    expect(await viewer.next('alert_triggered')).toEqual({
      type: 'alert_triggered',
      timestamp: item.timestamp,
      event_id: 1,
      client_id: 'edge-1',
      schema_version: 1,
      data: item.data,
    });
    expect(await viewer.next('alert_triggered')).toMatchObject({ event_id: 2, replayed: true });
    edge.close();
    viewer.close();
  });

  test('pass only the types and cameras asked for, and nothing quarantined or lost', async () => {
    const { url } = await scene.start();
    const edge = await edgeAt(url);
    const viewer = await viewerAt(url, { types: ['alert_triggered'], cameras: ['gate'] });
    const other = { ...alertItem(2), type: 'smoke_detected' };
    edge.batch(stream, [
      alertItem(1, { camera: 'dock' }),
      other,
      alertItem(3, { severity: 'terrible' }),
      gapItem(4, 5),
      alertItem(6),
    ]);
    await viewer.next('alert_triggered');
    expect(idsOf(viewer)).toEqual([5]);
    edge.close();
    viewer.close();
  });

  test('resume after an event id, over to live, without a hole or a repetition', async () => {
    const { url } = await scene.start();
    const edge = await edgeAt(url);
    for (let first = 1; first <= 1500; first += 50) edge.batch(stream, alerts(first, 50));
    while ((await ackedThrough(edge)) < 1500);
    const viewer = await viewerAt(url, { types: ['*'], after_event_id: 100 });
    for (let first = 1501; first <= 2000; first += 50) edge.batch(stream, alerts(first, 50));
    while ((await ackedThrough(edge)) < 2000);
    await vi.waitFor(() => expect(idsOf(viewer).at(-1)).toBe(2000), { timeout: 10_000 });
    expect(idsOf(viewer)).toEqual(range(101, 2000));
    edge.close();
    viewer.close();
  });

  test('many who come back while events come in see each event once, in order', async () => {
    const { url } = await scene.start();
    const edge = await edgeAt(url);
    const last = 3000;
    for (let first = 1; first <= 1500; first += 50) edge.batch(stream, alerts(first, 50));
    while ((await ackedThrough(edge)) < 1500);
    const cursors = [0, 0, 1, 255, 256, 257, 700, 1499, 1500, 9999];
    const coming = cursors.map((after) => viewerAt(url, { types: ['*'], after_event_id: after }));
    // Two at a time, so that viewers go over to live between commits of every kind.
    for (let first = 1501; first <= last; first += 2) edge.batch(stream, alerts(first, 2));
    while ((await ackedThrough(edge)) < last);
    for (const [index, viewer] of (await Promise.all(coming)).entries()) {
      await vi.waitFor(() => expect(idsOf(viewer).at(-1)).toBe(last), { timeout: 10_000 });
      const ids = idsOf(viewer);
      const after = cursors[index]!;
      // An id that is yet to come stands for the newest event at that time.
      expect(ids).toEqual(range(after === 9999 ? ids[0]! : after + 1, last));
      viewer.close();
    }
    edge.close();
  });

  test('resume filters the past as it does the present', async () => {
    const { url } = await scene.start();
    const edge = await edgeAt(url);
    edge.batch(stream, [
      alertItem(1, { camera: 'dock' }),
      alertItem(2),
      gapItem(3, 4),
      alertItem(5),
    ]);
    await ackedThrough(edge);
    const viewer = await viewerAt(url, { types: ['*'], cameras: ['gate'], after_event_id: 0 });
    edge.batch(stream, [alertItem(6)]);
    await vi.waitFor(() => expect(idsOf(viewer)).toEqual([2, 4, 5]));
    edge.close();
    viewer.close();
  });

  test('a new subscription replaces the old one, unsubscribe ends it', async () => {
    const { hub, url } = await scene.start();
    const edge = await edgeAt(url);
    const viewer = await viewerAt(url, { types: ['*'] });
    viewer.send('subscribe', { types: ['object_event'], cameras: ['gate'] }, 'r-11');
    expect(await viewer.next('subscription_success')).toMatchObject({
      request_id: 'r-11',
      data: { types: ['object_event'], cameras: ['gate'], last_event_id: 0 },
    });
    expect(hub.stats().subscribers).toBe(1);
    edge.batch(stream, alerts(1, 1));
    await ackedThrough(edge);
    viewer.send('unsubscribe', {}, 'r-12');
    expect((await viewer.next('subscription_success')).data.types).toEqual([]);
    expect(idsOf(viewer)).toEqual([]);
    expect(hub.stats().subscribers).toBe(0);
    edge.close();
    viewer.close();
  });

  test('a subscriber that does not read costs no memory and catches up from the table', async () => {
    const { hub, url } = await scene.start();
    const edge = await edgeAt(url);
    const [slow, quick] = [
      await viewerAt(url, { types: ['*'] }),
      await viewerAt(url, { types: ['*'] }),
    ];
    slow.ws.pause();
    const [count, size] = [600, 64 * 1024];
    let mostBuffered = 0;
    for (let seq = 1; seq <= count; seq += 4) {
      edge.batch(stream, alerts(seq, 4, { padding: size }));
      await ackedThrough(edge);
      mostBuffered = Math.max(mostBuffered, hub.stats().bufferedBytes);
    }
    await vi.waitFor(() => expect(idsOf(quick)).toHaveLength(count), { timeout: 10_000 });
    // 40 MB were sent. Each of the two viewers may have the limit of live push and the last events above it.
    expect(mostBuffered).toBeLessThan(2 * (PACING.liveBytes + 5 * size));
    expect(hub.stats().subscribersClosed).toBe(0);
    slow.ws.resume();
    await vi.waitFor(() => expect(idsOf(slow).at(-1)).toBe(count), { timeout: 20_000 });
    expect(idsOf(slow)).toEqual(range(1, count));
    for (const client of [edge, slow, quick]) client.close();
  });
});

test('throughput of batches of 64 from 10 clients, 4 in flight each (for information)', async () => {
  const { hub, url } = await scene.start();
  const perClient = 50;
  const edges = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      RawClient.identified(url, { token: EDGE_TOKEN, clientId: `edge-${index}` }),
    ),
  );
  const begun = performance.now();
  await Promise.all(
    edges.map(async (edge) => {
      const own = { epoch: randomUUID(), lane: 0 };
      let acked = 0;
      for (let batch = 0; batch < perClient; batch++) {
        edge.batch(own, alerts(batch * 64 + 1, 64, { padding: 200 }));
        while ((batch + 1) * 64 - acked > 4 * 64) acked = await ackedThrough(edge);
      }
      while (acked < perClient * 64) acked = await ackedThrough(edge);
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  expect(hub.stats().messagesStored).toBe(10 * perClient * 64);
  console.log(`${Math.round((10 * perClient * 64) / seconds)} durable messages/s`);
  for (const edge of edges) edge.close();
});
