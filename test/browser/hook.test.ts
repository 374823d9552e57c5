import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { HubUnderTest } from '../faults/support/hub.ts';
import { alerts, RawClient } from '../integration/hub/raw-client.ts';
import { freePort, temporaryFolder, waitFor } from '../support/program.ts';
import { launchBrowser, PageServer } from './browser.ts';
import type { Probe } from './page/probe.ts';

declare const window: { probe: Probe };

let browser: Browser;
let pages: PageServer;
let hub: HubUnderTest;
let page: Page;
/** Every WebSocket that the page ever opened. */
let sockets: string[];
let pageErrors: string[];

beforeAll(async () => {
  [browser, pages] = await Promise.all([launchBrowser(), PageServer.start()]);
});
afterAll(async () => {
  await browser?.close();
  pages?.close();
});

beforeEach(async () => {
  const dir = temporaryFolder('browser-hub');
  hub = new HubUnderTest({
    dir,
    edges: ['edge-1'],
    port: await freePort(),
    allowedOrigins: [pages.origin],
  });
  await hub.open();
  page = await browser.newPage();
  sockets = [];
  pageErrors = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  page.on('pageerror', (error) => pageErrors.push(String(error)));
});
afterEach(async () => {
  await page.close();
  await hub.stop();
  expect(pageErrors).toEqual([]);
});

const serverUrl = () => `http://127.0.0.1:${hub.port}`;

async function show(config: { serverUrl: string; token: string }): Promise<void> {
  await page.goto(`${pages.origin}/#${encodeURIComponent(JSON.stringify(config))}`);
}

const showHub = (token = hub.viewerToken) => show({ serverUrl: serverUrl(), token });
const statusIs = (status: string) =>
  waitFor(`status ${status}`, () =>
    page.evaluate((wanted) => window.probe.hook?.status === wanted, status),
  );
const events = () => page.evaluate(() => window.probe.events);

async function connectedClients(): Promise<number> {
  const response = await fetch(`${serverUrl()}/api/health`);
  const health = (await response.json()) as { websocket: { connected_clients: number } };
  return health.websocket.connected_clients;
}

/** Subscribed once the hub answered: what is delivered after this reaches the page. */
async function subscribed(): Promise<void> {
  await waitFor('the page is subscribed', () =>
    page.evaluate(() => window.probe.subscriptions > 0),
  );
}

describe('the hook in a browser', () => {
  test('components under StrictMode share one connection, which goes with them', async () => {
    await showHub();
    await statusIs('connected');
    await subscribed();
    expect(sockets).toEqual([`ws://127.0.0.1:${hub.port}/ws`]);
    expect(await connectedClients()).toBe(1);
    await page.evaluate(() => window.probe.setComponents(false));
    await waitFor('the connection ends', async () => (await connectedClients()) === 0);
    await page.evaluate(() => window.probe.setComponents(true));
    await statusIs('connected');
    expect(sockets).toHaveLength(2);
  });

  test('events of an edge reach the handlers, and none is missing or double after the hub was killed', async () => {
    const stream = { epoch: randomUUID(), lane: 0 };
    await showHub();
    await subscribed();
    let edge = await RawClient.identified(hub.url, { token: hub.tokenOf('edge-1') });
    const { sessionToken } = edge;
    edge.batch(stream, [...alerts(1, 5, { camera: 'door' }), ...alerts(6, 5, { camera: 'yard' })]);
    edge.batch(stream, alerts(11, 5, { camera: 'elsewhere' }));
    await waitFor('ten events', async () => (await events()).length >= 10);
    await waitFor('they are shown', async () => (await page.locator('li').count()) === 10);

    await hub.kill();
    await statusIs('reconnecting');
    await hub.open();
    edge = await RawClient.identified(hub.url, {
      token: hub.tokenOf('edge-1'),
      sessionToken,
      streams: [{ ...stream, first_seq: 16, next_seq: 16 }],
    });
    edge.batch(stream, alerts(16, 40, { camera: 'yard' }));
    await waitFor('fifty events', async () => (await events()).length >= 50);
    const ids = [
      ...Array.from({ length: 10 }, (_, at) => 1 + at),
      ...Array.from({ length: 40 }, (_, at) => 16 + at),
    ];
    expect(await events()).toEqual(ids);
    expect(await page.locator('[data-camera="yard"] li').count()).toBe(45);
    expect(await connectedClients()).toBe(2);
    await waitFor('a latency', () =>
      page.evaluate(() => (window.probe.hook?.stats.latency ?? 0) > 0),
    );
    edge.close();
  });

  test('a burst of messages does not render with each of them', async () => {
    const stream = { epoch: randomUUID(), lane: 0 };
    await showHub();
    await subscribed();
    const before = await page.evaluate(() => window.probe.renders);
    const edge = await RawClient.identified(hub.url, { token: hub.tokenOf('edge-1') });
    edge.batch(stream, alerts(1, 400, { camera: 'door' }));
    await waitFor('all events', async () => (await events()).length === 400);
    const after = await page.evaluate(() => window.probe.renders);
    // Two renders a snapshot under StrictMode, at most four snapshots a second: a hundred are 12 s.
    expect(after - before).toBeLessThan(100);
    edge.close();
  });

  test('a wrong token is an error with its code, and the page waits', async () => {
    await showHub('wrong');
    await statusIs('error');
    expect(await page.evaluate(() => window.probe.hook?.error?.code)).toBe('auth_failed');
    expect(page.url() + sockets.join()).not.toContain('token=');
    // The network coming back is no reason to try again; connect() is.
    await page.evaluate("dispatchEvent(new Event('online'))");
    await page.evaluate(() => window.probe.hook?.connect());
    await waitFor('a second socket', () => sockets.length === 2);
    await statusIs('error');
    expect(sockets).toHaveLength(2);
    expect(await connectedClients()).toBe(0);
  });

  test('leaving the page leaves no connection, and coming back makes one', async () => {
    await showHub();
    await subscribed();
    expect(await connectedClients()).toBe(1);
    await page.goto('about:blank');
    await waitFor('no connection', async () => (await connectedClients()) === 0);
    await page.goBack();
    await statusIs('connected');
    expect(await connectedClients()).toBe(1);
  });

  test('a request that the hub cannot route rejects with a code', async () => {
    await showHub();
    await statusIs('connected');
    const code = await page.evaluate(async () => {
      try {
        await window.probe.hook?.startStream('nowhere');
        return 'resolved';
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(code).toBe('camera_unknown');
  });
});

describe('stream requests, answered', () => {
  test('by success and by error', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    server.on('connection', answerLikeAnEdge);
    try {
      const { port } = server.address() as AddressInfo;
      await show({ serverUrl: `ws://127.0.0.1:${port}/ws`, token: 'any' });
      await statusIs('connected');
      const answer = await page.evaluate(() =>
        window.probe.hook?.startStream('door', { quality: 'low' }),
      );
      expect(answer).toEqual({ camera_id: 'door', quality: 'low' });
      const failure = await page.evaluate(() =>
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
