import { createHash, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HubToken } from '../../../src/hub/door/tokens.ts';
import { PACING } from '../../../src/hub/fan-out/subscriber.ts';
import { type Scopes, USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { EDGE_TOKEN, HubScene, VIEWER_TOKEN } from './hub-scene.ts';
import { alertItem, alerts, RawClient } from './raw-client.ts';

const GATE_TOKEN = 'token-of-the-gate';
const SLOW_ONES = 20;

const tokenOf = (name: string, type: HubToken['type'], token: string, scopes: Partial<Scopes>) => ({
  name,
  type,
  sha256: createHash('sha256').update(token).digest('hex'),
  scopes: { ...USUAL_SCOPES, ...scopes },
});
const TOKENS: HubToken[] = [
  tokenOf('edge', 'ai_engine', EDGE_TOKEN, {}),
  tokenOf('viewer', 'frontend', VIEWER_TOKEN, {}),
  tokenOf('gate', 'frontend', GATE_TOKEN, {
    cameras: ['gate'],
    receive: ['alert_triggered', 'ai_engine_status'],
  }),
];

let scene: HubScene;
let stream: { epoch: string; lane: number };

beforeEach(() => {
  scene = new HubScene();
  stream = { epoch: randomUUID(), lane: 0 };
});
afterEach(() => scene.end());

const idsOf = (viewer: RawClient) =>
  viewer.frames.flatMap((frame) => (frame.event_id === undefined ? [] : [frame.event_id]));

async function subscribed(url: string, token: string, subscription: object) {
  const identity = { token, type: 'frontend', clientId: randomUUID() } as const;
  const viewer = await RawClient.identified(url, identity);
  viewer.send('subscribe', subscription);
  const { data } = await viewer.next('subscription_success');
  return { viewer, inForce: data };
}

async function deliver(edge: RawClient, items: object[]): Promise<void> {
  edge.batch(stream, items as never);
  await edge.next('batch_ack');
}

describe('a subscription', () => {
  test('to severities gets those, and what has none, live as from the table', async () => {
    const { url } = await scene.start();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    const wanted = { types: ['*'], severities: ['high', 'critical'] };
    const { viewer: live, inForce } = await subscribed(url, VIEWER_TOKEN, wanted);
    expect(inForce).toEqual({
      types: ['*'],
      cameras: ['*'],
      severities: ['high', 'critical'],
      last_event_id: 0,
      oldest_event_id: 1,
    });
    await deliver(edge, [
      alertItem(1, { severity: 'low' }),
      alertItem(2, { severity: 'high' }),
      { ...alertItem(3), type: 'smoke_detected', data: { camera_id: 'gate', level: 3 } },
      alertItem(4, { severity: 'critical' }),
    ]);
    await vi.waitFor(() => expect(idsOf(live)).toEqual([2, 3, 4]));
    const { viewer: late } = await subscribed(url, VIEWER_TOKEN, { ...wanted, after_event_id: 2 });
    await vi.waitFor(() => expect(idsOf(late)).toEqual([3, 4]));
    for (const client of [edge, live, late]) client.close();
  });

  test('never shows what the token is not for, live or from the table', async () => {
    const { url } = await scene.start({ tokens: TOKENS });
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    const { viewer: live, inForce } = await subscribed(url, GATE_TOKEN, {
      types: ['*'],
      cameras: ['*'],
    });
    expect(inForce).toMatchObject({
      types: ['alert_triggered', 'ai_engine_status'],
      cameras: ['gate'],
    });
    const all = { types: ['*'], after_event_id: 0 };
    await deliver(edge, [
      alertItem(1, { camera: 'dock' }),
      alertItem(2),
      { ...alertItem(3), type: 'smoke_detected' },
      alertItem(4),
    ]);
    await vi.waitFor(() => expect(idsOf(live)).toEqual([2, 4]));
    const { viewer: late } = await subscribed(url, GATE_TOKEN, all);
    live.send('subscribe', { ...all, cameras: ['gate', 'dock'] });
    expect((await live.next('error')).data.code).toBe('forbidden');
    await deliver(edge, [alertItem(5)]);
    await vi.waitFor(() => expect(idsOf(late)).toEqual([2, 4, 5]));
    expect(idsOf(live)).toEqual([2, 4, 5]);
    for (const client of [edge, live, late]) client.close();
  });
});

test('many slow subscribers together cost little memory, hold nobody up, and miss nothing', async () => {
  const { hub, url } = await scene.start();
  const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
  const { viewer: quick } = await subscribed(url, VIEWER_TOKEN, { types: ['*'] });
  const slow = await Promise.all(
    Array.from({ length: SLOW_ONES }, () => subscribed(url, VIEWER_TOKEN, { types: ['*'] })),
  );
  for (const { viewer } of slow) viewer.ws.pause();
  const [count, size] = [320, 64 * 1024];
  let mostBuffered = 0;
  for (let seq = 1; seq <= count; seq += 4) {
    await deliver(edge, alerts(seq, 4, { padding: size }));
    mostBuffered = Math.max(mostBuffered, hub.stats().bufferedBytes);
  }
  await vi.waitFor(() => expect(idsOf(quick)).toHaveLength(count), { timeout: 20_000 });
  expect(mostBuffered).toBeLessThan((SLOW_ONES + 1) * (PACING.liveBytes + 5 * size));
  for (const { viewer } of slow) viewer.ws.resume();
  const all = Array.from({ length: count }, (_, index) => index + 1);
  await vi.waitFor(
    () => slow.forEach(({ viewer }) => void expect(idsOf(viewer).at(-1)).toBe(count)),
    {
      timeout: 40_000,
    },
  );
  for (const { viewer } of slow) expect(idsOf(viewer)).toEqual(all);
  expect(hub.stats().subscribersClosed).toBe(0);
  for (const client of [edge, quick, ...slow.map(({ viewer }) => viewer)]) client.close();
}, 120_000);
