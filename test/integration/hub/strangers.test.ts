import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';
import { EDGE_TOKEN, HubScene } from './hub-scene.ts';
import { RawClient } from './raw-client.ts';

/** The hold, the closing handshake, and room for a busy machine. */
const BOUND = { timeout: 20_000, interval: 50 };

let scene: HubScene;

beforeEach(() => {
  scene = new HubScene();
});
afterEach(() => scene.end());

describe('strangers', () => {
  test('a frame that never ends is cut off after 16 KiB', async () => {
    const { hub, url } = await scene.start();
    const { hostname, port, pathname } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: h\r\n${upgrade}\r\n${key}\r\n\r\n`);
    await once(socket, 'data');
    // A text frame of 1 MiB (RFC 6455, 5.2), of which more than is allowed comes, but never all.
    socket.write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 2, 3, 4]));
    socket.write(Buffer.alloc(20 * 1024));
    const closed = once(socket, 'close');
    socket.resume();
    await closed;
    await vi.waitFor(() => expect(hub.stats()).toMatchObject({ unidentified: 0 }));
  });

  test('who says everything but who it is is answered a few times and then closed', async () => {
    const { hub, url } = await scene.start();
    const stranger = await RawClient.connect(url);
    for (let sent = 0; sent < 20; sent++) stranger.ws.send('{"type":"heartbeat"}');
    expect(await stranger.closed).toBe(4429);
    const codes = stranger.frames
      .filter(({ type }) => type === 'error')
      .map(({ data }) => data.code);
    expect(codes).toEqual([...Array<string>(8).fill('not_identified'), 'flow_violation']);
    expect(hub.stats().flowViolations).toBe(1);
  });

  test('too many of them are asked to come back, and those who are known do not count', async () => {
    const limits = { ...DEFAULT_HUB_LIMITS, unidentifiedPerAddress: 2 };
    const { hub, url } = await scene.start({ limits });
    const edges = [];
    for (let index = 0; index < 4; index++)
      edges.push(await RawClient.identified(url, { token: EDGE_TOKEN, clientId: `edge-${index}` }));
    const strangers = [await RawClient.connect(url), await RawClient.connect(url)];
    const late = new WebSocket(url);
    const [, answer] = await once(late, 'unexpected-response');
    expect(answer).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1' } });
    answer.destroy();
    expect(hub.stats()).toMatchObject({ unidentified: 2, connectionsRefused: 1 });
    for (const stranger of strangers) stranger.close();
    await vi.waitFor(() => expect(hub.stats().unidentified).toBe(0));
    (await RawClient.identified(url, { token: EDGE_TOKEN, clientId: 'late' })).close();
    for (const edge of edges) edge.close();
  });

  test('handshakes with mistakes are not counted for ever', async () => {
    const { hub, url } = await scene.start();
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1.1 400/);
    socket.destroy();
    await vi.waitFor(() => expect(hub.stats().unidentified).toBe(0));
  });

  test('who guesses tokens has to wait for the answers', async () => {
    const { hub, url } = await scene.start();
    const guess = async (): Promise<number> => {
      const begun = performance.now();
      const client = await RawClient.connect(url);
      client.identify({ token: 'guess' });
      // More of the same on one connection changes nothing.
      client.identify({ token: EDGE_TOKEN });
      expect(await client.closed).toBe(4401);
      return performance.now() - begun;
    };
    for (let round = 0; round < 20; round++) await guess();
    expect(await guess()).toBeGreaterThan(2000);
    expect(hub.stats().authFailures).toBe(21);
    (await RawClient.identified(url, { token: EDGE_TOKEN })).close();
  });

  test('who is told to wait is gone within a bound, also if it never closes its side', async () => {
    const { hub, url } = await scene.start();
    for (let guess = 0; guess < 20; guess++) {
      const client = await RawClient.connect(url);
      client.identify({ token: 'guess' });
      await client.closed;
    }
    const client = await RawClient.connect(url);
    client.identify({ token: 'guess' });
    await vi.waitFor(() => expect(hub.stats().authFailures).toBe(21));
    // It reads no more, and so never answers the close.
    client.ws.pause();
    await vi.waitFor(() => expect(hub.stats().unidentified).toBe(0), BOUND);
    expect(hub.stats().identifyTimeouts).toBe(0);
    client.close();
  });
});
