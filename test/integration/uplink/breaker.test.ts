import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/program.ts';
import { fastClock } from './fast-clock.ts';
import { OddHub } from './odd-hub.ts';
import { alert, detection, UplinkScene } from './uplink-scene.ts';

let hub: OddHub;
let scene: UplinkScene;
let token: string;

beforeEach(async () => {
  hub = await OddHub.start();
  scene = new UplinkScene('breaker');
  await scene.open();
  token = 'old-token';
});

afterEach(async () => {
  await scene.end();
  hub.end();
});

function start() {
  const uplink = scene.uplink(hub.url, { clock: fastClock, token: () => token });
  uplink.start();
  return uplink;
}

const emptied = () => waitFor('an empty queue', async () => (await scene.depth()) === 0);

/** Admits one token only. */
function admit(wanted: string): void {
  hub.onIdentify = (frame, peer) => {
    if (frame.data.auth.token === wanted) return hub.welcome(frame, peer);
    const error = { code: 'auth_failed', message: 'unknown token', retryable: false };
    peer.send('error', error, frame.request_id);
    peer.close(4401);
  };
}

describe('breaker of the uplink', () => {
  test('three refused tokens open it; messages are still queued, and a new token is tried by itself', async () => {
    admit('new-token');
    const uplink = start();
    await waitFor('an open breaker', () => uplink.status.breaker.state === 'open');
    expect(hub.identified).toHaveLength(3);
    expect(uplink.status.breaker).toMatchObject({ reason: 'UPLINK_AUTH_FAILED' });
    expect(uplink.status.breaker.retryInMs).toBeGreaterThan(0);
    await scene.store.enqueue([alert(1)]);
    // Two more tries, to be sure that waiting for the next one would take long.
    await waitFor('two more tries', () => hub.identified.length === 5);
    token = 'new-token';
    await emptied();
    expect(uplink.status.breaker).toEqual({ state: 'closed', reason: null, retryInMs: null });
    expect(scene.log.lines.join('\n')).not.toMatch(/old-token|new-token/);
  });

  test('attempts on a hub that refuses are 5 s apart and more', async () => {
    admit('another');
    const times: number[] = [];
    const uplink = start();
    uplink.onStatus(({ state }) => {
      if (state === 'connecting') times.push(fastClock.monotonicMs());
    });
    await waitFor('seven tries', () => hub.identified.length === 7);
    const gaps = times.slice(3).map((time, index) => time - (times[index + 2] ?? 0));
    expect(gaps.length).toBeGreaterThanOrEqual(3);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(5000);
  });

  test('half open, it sends one batch of at most eight, alerts first, and goes on after the acknowledgement', async () => {
    admit('another');
    await scene.store.enqueue(Array.from({ length: 100 }, (_, n) => detection(n)));
    await scene.store.enqueue(Array.from({ length: 20 }, (_, n) => alert(n)));
    const uplink = start();
    await waitFor('an open breaker', () => uplink.status.breaker.state === 'open');
    let held: (() => void) | null = null;
    hub.onBatch = (batch, peer) => {
      if (held === null) held = () => peer.ack(batch);
      else peer.ack(batch);
    };
    hub.onIdentify = null;
    await waitFor('the probe', () => hub.batches.length > 0 && uplink.status.inFlight > 0);
    expect(uplink.status.breaker.state).toBe('half_open');
    await waitFor('an answered heartbeat', () => uplink.status.clock !== null);
    expect(hub.batches.map(({ data }) => [data.lane, data.items.length])).toEqual([[0, 8]]);
    (held as (() => void) | null)?.();
    await emptied();
    expect(uplink.status.breaker.state).toBe('closed');
  });

  test('sessions that the hub accepts and closes before it acknowledges open it after five', async () => {
    hub.onBatch = (_, peer) => peer.close(1011);
    await scene.store.enqueue([alert(1)]);
    const uplink = start();
    await waitFor('an open breaker', () => uplink.status.breaker.state === 'open');
    expect(hub.identified).toHaveLength(5);
    expect(uplink.status.breaker.reason).toBe('UPLINK_REFUSED');
    hub.onBatch = (batch, peer) => peer.ack(batch);
    await emptied();
  });

  test('a flapping link with nothing to send does not', async () => {
    hub.onIdentify = (frame, peer) => {
      hub.welcome(frame, peer);
      if (hub.identified.length <= 20) peer.close(1011);
    };
    const uplink = start();
    await waitFor('twenty sessions', () => hub.identified.length > 20);
    expect(uplink.status.breaker.state).toBe('closed');
  });

  test('a flapping link with messages on their way does not either', async () => {
    hub.onBatch = (batch, peer, connection) =>
      connection <= 20 ? peer.terminate() : peer.ack(batch);
    await scene.store.enqueue([alert(1)]);
    const uplink = start();
    await emptied();
    expect(uplink.status.breaker.state).toBe('closed');
    expect((await scene.store.queue()).deadLetters).toBe(0);
  });
});
