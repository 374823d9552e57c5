import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { packageVersion } from '../../../src/system/package-info.ts';
import { waitFor } from '../../support/program.ts';
import { fastClock } from './fast-clock.ts';
import { LegacyHub } from './legacy-hub.ts';
import { alert, detection, UplinkScene } from './uplink-scene.ts';

let hub: LegacyHub;
let scene: UplinkScene;

beforeEach(async () => {
  hub = await LegacyHub.start();
  scene = new UplinkScene('legacy');
  await scene.open();
});

afterEach(async () => {
  await scene.end();
  hub.end();
});

const emptied = () => waitFor('an empty queue', async () => (await scene.depth()) === 0);
const numbersOf = (type: string) =>
  hub.of(type).map(({ data }) => data.frame_id ?? (data.data as { n: number }).n);

function engineStatus() {
  const at = { wallMs: systemClock.wallMs(), monoMs: systemClock.monotonicMs() };
  const data = {
    timestamp: at.wallMs,
    status: 'running' as const,
    provider: null,
    model: 'm',
    cameras: [],
  };
  return { type: 'ai_engine_status' as const, cameraId: null, data, ...at };
}

describe('uplink to a hub of the original protocol', () => {
  test('messages arrive in its own form, in order, and leave the queue', async () => {
    await scene.store.enqueue([alert(1), alert(2)]);
    const uplink = scene.uplink(hub.url);
    uplink.start();
    for (let n = 1; n <= 200; n++) await scene.store.enqueue([detection(n)]);
    await emptied();
    const [identify] = hub.of('client_identify');
    expect(identify?.data).toEqual({
      client_type: 'ai_engine',
      auth_token: 'edge-token',
      client_id: 'edge-1',
      capabilities: ['object_detection', 'alerts'],
      version: packageVersion(),
    });
    expect(numbersOf('alert_triggered')).toEqual([1, 2]);
    expect(numbersOf('ai_detection_result')).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
    const [first] = hub.of('alert_triggered');
    expect(first).toMatchObject({
      timestamp: expect.closeTo(Date.now() / 1000, -2),
      data: { camera_id: 'cam-1', severity: 'high', type: 'intrusion', data: { n: 1 } },
    });
    expect(first?.data.timestamp).toBeCloseTo(Date.now() / 1000, -2);
    expect(uplink.status).toMatchObject({ deliveryLevel: 'process', withheld: 0, clock: null });
    const known = ['client_identify', 'heartbeat', 'alert_triggered', 'ai_detection_result'];
    expect(hub.frames.filter(({ type }) => !known.includes(type))).toEqual([]);
    const told = scene.log.lines.filter((line) => line.includes('original protocol'));
    expect(told).toHaveLength(1);
    expect(hub.connections).toBe(1);
  });

  test('what it took is not sent to it again', async () => {
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await scene.store.enqueue([alert(1), alert(2)]);
    await emptied();
    hub.cut();
    await waitFor('the second connection', () => hub.of('client_identify').length === 2);
    await scene.store.enqueue([alert(3)]);
    await emptied();
    expect(numbersOf('alert_triggered')).toEqual([1, 2, 3]);
    expect(uplink.status.withheld).toBe(0);
  });

  test('what it does not know is withheld, counted and told once, and the lane goes on', async () => {
    const uplink = scene.uplink(hub.url);
    uplink.start();
    for (let n = 1; n <= 3; n++) {
      await scene.store.enqueue([engineStatus(), alert(n)]);
      await emptied();
    }
    expect(uplink.status.withheld).toBe(3);
    expect(hub.of('ai_engine_status')).toEqual([]);
    expect(numbersOf('alert_triggered')).toEqual([1, 2, 3]);
    expect(scene.log.lines.filter((line) => line.includes('withheld'))).toHaveLength(1);
  });

  test('a server that answers without ids is matched by order', async () => {
    hub.echoes = false;
    scene.uplink(hub.url).start();
    for (let n = 1; n <= 300; n++) await scene.store.enqueue([detection(n)]);
    await emptied();
    expect(numbersOf('ai_detection_result')).toHaveLength(300);
  });

  test('without an answer everything is sent again, and nothing counts as delivered before', async () => {
    hub.answersHeartbeats = false;
    await scene.store.enqueue([alert(1), alert(2)]);
    const uplink = scene.uplink(hub.url, { clock: fastClock });
    uplink.start();
    await waitFor('the second connection', () => hub.connections >= 2);
    expect(await scene.depth()).toBe(2);
    hub.answersHeartbeats = true;
    await emptied();
    const ids = hub.of('alert_triggered').map(({ request_id: id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(ids.length).toBeGreaterThanOrEqual(4);
  });

  test('more is never on its way than the window allows', async () => {
    let unanswered = 0;
    let held = 0;
    let most = 0;
    hub.onMessage = ({ type, request_id: id }, ws) => {
      if (type === 'ai_detection_result') most = Math.max(most, ++unanswered);
      if (type !== 'heartbeat') return false;
      const before = unanswered;
      unanswered = 0;
      held += before;
      most = Math.max(most, held);
      setTimeout(() => {
        held -= before;
        ws.send(JSON.stringify({ type: 'heartbeat_ack', data: {}, request_id: id }));
      }, 20);
      return true;
    };
    await scene.store.enqueue(Array.from({ length: 2000 }, (_, n) => detection(n)));
    scene.uplink(hub.url).start();
    await emptied();
    expect(numbersOf('ai_detection_result')).toHaveLength(2000);
    expect(most).toBeGreaterThan(64);
    expect(most).toBeLessThanOrEqual(512);
  });

  test('a server that waits for the client to speak is spoken to', async () => {
    hub.greets = false;
    await scene.store.enqueue([alert(1)]);
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await emptied();
    expect(uplink.status.deliveryLevel).toBe('process');
  });

  test('a refused token opens the breaker', async () => {
    hub.token = 'another';
    await scene.store.enqueue([alert(1)]);
    const uplink = scene.uplink(hub.url, { clock: fastClock });
    uplink.start();
    await waitFor('an open breaker', () => uplink.status.breaker.state === 'open');
    expect(uplink.status.breaker.reason).toBe('UPLINK_AUTH_FAILED');
    expect(await scene.depth()).toBe(1);
  });

  test('a message that the server refuses goes to the dead letters, and the next ones go on', async () => {
    hub.onMessage = (frame, ws) => {
      if (frame.type !== 'alert_triggered' || (frame.data.data as { n: number }).n !== 2)
        return false;
      const data = { code: 'bad_alert', message: 'what is this' };
      ws.send(JSON.stringify({ type: 'error', data, request_id: frame.request_id }));
      return true;
    };
    await scene.store.enqueue([alert(1), alert(2), alert(3)]);
    scene.uplink(hub.url).start();
    await emptied();
    expect((await scene.store.queue()).deadLetters).toBe(1);
    expect(numbersOf('alert_triggered')).toEqual([1, 2, 3]);
    expect(hub.connections).toBe(1);
  });
});
