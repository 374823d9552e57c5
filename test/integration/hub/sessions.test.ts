import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { type Clock, systemClock } from '../../../src/system/clock.ts';
import { EDGE_TOKEN, HubScene, httpOf, VIEWER_TOKEN } from './hub-scene.ts';
import { alerts, RawClient } from './raw-client.ts';

let scene: HubScene;

beforeEach(() => {
  scene = new HubScene();
});
afterEach(() => scene.end());

/** Runs the hub's timers `factor` times faster. */
function fastClock(factor: number): Clock {
  return {
    ...systemClock,
    setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / factor),
  };
}

describe('identification', () => {
  test('a good token is welcomed', async () => {
    const { hub, url } = await scene.start();
    const client = await RawClient.connect(url);
    const hello = await client.next('connection_established');
    expect(hello.data).toMatchObject({ protocol: { min: 2, max: 2 } });
    client.identify({ token: EDGE_TOKEN });
    const { data } = await client.next('identification_success');
    expect(data).toMatchObject({
      store_id: hub.stats().storeId,
      resume: { streams: [] },
      flow: { credit_messages: 512, credit_bytes: 1_048_576 },
      reconnect: { base_ms: 100, cap_ms: 500 },
    });
    expect(hub.stats().clients.ai_engine).toBe(1);
    client.close();
  });

  test('a bad token, or one for another type, is refused with 4401', async () => {
    const { hub, url } = await scene.start();
    for (const token of ['guess', '', VIEWER_TOKEN]) {
      const client = await RawClient.connect(url);
      client.identify({ token });
      expect((await client.next('error')).data).toMatchObject({
        code: 'auth_failed',
        retryable: false,
      });
      expect(await client.closed).toBe(4401);
    }
    expect(hub.stats().authFailures).toBe(3);
  });

  test('the token of one edge does not speak as another, also after a restart', async () => {
    const sha256 = createHash('sha256').update('other-token').digest('hex');
    const own = createHash('sha256').update(EDGE_TOKEN).digest('hex');
    const tokens = [
      { name: 'edge', type: 'ai_engine' as const, sha256: own, scopes: USUAL_SCOPES },
      { name: 'other', type: 'ai_engine' as const, sha256, scopes: USUAL_SCOPES },
    ];
    const first = await scene.start({ tokens });
    const edge = await RawClient.identified(first.url, { token: EDGE_TOKEN, clientId: 'edge-1' });
    const refused = async (url: string) => {
      const impostor = await RawClient.connect(url);
      impostor.identify({ token: 'other-token', clientId: 'edge-1' });
      expect((await impostor.next('error')).data).toMatchObject({ code: 'auth_failed' });
      expect(await impostor.closed).toBe(4401);
    };
    await refused(first.url);
    expect(edge.ws.readyState).toBe(WebSocket.OPEN);
    await first.hub.stop();
    const second = await scene.start({ tokens });
    await refused(second.url);
    await second.hub.stop();
    // A token that got another name is the same token.
    const renamed = tokens.map((token) => ({ ...token, name: `${token.name} of the gate` }));
    const third = await scene.start({ tokens: renamed });
    await refused(third.url);
    (await RawClient.identified(third.url, { token: EDGE_TOKEN, clientId: 'edge-1' })).close();
  });

  test('a peer that asks for the wrong path and never leaves does not keep the hub from ending', async () => {
    const { hub } = await scene.start();
    const socket = connect({ port: hub.address.port, host: '127.0.0.1', allowHalfOpen: true });
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
    socket.write(`GET /x HTTP/1.1\r\nHost: h\r\n${upgrade}\r\nSec-WebSocket-Key: a\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1.1 404/);
    await hub.stop();
    socket.destroy();
  });

  test('a hub without tokens admits nobody', async () => {
    const { url } = await scene.start({ tokens: [] });
    const client = await RawClient.connect(url);
    client.identify({ token: EDGE_TOKEN });
    expect(await client.closed).toBe(4401);
  });

  test('a client that does not identify itself in time is closed with 4408', async () => {
    const { url } = await scene.start({ clock: fastClock(25) });
    const client = await RawClient.connect(url);
    expect((await client.next('error')).data.code).toBe('identify_timeout');
    expect(await client.closed).toBe(4408);
  });

  test('nothing is done for a client that has not identified itself', async () => {
    const { hub, url } = await scene.start();
    const client = await RawClient.connect(url);
    client.batch({ epoch: randomUUID(), lane: 0 }, alerts(1, 1), 'r-1');
    const refusal = await client.next('error');
    expect(refusal).toMatchObject({ request_id: 'r-1', data: { code: 'not_identified' } });
    client.send('subscribe', { types: ['*'] });
    expect((await client.next('error')).data.code).toBe('not_identified');
    expect(hub.stats()).toMatchObject({ messagesStored: 0, subscribers: 0 });
    client.close();
  });

  test('a large first frame is refused with 4413', async () => {
    const { url } = await scene.start();
    const client = await RawClient.connect(url);
    client.identify({ token: 'x'.repeat(17 * 1024) });
    expect(await client.closed).toBe(4413);
  });
});

describe('faulty frames', () => {
  test('are answered with a code, and the connection stays', async () => {
    const { url } = await scene.start();
    const client = await RawClient.identified(url, { token: EDGE_TOKEN });
    const code = async () => (await client.next('error')).data.code as string;
    client.ws.send('{"type":');
    expect(await code()).toBe('not_json');
    client.ws.send('[1,2]');
    expect(await code()).toBe('invalid_frame');
    client.send('dance', {});
    expect(await code()).toBe('unknown_type');
    client.send('message_batch', { epoch: 'no-uuid', lane: 9 });
    expect(await code()).toBe('invalid_frame');
    client.ws.send(Buffer.from([1, 2, 3]));
    expect(await code()).toBe('invalid_frame');
    client.identify({ token: EDGE_TOKEN });
    expect(await code()).toBe('already_identified');
    client.send('subscribe', { types: ['*'] });
    expect(await code()).toBe('forbidden');
    client.send('heartbeat', { mono_ms: 1 }, 'hb-1');
    expect((await client.next('heartbeat_ack')).request_id).toBe('hb-1');
    client.close();
  });

  test('a viewer cannot deliver messages', async () => {
    const { hub, url } = await scene.start();
    const viewer = await RawClient.identified(url, { token: VIEWER_TOKEN, type: 'frontend' });
    viewer.batch({ epoch: randomUUID(), lane: 0 }, alerts(1, 1));
    expect((await viewer.next('error')).data.code).toBe('forbidden');
    expect(hub.stats().messagesStored).toBe(0);
    viewer.close();
  });

  test('an oversized frame closes with 4413; a huge one never gets in', async () => {
    const { url } = await scene.start();
    const large = await RawClient.identified(url, { token: EDGE_TOKEN });
    large.ws.send('x'.repeat(1024 * 1024 + 1));
    expect(await large.closed).toBe(4413);
    const huge = await RawClient.identified(url, { token: EDGE_TOKEN });
    huge.ws.send('x'.repeat(3 * 1024 * 1024));
    expect(await huge.closed).toBe(1009);
  });

  test('a viewer gets 64 KiB, also before what it sends is a whole frame', async () => {
    const { url } = await scene.start();
    const viewer = { token: VIEWER_TOKEN, type: 'frontend' as const };
    const exact = await RawClient.identified(url, viewer);
    exact.ws.send('x'.repeat(64 * 1024));
    expect((await exact.next('error')).data.code).toBe('not_json');
    // Not even JSON: it is not looked into.
    exact.ws.send('x'.repeat(64 * 1024 + 1));
    expect((await exact.next('error')).data).toMatchObject({
      code: 'frame_too_large',
      message: 'more than 65536 bytes',
    });
    expect(await exact.closed).toBe(4413);
    const growing = await RawClient.identified(url, viewer);
    for (let part = 0; part < 20; part++)
      growing.ws.send('x'.repeat(30 * 1024), { fin: false, binary: false });
    expect((await growing.next('error')).data.code).toBe('frame_too_large');
    await growing.closed;
  });
});

describe('life of a session', () => {
  test('a newer session of the same client takes over after the older one was served', async () => {
    const { hub, url } = await scene.start();
    const stream = { epoch: randomUUID(), lane: 0 };
    const older = await RawClient.identified(url, { token: EDGE_TOKEN });
    older.batch(stream, alerts(1, 64));
    const newer = await RawClient.connect(url);
    const streams = [{ ...stream, first_seq: 1, next_seq: 65 }];
    newer.identify({ token: EDGE_TOKEN, streams, sessionToken: older.sessionToken });
    const welcome = await newer.next('identification_success');
    expect(welcome.data.resume.streams).toEqual([{ ...stream, acked_through: 64 }]);
    expect((await older.next('batch_ack')).data.acks[0].acked_through).toBe(64);
    expect(await older.closed).toBe(4409);
    newer.batch(stream, alerts(65, 1));
    expect((await newer.next('batch_ack')).data.acks[0].acked_through).toBe(65);
    expect(hub.stats().clients.ai_engine).toBe(1);
    newer.close();
  });

  test('a viewer with the name of an edge does not push it out', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    const viewer = await RawClient.identified(url, { token: VIEWER_TOKEN, type: 'frontend' });
    expect(hub.stats()).toMatchObject({ superseded: 0, clients: { ai_engine: 1, frontend: 1 } });
    edge.close();
    viewer.close();
  });

  test('viewers of one name: the newer takes over within a token, others are let be', async () => {
    const tokens = ['first', 'second'].map((name) => ({
      name,
      type: 'frontend' as const,
      sha256: createHash('sha256').update(name).digest('hex'),
      scopes: USUAL_SCOPES,
    }));
    const { hub, url } = await scene.start({ tokens });
    const identity = { type: 'frontend' as const, clientId: 'console' };
    const other = await RawClient.identified(url, { ...identity, token: 'second' });
    const older = await RawClient.identified(url, { ...identity, token: 'first' });
    expect(hub.stats()).toMatchObject({ superseded: 0, clients: { frontend: 2 } });
    const newer = await RawClient.identified(url, { ...identity, token: 'first' });
    expect(await older.closed).toBe(4409);
    other.send('heartbeat', { mono_ms: 1 });
    await other.next('heartbeat_ack');
    expect(hub.stats()).toMatchObject({ superseded: 1, clients: { frontend: 2 } });
    newer.close();
    other.close();
  });

  test('a viewer cannot make the hub unfold anything', async () => {
    const { hub, url } = await scene.start();
    const viewer = await RawClient.identified(url, { token: VIEWER_TOKEN, type: 'frontend' });
    viewer.ws.send(deflateRawSync(Buffer.alloc(1_000_000, 0x20)));
    expect((await viewer.next('error')).data).toMatchObject({ code: 'forbidden' });
    expect(hub.stats()).toMatchObject({ inflatedBytes: 0 });
    viewer.close();
  });

  test('a silent client is dropped, one with heartbeats stays', async () => {
    const { hub, url } = await scene.start({ clock: fastClock(25) });
    const silent = await RawClient.identified(url, { token: EDGE_TOKEN, clientId: 'silent' });
    const alive = await RawClient.identified(url, { token: EDGE_TOKEN, clientId: 'alive' });
    const beating = setInterval(() => alive.send('heartbeat', { mono_ms: 1 }), 100);
    try {
      expect(await silent.closed).toBe(1006);
      await vi.waitFor(() =>
        expect(hub.stats()).toMatchObject({ silentDropped: 1, clients: { ai_engine: 1 } }),
      );
    } finally {
      clearInterval(beating);
      alive.close();
    }
  });

  test('draining: clients are told, what they sent is acknowledged, then 1012', async () => {
    const { hub, url } = await scene.start();
    const client = await RawClient.identified(url, { token: EDGE_TOKEN });
    client.batch({ epoch: randomUUID(), lane: 0 }, alerts(1, 64));
    await vi.waitFor(() => expect(hub.stats().framesIn).toBe(2));
    const begun = performance.now();
    const stopped = scene.stop(hub);
    const late = new WebSocket(url);
    const [, refusal] = await once(late, 'unexpected-response');
    expect(refusal).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1' } });
    refusal.destroy();
    expect(await client.closed).toBe(1012);
    const came = Object.fromEntries(client.frames.map((frame) => [frame.type, frame.data]));
    expect(came.server_draining).toMatchObject({ deadline_ms: 3000 });
    expect(came.batch_ack).toMatchObject({ acks: [{ acked_through: 64 }] });
    await stopped;
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(scene.events()).toHaveLength(64);
  });

  test('draining does not wait for ever for a client that does not answer', async () => {
    const { hub, url } = await scene.start();
    const client = await RawClient.identified(url, { token: EDGE_TOKEN });
    client.ws.pause();
    const begun = performance.now();
    await scene.stop(hub);
    expect(performance.now() - begun).toBeLessThan(5000);
    client.close();
  });
});

describe('HTTP', () => {
  test('health has its exact shape, everything else is 404', async () => {
    const { url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    const response = await fetch(`${httpOf(url)}/api/health`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'Server is running',
      websocket: {
        enhanced_server: true,
        connected_clients: 1,
        messages_processed: 0,
        ai_engine_connected: true,
        uptime: expect.any(Number),
      },
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
    const missing = await fetch(`${httpOf(url)}/api/anything`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: 'not_found' });
    edge.close();
  });

  test('WebSockets are taken at / too, and nowhere else', async () => {
    const { url } = await scene.start();
    const root = await RawClient.connect(url.replace(/\/ws$/, '/'));
    await root.next('connection_established');
    root.close();
    const elsewhere = new WebSocket(url.replace(/\/ws$/, '/admin'));
    const [, refusal] = await once(elsewhere, 'unexpected-response');
    expect(refusal.statusCode).toBe(404);
    refusal.destroy();
  });

  test('a port in use is named', async () => {
    const { hub } = await scene.start();
    const other = new HubScene();
    try {
      await expect(other.start({ port: hub.address.port })).rejects.toMatchObject({
        code: 'HUB_ADDRESS',
      });
    } finally {
      await other.end();
    }
  });
});
