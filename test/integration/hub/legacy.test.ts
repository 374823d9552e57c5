import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';
import { type Clock, systemClock } from '../../../src/system/clock.ts';
import { EDGE_TOKEN, HubScene, VIEWER_TOKEN } from './hub-scene.ts';
import { alerts, type Frame, RawClient } from './raw-client.ts';

interface Step {
  note?: string;
  send?: string;
  expect?: unknown;
}

const SESSION = readFileSync(
  new URL('../../fixtures/legacy-session.jsonl', import.meta.url),
  'utf8',
)
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Step);

let scene: HubScene;

beforeEach(() => {
  scene = new HubScene();
});
afterEach(() => scene.end());

/** Says what a client of the original protocol says, and nothing else. */
function say(client: RawClient, type: string, data: unknown, requestId?: string): void {
  const head = { type, data, timestamp: Date.now() / 1000 };
  client.ws.send(JSON.stringify({ ...head, ...(requestId && { request_id: requestId }) }));
}

async function legacy(url: string, data: Record<string, unknown> = {}): Promise<RawClient> {
  const client = await RawClient.connect(url);
  const identity = { client_type: 'ai_engine', auth_token: EDGE_TOKEN, capabilities: [] };
  say(client, 'client_identify', { ...identity, ...data }, 'i');
  await client.next('identification_success');
  return client;
}

const asViewer = { client_type: 'frontend', auth_token: VIEWER_TOKEN };
const detection = (n: number) => ({ camera_id: 'gate', detections: [], frame_id: n });

/** Seconds of now, which no milliseconds can be taken for. */
function isNow(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value - Date.now() / 1000) < 60;
}

function withoutTimes(frame: unknown): unknown {
  return JSON.parse(JSON.stringify(frame), (_key, value) => (isNow(value) ? '<time>' : value));
}

async function replay(client: RawClient): Promise<void> {
  let answer = client.frames.length;
  for (const step of SESSION) {
    if (step.send !== undefined) client.ws.send(step.send);
    if (step.expect === undefined) continue;
    await vi.waitFor(() => expect(client.frames.length).toBeGreaterThan(answer));
    expect(withoutTimes(client.frames[answer])).toEqual(step.expect);
    answer++;
  }
}

describe('a recorded session of the original protocol', () => {
  test('is answered as it was, stored once, and shown to viewers of both protocols', async () => {
    const { hub, url } = await scene.start();
    const viewer = await RawClient.identified(url, { token: VIEWER_TOKEN, type: 'frontend' });
    viewer.send('subscribe', { types: ['*'] });
    await viewer.next('subscription_success');
    const old = await legacy(url, asViewer);
    const engine = await RawClient.connect(url);
    await engine.next('connection_established');
    await replay(engine);
    await viewer.next('face_detection_result');
    expect(hub.stats()).toMatchObject({ messagesStored: 4, duplicates: 1, legacyClients: 2 });
    const shown = viewer.frames.filter(({ event_id: id }) => id !== undefined);
    expect(shown).toMatchObject([
      {
        timestamp: 1_767_225_601_250,
        client_id: 'edge',
        schema_version: 1,
        data: {
          timestamp: 1_767_225_601_250,
          detections: [
            {
              type: 'person',
              confidence: 0.91,
              bounding_box: { x: 0.1, y: 0.2, width: 0.3, height: 0.4 },
            },
          ],
        },
      },
      { data: { timestamp: 1_767_225_601.5, detections: [{ bbox: [120, 80, 64, 128] }] } },
      { type: 'alert_triggered', data: { severity: 'high', timestamp: 1_767_225_602_000 } },
      { type: 'face_detection_result' },
    ]);
    expect(shown[1]).not.toHaveProperty('schema_version');
    await old.next('face_detection_result');
    expect(old.frames.slice(-4)).toMatchObject([
      { timestamp: 1_767_225_601.25, data: { timestamp: 1_767_225_601.25 } },
      { data: { timestamp: 1_767_225_601.5, detections: [{ bbox: [120, 80, 64, 128] }] } },
      { type: 'alert_triggered', timestamp: 1_767_225_602 },
      { type: 'face_detection_result', data: { timestamp: 1_767_225_603 } },
    ]);
    // The clock of the recording is far off by now, and its heartbeat said so.
    expect(hub.stats().clockSuspects).toBe(4);
    for (const client of [viewer, old, engine]) client.close();
    await scene.stop(hub);
    expect(scene.events().map(({ seq, status }) => [seq, status])).toEqual([
      [null, 0],
      [null, 2],
      [null, 0],
      [null, 0],
    ]);
  });
});

describe('a client of the original protocol', () => {
  test('is refused with a bad token, in its own words', async () => {
    const { url } = await scene.start();
    const client = await RawClient.connect(url);
    say(client, 'client_identify', { client_type: 'ai_engine', auth_token: 'guess' }, 'i');
    const refusal = await client.next('error');
    expect(refusal).toMatchObject({ request_id: 'i', data: { code: 'auth_failed' } });
    expect(isNow((refusal as Frame & { timestamp: number }).timestamp)).toBe(true);
    expect(await client.closed).toBe(4401);
  });

  test('may send before it is welcomed, and share its token with others', async () => {
    const { hub, url } = await scene.start();
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(url)));
    for (const [index, client] of clients.entries()) {
      say(client, 'client_identify', { client_type: 'ai_engine', auth_token: EDGE_TOKEN });
      for (let n = 0; n < 5; n++) say(client, 'ai_detection_result', detection(10 * index + n));
    }
    await vi.waitFor(() => expect(hub.stats().messagesStored).toBe(15));
    expect(hub.stats()).toMatchObject({ superseded: 0, legacyClients: 3 });
    expect(clients.every(({ frames }) => frames.every(({ type }) => type !== 'batch_ack'))).toBe(
      true,
    );
    for (const client of clients) client.close();
    await vi.waitFor(() => expect(hub.stats().legacyClients).toBe(0));
  });

  test('leaves the session of the same edge in the present protocol alone', async () => {
    const { hub, url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN, clientId: 'edge' });
    const old = await legacy(url);
    const stream = { epoch: '01980000-0000-7000-8000-000000000001', lane: 0 };
    edge.batch(stream, alerts(1, 1));
    await edge.next('batch_ack');
    edge.close();
    await edge.closed;
    old.close();
    const streams = [{ ...stream, first_seq: 1, next_seq: 2 }];
    const again = await RawClient.identified(url, {
      token: EDGE_TOKEN,
      clientId: 'edge',
      sessionToken: edge.sessionToken,
      streams,
    });
    expect(hub.stats().epochForks).toBe(0);
    again.close();
  });

  test('that sends too much is not read from, and neither closed nor robbed', async () => {
    const limits = { ...DEFAULT_HUB_LIMITS, messagesPerS: 1000, burstMessages: 100 };
    const { hub, url } = await scene.start({ limits });
    const client = await legacy(url);
    for (let n = 0; n < 3000; n++) say(client, 'ai_detection_result', detection(n), `r-${n}`);
    await vi.waitFor(() => expect(hub.stats().throttledClients).toBe(1));
    await vi.waitFor(() => expect(hub.stats().messagesStored).toBe(3000), { timeout: 20_000 });
    expect(hub.stats()).toMatchObject({ flowViolations: 0, uncommittedBytes: 0, legacyClients: 1 });
    client.close();
  });

  test('stays as long as it answers pings, and is dropped when it does not', async () => {
    const clock: Clock = {
      ...systemClock,
      setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / 50),
    };
    const { hub, url } = await scene.start({ clock });
    const alive = await legacy(url);
    const gone = new WebSocket(url, { autoPong: false });
    await once(gone, 'message');
    const identity = { client_type: 'frontend', auth_token: VIEWER_TOKEN };
    gone.send(JSON.stringify({ type: 'client_identify', data: identity }));
    let pings = 0;
    alive.ws.on('ping', () => pings++);
    await once(gone, 'close');
    await vi.waitFor(() => expect(pings).toBeGreaterThan(8), { timeout: 20_000 });
    expect(hub.stats()).toMatchObject({ silentDropped: 1, legacyClients: 1 });
    alive.close();
  });

  test('that watches gets what happens now in seconds, not what waited', async () => {
    const { url } = await scene.start();
    const old = await legacy(url, asViewer);
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    const stream = { epoch: '01980000-0000-7000-8000-000000000001', lane: 0 };
    edge.batch(stream, alerts(1, 1, { replayed: true }));
    edge.batch(stream, alerts(2, 1));
    const frame = await old.next('alert_triggered');
    expect(frame).toMatchObject({ timestamp: 1_767_225_590.002, data: { data: { seq: 2 } } });
    expect(frame).not.toHaveProperty('event_id');
    say(old, 'ai_detection_result', detection(1), 'r-1');
    expect(await old.next('error')).toMatchObject({
      request_id: 'r-1',
      data: { code: 'forbidden' },
    });
    edge.close();
    old.close();
  });

  test('is closed with 1012 when the hub ends, after what it sent is stored', async () => {
    const { hub, url } = await scene.start();
    const client = await legacy(url);
    for (let n = 0; n < 50; n++) say(client, 'ai_detection_result', detection(n));
    await vi.waitFor(() => expect(hub.stats().framesIn).toBe(51));
    await scene.stop(hub);
    expect(await client.closed).toBe(1012);
    expect(scene.events()).toHaveLength(50);
  });
});
