import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HubToken } from '../../../src/hub/door/tokens.ts';
import type { Hub } from '../../../src/hub/hub.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { parseExposition } from '../../support/prometheus-text.ts';
import { EDGE_TOKEN, HubScene, httpOf, VIEWER_TOKEN } from './hub-scene.ts';
import { alertItem, alerts, type Item, RawClient } from './raw-client.ts';

const ADMIN_TOKEN = 'admin-token';
const YARD_TOKEN = 'yard-token';
const EVENTS_TOKEN = 'events-token';
const PATIENCE = { timeout: 10_000, interval: 50 };

function token(name: string, text: string, change: Partial<HubToken> = {}): HubToken {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { name, type: 'frontend', sha256, scopes: USUAL_SCOPES, ...change };
}

const TOKENS = [
  token('edge', EDGE_TOKEN, { type: 'ai_engine' }),
  token('viewer', VIEWER_TOKEN),
  token('admin', ADMIN_TOKEN, { scopes: { ...USUAL_SCOPES, admin: true } }),
  token('yard', YARD_TOKEN, { scopes: { ...USUAL_SCOPES, cameras: ['yard'] } }),
  token('events', EVENTS_TOKEN, { scopes: { ...USUAL_SCOPES, receive: ['object_event'] } }),
];

let scene: HubScene;
let hub: Hub;
let base: string;
let url: string;

async function start(options: Parameters<HubScene['start']>[0] = {}): Promise<void> {
  ({ hub, url } = await scene.start({ tokens: TOKENS, ...options }));
  base = httpOf(url);
}

async function restart(options: Parameters<HubScene['start']>[0] = {}): Promise<void> {
  await scene.stop(hub);
  await start(options);
}

beforeEach(async () => {
  scene = new HubScene();
  await start();
});
afterEach(() => scene.end());

function get(path: string, bearer?: string, init: RequestInit = {}): Promise<Response> {
  const authorization = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  return fetch(`${base}${path}`, { ...init, headers: { ...init.headers, ...authorization } });
}

async function problem(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body = (await response.json()) as Record<string, unknown>;
  expect(body).toMatchObject({
    status: response.status,
    type: `urn:apex-edge:problem:${body.code}`,
  });
  return body;
}

/** Delivers and waits for the acknowledgement. */
async function deliver(items: Item[]): Promise<void> {
  const client = await RawClient.identified(url, { token: EDGE_TOKEN });
  client.batch({ epoch: randomUUID(), lane: 0 }, items);
  await client.next('batch_ack');
  client.close();
}

interface Page {
  events: { event_id: number; type: string; data: { camera_id: string } }[];
  next_cursor: string | null;
  has_more: boolean;
}

async function page(query: string, bearer = VIEWER_TOKEN): Promise<Page> {
  const response = await get(`/api/v1/events?${query}`, bearer);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

const idsOf = ({ events }: Page) => events.map(({ event_id }) => event_id);

describe('health', () => {
  test('is live and ready, and says no more', async () => {
    const ready = await get('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
    const live = await get('/livez');
    expect([live.status, await live.json()]).toEqual([200, { status: 'live' }]);
  });

  test('is not ready while it drains, and still lives', async () => {
    const client = await RawClient.identified(url, { token: EDGE_TOKEN });
    client.ws.pause();
    const stopped = hub.stop();
    const ready = await get('/readyz');
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'not_ready', reasons: ['draining'] },
    ]);
    expect(ready.headers.get('retry-after')).toBe('1');
    expect((await get('/livez')).status).toBe(200);
    client.close();
    await stopped;
  });
});

describe('statistics and metrics', () => {
  test.each(['/api/stats', '/metrics'])('%s is for administrators', async (path) => {
    const stranger = await get(path);
    expect(stranger.headers.get('www-authenticate')).toBe('Bearer');
    expect(await problem(stranger)).toMatchObject({ status: 401, code: 'auth_failed' });
    expect(await problem(await get(path, 'guessed'))).toMatchObject({ status: 401 });
    expect(await problem(await get(path, VIEWER_TOKEN))).toMatchObject({ code: 'forbidden' });
    expect((await get(path, ADMIN_TOKEN)).status).toBe(200);
    expect(hub.stats().authFailures).toBe(1);
  });

  test('statistics tell of every client', async () => {
    await deliver(alerts(1, 3));
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    edge.batch({ epoch: randomUUID(), lane: 0 }, alerts(1, 2));
    await edge.next('batch_ack');
    const stats = (await (await get('/api/stats', ADMIN_TOKEN)).json()) as {
      clients: Record<string, unknown>[];
    };
    expect(stats).toMatchObject({
      version: expect.any(String),
      server: { uptime_s: expect.any(Number) },
      store: { last_event_id: 5, oldest_event_id: 1, deleted_events: 0 },
      connections: { connections: 2 },
      ingest: { messages_stored: 5, quarantined: 0 },
      fan_out: { subscribers: 0 },
    });
    const time = expect.stringMatching(/^20\d\d-.*Z$/);
    await vi.waitFor(async () => {
      const now = (await (await get('/api/stats', ADMIN_TOKEN)).json()) as typeof stats;
      expect(now.clients).toEqual([
        {
          connection_id: 'c-2',
          client_id: 'edge-1',
          client_type: 'ai_engine',
          address: '127.0.0.1',
          protocol: 'current',
          connected_since: time,
          last_seen: time,
          messages: 2,
          credit: expect.any(Number),
          buffered_bytes: 0,
        },
      ]);
    });
    edge.close();
  });

  test('metrics are in the text format, with histograms of commits and acknowledgements', async () => {
    await deliver(alerts(1, 3));
    const response = await get('/metrics', ADMIN_TOKEN);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const families = parseExposition(await response.text());
    for (const name of families.keys()) expect(name).toMatch(/^apex_hub_/);
    const value = (name: string, sample = name) =>
      families.get(name)?.samples.find((one) => one.name === sample)?.value;
    expect(value('apex_hub_messages_stored_total')).toBe(3);
    expect(value('apex_hub_ack_seconds', 'apex_hub_ack_seconds_count')).toBe(1);
    expect(value('apex_hub_commit_seconds', 'apex_hub_commit_seconds_count')).toBeGreaterThan(0);
    expect(families.get('apex_hub_clients')?.samples.map(({ labels }) => labels)).toContainEqual({
      type: 'ai_engine',
    });
  });

  test('metrics are open where the configuration says so, statistics are not', async () => {
    await restart({ http: { isMetricsOpen: true } });
    expect((await get('/metrics')).status).toBe(200);
    expect((await get('/api/stats')).status).toBe(401);
  });
});

describe('history', () => {
  test('pages hold every event once, newest first, over a restart and while events come in', async () => {
    await deliver(alerts(1, 25));
    const ids: number[] = [];
    let query = 'limit=10';
    for (;;) {
      const got = await page(query);
      ids.push(...idsOf(got));
      if (got.next_cursor === null) break;
      query = `limit=10&cursor=${got.next_cursor}`;
      if (ids.length === 10) await deliver(alerts(100, 5));
      if (ids.length === 20) await restart();
    }
    expect(ids).toEqual(Array.from({ length: 25 }, (_, index) => 25 - index));
    expect(idsOf(await page('limit=5'))).toEqual([30, 29, 28, 27, 26]);
  });

  test('filters by camera, severity, type, client and time', async () => {
    await deliver([
      alertItem(1, { camera: 'gate', severity: 'low' }),
      alertItem(2, { camera: 'yard', severity: 'high' }),
      alertItem(3, { camera: 'gate', severity: 'critical' }),
    ]);
    const at = 1_767_225_590_000;
    for (const [query, ids] of [
      ['camera=gate', [3, 1]],
      ['camera=gate&camera=yard&order=oldest', [1, 2, 3]],
      ['severity=high&severity=critical', [3, 2]],
      ['severity=low&camera=yard', []],
      ['type=alert_triggered&limit=1', [3]],
      ['type=object_event', []],
      ['client=edge-1', [3, 2, 1]],
      ['client=edge-2', []],
      [`from=${at + 2}`, [3, 2]],
      [`from=${new Date(at + 2).toISOString()}&to=${at + 3}`, [2]],
      ['after_event_id=1', [2, 3]],
    ] as const)
      expect([query, idsOf(await page(query))]).toEqual([query, ids]);
  });

  test('can be followed in the order of storing', async () => {
    await deliver(alerts(1, 3));
    const first = await page('after_event_id=0&limit=2');
    expect([idsOf(first), first.has_more]).toEqual([[1, 2], true]);
    const second = await page(`cursor=${first.next_cursor}`);
    expect([idsOf(second), second.has_more]).toEqual([[3], false]);
    await deliver(alerts(1, 1));
    expect(idsOf(await page(`cursor=${second.next_cursor}`))).toEqual([4]);
  });

  test('shows a token what it may receive', async () => {
    await deliver([alertItem(1, { camera: 'gate' }), alertItem(2, { camera: 'yard' })]);
    expect(idsOf(await page('', YARD_TOKEN))).toEqual([2]);
    expect(idsOf(await page('camera=gate', YARD_TOKEN))).toEqual([]);
    expect(idsOf(await page('', EVENTS_TOKEN))).toEqual([]);
    expect(idsOf(await page('type=alert_triggered', EVENTS_TOKEN))).toEqual([]);
    const status = { timestamp: 1_767_225_590_000, status: 'running', provider: null, model: 'm' };
    const cameras = ['gate', 'yard'].map((id) => ({ camera_id: id, state: 'streaming', fps: 5 }));
    await deliver([{ ...alertItem(1), type: 'ai_engine_status', data: { ...status, cameras } }]);
    const own = { ...status, cameras: [cameras[1]] };
    const { events } = await page('type=ai_engine_status', YARD_TOKEN);
    expect(events.map(({ data }) => data)).toEqual([own]);
    const single = await get('/api/v1/events/3', YARD_TOKEN);
    expect(await single.json()).toMatchObject({ data: own });
    expect((await get('/api/v1/events/2', YARD_TOKEN)).status).toBe(200);
    expect((await get('/api/v1/events/1', YARD_TOKEN)).status).toBe(404);
    expect(await problem(await get('/api/v1/events', EDGE_TOKEN))).toMatchObject({
      code: 'forbidden',
    });
    expect(await problem(await get('/api/v1/events'))).toMatchObject({ code: 'auth_failed' });
  });

  test('is kept for clients of one token in so many pages only, until they read them', async () => {
    await deliver(alerts(1, 3, { padding: 300_000 }));
    const idle: Socket[] = [];
    const head = `GET /api/v1/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${VIEWER_TOKEN}\r\n\r\n`;
    await vi.waitFor(async () => {
      // Asks eight times and reads nothing. The buffers of a connection may take most of it.
      const socket = connect(hub.address.port, '127.0.0.1');
      idle.push(socket);
      socket.write(head.repeat(8));
      const { detail } = await problem(await get('/api/v1/events', VIEWER_TOKEN));
      expect(detail).toContain('not read yet');
    }, PATIENCE);
    expect((await get('/api/v1/events', YARD_TOKEN)).status).toBe(200);
    for (const socket of idle) socket.destroy();
    const again = async () => (await get('/api/v1/events', VIEWER_TOKEN)).status;
    await vi.waitFor(async () => expect(await again()).toBe(200), PATIENCE);
  });

  test('is asked for by one token so often only; other tokens get their turn', async () => {
    await deliver(alerts(1, 3, { padding: 300_000 }));
    const many = await Promise.all(
      Array.from({ length: 40 }, () => get('/api/v1/events', VIEWER_TOKEN)),
    );
    const sentAway = many.find(({ status }) => status === 429);
    expect(many.some(({ status }) => status === 200)).toBe(true);
    expect(sentAway?.headers.get('retry-after')).toBe('1');
    expect(await problem(sentAway!)).toMatchObject({ code: 'too_many_queries' });
    expect((await get('/api/v1/events', YARD_TOKEN)).status).toBe(200);
  });

  test('one event comes as subscribers get it', async () => {
    await deliver(alerts(1, 1));
    const viewer = await RawClient.identified(url, {
      token: VIEWER_TOKEN,
      type: 'frontend',
      clientId: 'v',
    });
    viewer.send('subscribe', { types: ['*'], after_event_id: 0 });
    const broadcast = await viewer.next('alert_triggered');
    viewer.close();
    const response = await get('/api/v1/events/1', VIEWER_TOKEN);
    expect(await response.json()).toEqual(broadcast);
    expect(await problem(await get('/api/v1/events/2', VIEWER_TOKEN))).toMatchObject({
      status: 404,
    });
  });

  test.each([
    ['limit=501', 'limit'],
    ['limit=0', 'limit'],
    ['camra=gate', 'camra'],
    ['from=yesterday', 'from'],
    ['order=up', 'order'],
    ['cursor=xyz', 'cursor'],
    ['after_event_id=-1', 'after_event_id'],
    ['after_event_id=1&order=newest', 'order'],
  ])('%s is refused, naming %s', async (query, name) => {
    const refused = await problem(await get(`/api/v1/events?${query}`, VIEWER_TOKEN));
    expect(refused).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(refused.detail).toContain(name);
  });
});

describe('every answer', () => {
  test('has headers that keep it out of caches and frames', async () => {
    for (const path of ['/api/health', '/nothing', '/api/v1/events']) {
      const { headers } = await get(path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  test('what is not there is a problem, so is a method that is not, with and without a body', async () => {
    expect(await problem(await get('/nothing'))).toMatchObject({ status: 404 });
    expect(await problem(await get('/'))).toMatchObject({ status: 404 });
    for (const path of ['/api/health', '/api/v1/events', '/api/v1/events/1', '/metrics']) {
      const response = await get(path, undefined, { method: 'POST', body: 'x'.repeat(5000) });
      expect(response.headers.get('allow')).toBe('GET, HEAD');
      expect(await problem(response)).toMatchObject({ status: 405, code: 'method_not_allowed' });
    }
    const nowhere = await get('/nothing', undefined, { method: 'POST', body: '{}' });
    expect(await problem(nowhere)).toMatchObject({ status: 404 });
    expect((await get('/api/health', undefined, { method: 'HEAD' })).status).toBe(200);
  });

  test('addresses that make no sense are bad requests', async () => {
    for (const [path, code] of [
      ['/api/v1/events/%ff', 'invalid_request'],
      ['/api/v1/events/one', 'invalid_request'],
      ['/%', 'invalid_request'],
      [`/api/v1/events/${'9'.repeat(400)}`, 'too_large'],
    ] as const) {
      const response = await get(path, VIEWER_TOKEN);
      expect(response.headers.get('cache-control')).toBe('no-store');
      const body = await problem(response);
      expect(body.code).toBe(code);
      const known = ['type', 'title', 'status', 'code', 'detail'];
      expect(Object.keys(body).filter((key) => !known.includes(key))).toEqual([]);
    }
  });

  test('what is no HTTP is refused and closed', async () => {
    const socket = connect(hub.address.port, '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    const [data] = await once(socket, 'data');
    expect(String(data)).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();
  });
});

describe('pages of other origins', () => {
  const ORIGIN = 'https://console.example.org';
  const preflight = (origin: string) =>
    get('/api/v1/events', undefined, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'GET' },
    });

  test('may ask where they are listed', async () => {
    await restart({ allowedOrigins: [ORIGIN] });
    const asked = await preflight(ORIGIN);
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(asked.headers.get('access-control-allow-headers')).toBe('Authorization');
    const answered = await get('/api/health', undefined, { headers: { Origin: ORIGIN } });
    expect(answered.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answered.headers.get('vary')).toBe('Origin');
    expect(await problem(await preflight('https://other.example.org'))).toMatchObject({
      code: 'origin_not_allowed',
    });
  });

  test('may not by default', async () => {
    expect((await preflight(ORIGIN)).status).toBe(403);
    const answered = await get('/api/health', undefined, { headers: { Origin: ORIGIN } });
    expect(answered.headers.get('access-control-allow-origin')).toBeNull();
  });
});
