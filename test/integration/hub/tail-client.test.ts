import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TailOptions, tailEvents } from '../../../src/hub/tail/tail-client.ts';
import { EDGE_TOKEN, HubScene, VIEWER_TOKEN } from './hub-scene.ts';
import { alerts, RawClient } from './raw-client.ts';

let scene: HubScene;
let stop: AbortController;

beforeEach(() => {
  scene = new HubScene();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await scene.end();
});

/** Starts reading at once, so that it is connected when this resolves. */
async function tail(url: string, options: Partial<TailOptions> = {}) {
  const states: string[] = [];
  let connected: () => void = () => undefined;
  const isConnected = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const events = tailEvents({
    url,
    token: VIEWER_TOKEN,
    signal: stop.signal,
    ...options,
    onConnection(state) {
      states.push(state);
      connected();
    },
  });
  let next = events.next();
  next.catch(() => undefined);
  await Promise.race([isConnected, next.catch(() => undefined)]);
  const take = async () => {
    const result = await next;
    if (result.done) throw new Error('ended');
    next = events.next();
    next.catch(() => undefined);
    return result.value;
  };
  return { take, states, end: () => next };
}

async function deliver(url: string, first: number, count: number, epoch: string): Promise<void> {
  const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
  edge.batch({ epoch, lane: 0 }, alerts(first, count));
  await edge.next('batch_ack');
  edge.close();
}

describe('tail', () => {
  test('shows what arrives, and ends when told', async () => {
    const { url } = await scene.start();
    const viewer = await tail(url.replace('ws:', 'http:'));
    await deliver(url, 1, 2, randomUUID());
    expect(await viewer.take()).toMatchObject({ event_id: 1, type: 'alert_triggered' });
    expect((await viewer.take()).event_id).toBe(2);
    stop.abort();
    expect(await viewer.end()).toEqual({ done: true, value: undefined });
  });

  test('starts with the past when asked', async () => {
    const { url } = await scene.start();
    await deliver(url, 1, 3, randomUUID());
    const viewer = await tail(url, { afterEventId: 1, types: ['alert_triggered'] });
    expect((await viewer.take()).event_id).toBe(2);
    expect((await viewer.take()).event_id).toBe(3);
  });

  test('goes on after the hub was restarted, with everything that came meanwhile', async () => {
    const first = await scene.start();
    const { port } = first.hub.address;
    const epoch = randomUUID();
    const viewer = await tail(first.url);
    await deliver(first.url, 1, 1, epoch);
    expect((await viewer.take()).event_id).toBe(1);
    await scene.stop(first.hub);
    const second = await scene.start({ port });
    await deliver(second.url, 2, 2, epoch);
    expect((await viewer.take()).event_id).toBe(2);
    expect((await viewer.take()).event_id).toBe(3);
    expect(viewer.states).toHaveLength(3);
  });

  test('a refused token ends it with the reason', async () => {
    const { url } = await scene.start();
    const viewer = await tail(url, { token: EDGE_TOKEN });
    await expect(viewer.take()).rejects.toMatchObject({ code: 'HUB_REFUSED' });
  });

  test('a word that is no address is refused', async () => {
    const viewer = await tail('hub.example');
    await expect(viewer.take()).rejects.toMatchObject({ code: 'HUB_URL' });
  });
});
