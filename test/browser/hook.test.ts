import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { alerts } from '../integration/hub/raw-client.ts';
import { waitFor } from '../support/program.ts';
import type { Probe } from './page/probe.ts';
import { Scene, type Visit } from './scene.ts';

declare const window: { probe: Probe };

let scene: Scene;
let visit: Visit;

beforeAll(async () => {
  scene = await Scene.open();
});
afterAll(() => scene?.close());

beforeEach(async () => {
  visit = await scene.visit();
});
afterEach(async () => {
  await visit.page.close();
  // The hub is the same for the next test.
  await waitFor('the hub is left', async () => (await scene.connectedClients()) === 0);
  expect(visit.errors).toEqual([]);
});

const viewer = () => ({ serverUrl: scene.serverUrl, token: scene.hub.viewerToken });
const newStream = () => ({ epoch: randomUUID(), lane: 0 });

function numbers(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}

describe('the connection', () => {
  test('components under StrictMode share one, which goes with the last of them', async () => {
    await visit.show(viewer());
    await visit.statusIs('connected');
    await visit.subscribed();
    expect(visit.sockets).toEqual([`ws://127.0.0.1:${scene.hub.port}/ws`]);
    expect(await scene.connectedClients()).toBe(1);
    await visit.change({ cameras: ['yard'] });
    await visit.change({ cameras: [], isRecording: true });
    await waitFor('the cameras are given up', () => visit.sent.includes('unsubscribe'));
    expect(await scene.connectedClients()).toBe(1);
    await visit.change({ isRecording: false });
    await waitFor('the connection ends', async () => (await scene.connectedClients()) === 0);
    await visit.change({ cameras: ['door'], isRecording: true });
    await visit.statusIs('connected');
    expect(visit.sockets).toHaveLength(2);
  });

  test('changes over with the configuration, with its cameras and handlers', async () => {
    await visit.show({ ...viewer(), token: 'wrong' }, { cameras: [] });
    await visit.errorIs('auth_failed');
    await visit.page.evaluate(() => {
      void window.probe.hook?.subscribeToCamera('door');
    });
    await visit.change({ config: viewer() });
    await visit.subscribed();
    await visit.errorIs(null);
    const edge = await scene.edge();
    edge.batch(newStream(), alerts(1, 3, { camera: 'door' }));
    await visit.heard(3);
    await visit.change({ config: { serverUrl: '' } });
    await visit.statusIs('disconnected');
    await waitFor('the old ones end', async () => (await scene.connectedClients()) === 1);
    edge.close();
  });

  test('of a wrong token is an error with its code, and the page waits', async () => {
    await visit.show({ ...viewer(), token: 'wrong' });
    await visit.statusIs('error');
    await visit.errorIs('auth_failed');
    expect(visit.page.url() + visit.sockets.join()).not.toContain('token=');
    // The network coming back is no reason to try again; connect() is.
    await visit.page.evaluate("dispatchEvent(new Event('online'))");
    await visit.page.evaluate(() => window.probe.hook?.connect());
    await waitFor('a second socket', () => visit.sockets.length === 2);
    await visit.statusIs('error');
    expect(visit.sockets).toHaveLength(2);
    expect(await scene.connectedClients()).toBe(0);
  });

  test('is tried again while getToken rejects, and no rejection is left', async () => {
    const { hub, serverUrl } = scene;
    await visit.show({ serverUrl, tokens: [null] }, { cameras: [] });
    await visit.errorIs('token_unavailable');
    await waitFor('three attempts', () => visit.sockets.length >= 3);
    await visit.change({ config: { serverUrl, tokens: [hub.viewerToken] } });
    await visit.statusIs('connected');
    await visit.errorIs(null);
  });

  test('of a page that is left ends, and coming back makes one', async () => {
    await visit.show(viewer());
    await visit.subscribed();
    expect(await scene.connectedClients()).toBe(1);
    await visit.page.goto('about:blank');
    await waitFor('no connection', async () => (await scene.connectedClients()) === 0);
    await visit.page.goBack();
    await visit.statusIs('connected');
    expect(await scene.connectedClients()).toBe(1);
  });

  test('of a page that becomes visible is tested at once', async () => {
    await visit.show(viewer());
    await visit.subscribed();
    const setVisibility = (state: string) =>
      visit.page.evaluate((value) => {
        const page = (globalThis as unknown as { document: EventTarget }).document;
        Object.defineProperty(page, 'visibilityState', { value, configurable: true });
        page.dispatchEvent(new Event('visibilitychange'));
      }, state);
    const beats = () => visit.sent.filter((type) => type === 'heartbeat').length;
    await setVisibility('hidden');
    const before = beats();
    for (let shown = 1; shown <= 3; shown++) {
      await setVisibility('visible');
      await waitFor('a heartbeat', () => beats() >= before + shown);
    }
    expect(await scene.connectedClients()).toBe(1);
  });
});

describe('events', () => {
  test('none is missing or double after the hub was killed, also for a page that was frozen', async () => {
    const stream = newStream();
    await visit.show(viewer());
    await visit.subscribed();
    let edge = await scene.edge();
    const { sessionToken } = edge;
    edge.batch(stream, [...alerts(1, 5, { camera: 'door' }), ...alerts(6, 5, { camera: 'yard' })]);
    edge.batch(stream, alerts(11, 5, { camera: 'elsewhere' }));
    await visit.heard(10);
    await waitFor('they are shown', async () => (await visit.page.locator('li').count()) === 10);
    await scene.hub.kill();
    await visit.statusIs('reconnecting');
    await scene.hub.open();
    const resumed = { ...stream, first_seq: 16, next_seq: 16 };
    edge = await scene.edge({ sessionToken, streams: [resumed] });
    edge.batch(stream, alerts(16, 40, { camera: 'yard' }));
    await visit.heard(50);

    const devTools = await visit.page.context().newCDPSession(visit.page);
    await devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
    edge.batch(stream, alerts(56, 20, { camera: 'door' }), 'while-frozen');
    await edge.next('batch_ack');
    await devTools.send('Page.setWebLifecycleState', { state: 'active' });
    await visit.heard(70);

    const [first = 0] = await visit.events();
    expect(await visit.events()).toEqual([...numbers(first, 10), ...numbers(first + 15, 60)]);
    expect(await visit.page.locator('[data-camera="yard"] li').count()).toBe(45);
    expect(await scene.connectedClients()).toBe(2);
    await waitFor('a latency', () =>
      visit.page.evaluate(() => (window.probe.hook?.stats.latency ?? 0) > 0),
    );
    edge.close();
  });

  test('go on from what a hub has that was restored from a backup, and the page is told', async () => {
    await scene.backUp();
    await visit.show(viewer());
    await visit.subscribed();
    let edge = await scene.edge();
    edge.batch(newStream(), alerts(1, 20, { camera: 'door' }));
    await visit.heard(20);
    await scene.restore();
    await visit.errorIs('events_missing');
    await visit.statusIs('connected');
    expect(await visit.page.locator('[data-camera="door"] p').textContent()).toContain(
      'events_missing',
    );
    edge = await scene.edge();
    edge.batch(newStream(), alerts(1, 5, { camera: 'door' }));
    await visit.heard(25);
    const [first = 0] = await visit.events();
    expect(await visit.events()).toEqual([...numbers(first, 20), ...numbers(first, 5)]);
    edge.close();
  });

  test('a burst of them does not render with each', async () => {
    await visit.show(viewer());
    await visit.subscribed();
    const before = await visit.page.evaluate(() => window.probe.renders);
    const edge = await scene.edge();
    edge.batch(newStream(), alerts(1, 400, { camera: 'door' }));
    await visit.heard(400);
    const after = await visit.page.evaluate(() => window.probe.renders);
    // Two renders a snapshot under StrictMode, at most four snapshots a second: a hundred are 12 s.
    expect(after - before).toBeLessThan(100);
    edge.close();
  });

  test('of a camera that the token is not for are refused: to its component, and by the promise', async () => {
    await visit.show({ serverUrl: scene.serverUrl, token: 'token-of-the-door' });
    await visit.statusIs('connected');
    const paragraph = (camera: string) => visit.page.locator(`[data-camera="${camera}"] p`);
    await waitFor('the refusal is shown', async () =>
      (await paragraph('yard').textContent())?.includes('forbidden'),
    );
    expect(await paragraph('door').textContent()).not.toContain('forbidden');
    expect(await visit.page.evaluate(answerTo, 'door')).toBe('served');
    expect(await visit.page.evaluate(answerTo, 'vault')).toBe('forbidden');
    await visit.errorIs('forbidden');
    const edge = await scene.edge();
    edge.batch(newStream(), alerts(1, 3, { camera: 'door' }));
    await visit.heard(3);
    edge.close();
  });
});

/** Runs in the page. */
async function answerTo(camera: string): Promise<string> {
  try {
    await window.probe.hook?.subscribeToCamera(camera);
    return 'served';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('stream requests', () => {
  test('that the hub cannot route reject with a code', async () => {
    await visit.show(viewer());
    await visit.statusIs('connected');
    const code = await visit.page.evaluate(async () => {
      try {
        await window.probe.hook?.startStream('nowhere');
        return 'resolved';
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(code).toBe('camera_unknown');
  });

  test('are answered by success and by error', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    server.on('connection', answerLikeAnEdge);
    try {
      const { port } = server.address() as AddressInfo;
      await visit.show({ serverUrl: `ws://127.0.0.1:${port}/ws`, token: 'any' });
      await visit.statusIs('connected');
      const answer = await visit.page.evaluate(() =>
        window.probe.hook?.startStream('door', { quality: 'low' }),
      );
      expect(answer).toEqual({ camera_id: 'door', quality: 'low' });
      const failure = await visit.page.evaluate(() =>
        window.probe.hook
          ?.stopStream('door')
          .catch(({ code, message, retryable }) => ({ code, message, retryable })),
      );
      expect(failure).toEqual({ code: 'busy', message: 'not now', retryable: true });
    } finally {
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });
});

/** Speaks the protocol as far as a viewer's requests need it. */
function answerLikeAnEdge(socket: WebSocket): void {
  const send = (type: string, requestId: string | undefined, data: object) =>
    socket.send(JSON.stringify({ type, timestamp: 0, request_id: requestId, data }));
  const greeting = readFileSync(
    new URL('../corpus/v2/connection_established.json', import.meta.url),
    'utf8',
  );
  const admission = readFileSync(
    new URL('../corpus/v2/identification_success.json', import.meta.url),
    'utf8',
  );
  const frameOf = (text: string) => {
    const entry = JSON.parse(text);
    const first = Array.isArray(entry) ? entry[0] : entry;
    return JSON.stringify(first.frame ?? first);
  };
  socket.send(frameOf(greeting));
  socket.on('message', (text) => {
    const frame = JSON.parse(String(text));
    const { camera_id, quality } = frame.data;
    if (frame.type === 'client_identify') socket.send(frameOf(admission));
    if (frame.type === 'stream_start_request')
      send('stream_start_success', frame.request_id, { camera_id, quality });
    if (frame.type === 'stream_stop_request')
      send('stream_stop_error', frame.request_id, {
        camera_id,
        code: 'busy',
        message: 'not now',
        retryable: true,
      });
  });
}
