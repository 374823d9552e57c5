import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';
import { deflateText } from '../../../src/system/raw-deflate.ts';
import { EDGE_TOKEN, HubScene, VIEWER_TOKEN } from './hub-scene.ts';
import { alertItem, alerts, RawClient } from './raw-client.ts';

let scene: HubScene;

beforeEach(() => {
  scene = new HubScene();
});
afterEach(() => scene.end());

const SLOW = { ...DEFAULT_HUB_LIMITS, messagesPerS: 500, burstMessages: 600 };

/** Sends on and on, whatever credit it is told. */
async function flood(client: RawClient, count: number): Promise<void> {
  const stream = { epoch: randomUUID(), lane: 0 };
  for (let first = 1; first <= count; first += 100) client.batch(stream, alerts(first, 100));
  let acked = 0;
  while (acked < count) acked = (await client.next('batch_ack')).data.acks[0].acked_through;
}

describe('a client above its rate', () => {
  test('loses its credit and nothing else; the credit comes back', async () => {
    const { hub, url } = await scene.start({ limits: { ...SLOW, messagesPerS: 50 } });
    const client = await RawClient.identified(url, { token: EDGE_TOKEN });
    await flood(client, 700);
    const news = () => client.frames.filter(({ type }) => type === 'flow_update');
    await vi.waitFor(() => expect(news()).toHaveLength(2), { timeout: 10_000 });
    const [told, back] = news();
    expect(told?.data).toMatchObject({ credit_messages: 0, reason: 'rate_limit' });
    expect(told?.data.resume_after_ms).toBeGreaterThanOrEqual(100);
    expect(back?.data.reason).toBe('resumed');
    expect(back?.data.credit_messages).toBeGreaterThan(0);
    expect(hub.stats()).toMatchObject({ messagesStored: 700, flowViolations: 0 });
    client.close();
  });

  test('that sends on all the same is slowed down to it, and others do not wait for it', async () => {
    const { hub, url } = await scene.start({ limits: SLOW });
    const abuser = await RawClient.identified(url, { token: EDGE_TOKEN, clientId: 'abuser' });
    const quiet = await RawClient.identified(url, { token: EDGE_TOKEN, clientId: 'quiet' });
    const stream = { epoch: randomUUID(), lane: 0 };
    const begun = performance.now();
    // Above the socket buffers of both sides, so that it feels that nobody reads.
    const flooding = flood(abuser, 4000);
    const delays: number[] = [];
    for (let seq = 1; seq <= 50; seq++) {
      const sent = performance.now();
      quiet.batch(stream, [alertItem(seq)]);
      await quiet.next('batch_ack');
      delays.push(performance.now() - sent);
    }
    await flooding;
    const tookS = (performance.now() - begun) / 1000;
    // Burst, rate, and twice the credit in advance.
    expect(4000 / tookS).toBeLessThan((600 + 500 * tookS + 1124) / tookS);
    expect(tookS).toBeGreaterThan(3);
    expect(delays.sort((a, b) => a - b)[25]).toBeLessThan(100);
    expect(hub.stats()).toMatchObject({ messagesStored: 4050, duplicates: 0 });
    abuser.close();
    quiet.close();
  });
});

describe('deflated frames', () => {
  const frameOf = (items: unknown[], epoch = randomUUID()) =>
    JSON.stringify({
      type: 'message_batch',
      timestamp: 1,
      request_id: 'b-1',
      data: { epoch, lane: 0, first_seq: 1, items },
    });

  test('are read as the text they hold, where both sides agreed on them', async () => {
    const { hub, url } = await scene.start();
    const more = { capabilities: ['batch', 'deflate_raw'] };
    const client = await RawClient.identified(url, { token: EDGE_TOKEN, more });
    const text = frameOf(alerts(1, 64));
    client.ws.send(deflateText(text));
    expect((await client.next('batch_ack')).request_id).toBe('b-1');
    const { deflatedFrames, inflatedBytes, messagesStored } = hub.stats();
    expect({ deflatedFrames, inflatedBytes, messagesStored }).toEqual({
      deflatedFrames: 1,
      inflatedBytes: Buffer.byteLength(text),
      messagesStored: 64,
    });
    client.ws.send(Buffer.from([1, 2, 3]));
    expect((await client.next('error')).data.code).toBe('invalid_frame');
    client.close();
  });

  test('that unfold to more than a frame may have end the connection', async () => {
    const { url } = await scene.start();
    const more = { capabilities: ['deflate_raw'] };
    const client = await RawClient.identified(url, { token: EDGE_TOKEN, more });
    client.ws.send(deflateText(frameOf([' '.repeat(2 * 1024 * 1024)])));
    expect(await client.closed).toBe(4413);
  });

  test('are refused from a client that did not offer them, and from one that is not known', async () => {
    const { url } = await scene.start();
    const stranger = await RawClient.connect(url);
    stranger.ws.send(deflateText(frameOf(alerts(1, 1))));
    expect((await stranger.next('error')).data.code).toBe('not_identified');
    stranger.identify({ token: EDGE_TOKEN });
    await stranger.next('identification_success');
    stranger.ws.send(deflateText(frameOf(alerts(1, 1))));
    expect((await stranger.next('error')).data.code).toBe('invalid_frame');
    stranger.close();
  });
});

describe('a client that goes on with frames that are refused', () => {
  test('is answered in order and all of it, only later', async () => {
    const { url } = await scene.start();
    const client = await RawClient.identified(url, { token: EDGE_TOKEN });
    for (let sent = 0; sent < 230; sent++)
      client.ws.send(`{"type":"nonsense","timestamp":1,"request_id":"r-${sent}","data":{}}`);
    for (let sent = 0; sent < 230; sent++)
      expect((await client.next('error')).request_id).toBe(`r-${sent}`);
    client.close();
  });

  test('is closed at twice its allowance', async () => {
    const { hub, url } = await scene.start();
    const client = await RawClient.identified(url, { token: EDGE_TOKEN });
    const large = `"${'x'.repeat(900 * 1024)}`;
    for (let sent = 0; sent < 2; sent++) client.ws.send(large);
    expect(await client.closed).toBe(4429);
    expect(hub.stats().flowViolations).toBe(1);
  });
});

describe('faulty frames name the request', () => {
  test('even where they cannot be read', async () => {
    const { url } = await scene.start();
    const client = await RawClient.identified(url, { token: EDGE_TOKEN });
    const head = '{"type":"message_batch","timestamp":1,"request_id":"b-7","data":{"items":';
    client.ws.send(`${head}[`);
    expect(await client.next('error')).toMatchObject({
      request_id: 'b-7',
      data: { code: 'not_json' },
    });
    client.ws.send(`${head}${'['.repeat(100)}${']'.repeat(100)}}}`);
    expect(await client.next('error')).toMatchObject({
      request_id: 'b-7',
      data: { code: 'invalid_frame' },
    });
    client.close();
  });
});

describe('times by the hub’s clock', () => {
  test('are stored and shown, and a clock that is off is named', async () => {
    const { hub, url } = await scene.start();
    const viewer = await RawClient.identified(url, { token: VIEWER_TOKEN, type: 'frontend' });
    viewer.send('subscribe', { types: ['*'] });
    await viewer.next('subscription_success');
    const epoch = randomUUID();
    const streams = [{ epoch, lane: 0, first_seq: 1, next_seq: 1, boot_id: 'boot-1' }];
    const more = { boot_id: 'boot-1' };
    const client = await RawClient.identified(url, { token: EDGE_TOKEN, streams, more });
    const offset = Date.now() - 5000;
    client.send('heartbeat', { mono_ms: 5000, clock: { synced: true, offset_ms: offset } }, 'h');
    const ack = await client.next('heartbeat_ack');
    expect(ack.data.received_time).toBeLessThanOrEqual(ack.data.server_time);
    client.batch({ epoch, lane: 0 }, [{ ...alertItem(1), mono_ms: 4000 }]);
    const live = await viewer.next('alert_triggered');
    const expected = { corrected_timestamp: offset + 4000, clock_suspect: true };
    expect(live).toMatchObject(expected);
    viewer.send('subscribe', { types: ['*'], after_event_id: 0 });
    expect(await viewer.next('alert_triggered')).toMatchObject(expected);
    expect(hub.stats().clockSuspects).toBe(1);
    client.close();
    viewer.close();
  });
});

describe('fencing', () => {
  test('an older session that hangs half open does not hold the newer one up', async () => {
    const { hub, url } = await scene.start();
    const stream = { epoch: randomUUID(), lane: 0 };
    const older = await RawClient.identified(url, { token: EDGE_TOKEN });
    older.batch(stream, alerts(1, 64));
    await older.next('batch_ack');
    older.ws.pause();
    const begun = performance.now();
    const newer = await RawClient.identified(url, {
      token: EDGE_TOKEN,
      sessionToken: older.sessionToken,
      streams: [{ ...stream, first_seq: 1, next_seq: 65 }],
    });
    newer.batch(stream, alerts(65, 1));
    expect((await newer.next('batch_ack')).data.acks[0].acked_through).toBe(65);
    expect(performance.now() - begun).toBeLessThan(1000);
    await vi.waitFor(() => expect(hub.stats().clients.ai_engine).toBe(1), { timeout: 5000 });
    older.close();
    newer.close();
  });
});
