import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EDGE_TOKEN, HubScene } from './hub-scene.ts';
import { alertItem, alerts, gapItem, RawClient } from './raw-client.ts';

let scene: HubScene;
let stream: { epoch: string; lane: number };

beforeEach(() => {
  scene = new HubScene();
  stream = { epoch: randomUUID(), lane: 0 };
});
afterEach(() => scene.end());

const ackedThrough = async (client: RawClient) =>
  (await client.next('batch_ack')).data.acks[0].acked_through as number;

describe('ingest', () => {
  test('a batch is stored and acknowledged', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    edge.batch(stream, alerts(1, 3), 'r-9');
    expect(await edge.next('batch_ack')).toMatchObject({
      request_id: 'r-9',
      data: { acks: [{ ...stream, acked_through: 3 }], rejected: [] },
    });
    await scene.stop(hub);
    expect(scene.events()).toMatchObject([
      { event_id: 1, client_id: 'edge-1', seq: 1, type: 'alert_triggered', status: 0 },
      { event_id: 2, seq: 2 },
      { event_id: 3, seq: 3 },
    ]);
  });

  test('a duplicate batch is acknowledged again and stored once', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    const items = alerts(1, 3);
    edge.batch(stream, items);
    expect(await ackedThrough(edge)).toBe(3);
    edge.batch(stream, items);
    expect(await ackedThrough(edge)).toBe(3);
    edge.batch(stream, [...items.slice(1), alertItem(4)]);
    expect(await ackedThrough(edge)).toBe(4);
    expect(hub.stats()).toMatchObject({ messagesStored: 4, duplicates: 5 });
    await scene.stop(hub);
    expect(scene.events()).toHaveLength(4);
  });

  test('a message id that is already stored is acknowledged, not stored again', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    const messageId = randomUUID();
    edge.batch(stream, [alertItem(1, { messageId })]);
    expect(await ackedThrough(edge)).toBe(1);
    edge.batch({ epoch: randomUUID(), lane: 0 }, [alertItem(1, { messageId })]);
    expect(await ackedThrough(edge)).toBe(1);
    expect(hub.stats()).toMatchObject({ messagesStored: 1, duplicates: 1 });
    edge.close();
  });

  test('lanes and epochs are streams of their own', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    for (const key of [stream, { ...stream, lane: 2 }, { epoch: randomUUID(), lane: 0 }]) {
      edge.batch(key, alerts(1, 2));
      expect((await edge.next('batch_ack')).data.acks).toEqual([{ ...key, acked_through: 2 }]);
    }
    expect(hub.stats().messagesStored).toBe(6);
    edge.close();
  });

  test('a hole asks for resync and stores nothing behind it', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    edge.batch(stream, alerts(1, 2));
    expect(await ackedThrough(edge)).toBe(2);
    edge.batch(stream, alerts(5, 2));
    expect(await ackedThrough(edge)).toBe(2);
    expect((await edge.next('resync_required')).data).toEqual({
      ...stream,
      expected_seq: 3,
      reason: 'sequence_gap',
    });
    edge.batch(stream, alerts(3, 4));
    expect(await ackedThrough(edge)).toBe(6);
    expect(hub.stats()).toMatchObject({ messagesStored: 6, resyncs: 1 });
    edge.close();
  });

  test('a declared gap closes the hole and is kept', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    edge.batch(stream, [alertItem(1), gapItem(2, 10), alertItem(11)]);
    expect(await ackedThrough(edge)).toBe(11);
    expect(hub.stats()).toMatchObject({ messagesStored: 2, gaps: 1 });
    await scene.stop(hub);
    expect(scene.events()).toMatchObject([{ seq: 1 }, { seq: 2, status: 3 }, { seq: 11 }]);
  });

  test('an invalid message is quarantined and does not block the next', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    const newer = { ...alertItem(3), schema_version: 99, data: { anything: true } };
    edge.batch(stream, [alertItem(1, { severity: 'terrible' }), alertItem(2), newer]);
    const { data } = await edge.next('batch_ack');
    expect(data.acks).toEqual([{ ...stream, acked_through: 3 }]);
    expect(data.rejected).toMatchObject([{ seq: 1, code: 'schema_invalid', quarantined: true }]);
    edge.batch(stream, [alertItem(4)]);
    expect(await ackedThrough(edge)).toBe(4);
    await scene.stop(hub);
    expect(scene.events().map(({ status }) => status)).toEqual([1, 0, 2, 0]);
  });

  test('streams that a client lists at identification go on where the disk says', async () => {
    const { url } = await scene.start();
    const first = await RawClient.identified(url, { token: EDGE_TOKEN });
    first.batch(stream, alerts(1, 5));
    expect(await ackedThrough(first)).toBe(5);
    first.close();
    await first.closed;
    const unknown = { epoch: randomUUID(), lane: 2 };
    const again = await RawClient.connect(url);
    again.identify({
      token: EDGE_TOKEN,
      sessionToken: first.sessionToken,
      streams: [
        { ...stream, first_seq: 3, next_seq: 8 },
        { ...unknown, first_seq: 9001, next_seq: 9005 },
      ],
    });
    expect((await again.next('identification_success')).data.resume.streams).toEqual([
      { ...stream, acked_through: 5 },
      { ...unknown, acked_through: 9000 },
    ]);
    again.close();
  });

  test('nothing that was acknowledged is lost when the hub is killed, and duplicates are known', async () => {
    let { child, url, port } = await scene.spawn();
    const sent = alerts(1, 200);
    let acked = 0;
    let sessionToken: string | null = null;
    for (let round = 0; round < 4; round++) {
      const edge = await RawClient.connect(url);
      const streams = [{ ...stream, first_seq: 1, next_seq: 201 }];
      edge.identify({ token: EDGE_TOKEN, streams, sessionToken });
      const { data } = await edge.next('identification_success');
      sessionToken = data.session_token as string;
      expect(data.resume.streams[0].acked_through).toBeGreaterThanOrEqual(acked);
      // Everything not known to be acknowledged goes out again, in small batches.
      for (let from = acked; from < sent.length; from += 10)
        edge.batch(stream, sent.slice(from, from + 10));
      const target = round === 3 ? 200 : Math.min(200, acked + 20);
      while (acked < target) acked = await ackedThrough(edge);
      if (round === 3) break;
      await scene.kill(child);
      await edge.closed;
      const begun = performance.now();
      ({ child, url } = await scene.spawn(port));
      expect(performance.now() - begun).toBeLessThan(3000);
    }
    await scene.kill(child);
    expect(scene.events().map(({ seq }) => seq)).toEqual(sent.map(({ seq }) => seq));
    ({ url } = await scene.spawn(port));
    // What is known is acknowledged again after a kill, never refused.
    const again = await RawClient.identified(url, { token: EDGE_TOKEN, sessionToken });
    again.batch(stream, sent);
    expect(await ackedThrough(again)).toBe(200);
    again.close();
  });

  test('a second hub on the same data is refused by name', async () => {
    await scene.start();
    await expect(scene.start()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });
});
