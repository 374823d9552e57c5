import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bootId, systemClock } from '../../../src/system/clock.ts';
import { deflateText } from '../../../src/system/raw-deflate.ts';
import { waitFor } from '../../support/program.ts';
import { fastClock } from './fast-clock.ts';
import { OddHub } from './odd-hub.ts';
import { SlowLink } from './slow-link.ts';
import { alert, detection, UplinkScene } from './uplink-scene.ts';

let hub: OddHub;
let scene: UplinkScene;

beforeEach(async () => {
  hub = await OddHub.start();
  scene = new UplinkScene('wire');
  await scene.open();
});

afterEach(async () => {
  await scene.end();
  hub.end();
});

const emptied = () => waitFor('an empty queue', async () => (await scene.depth()) === 0);
const many = (count: number) => Array.from({ length: count }, (_, n) => detection(n));

describe('deflated frames', () => {
  test('carry large batches to a hub that takes them, and small ones stay text', async () => {
    await scene.store.enqueue(many(64));
    scene.uplink(hub.url, { compression: 'deflate' }).start();
    await emptied();
    await scene.store.enqueue([alert(1)]);
    await emptied();
    expect(hub.batches.map(({ data }) => data.items.length)).toEqual([64, 1]);
    expect(hub.binary).toHaveLength(1);
    expect(hub.binary[0]).toBeLessThan(JSON.stringify(hub.batches[0]).length / 3);
    expect(hub.strange).toEqual([]);
  });

  test.each([
    ['the hub cannot inflate', ['batch', 'resume', 'credit'], 'deflate' as const],
    ['it is not asked for', ['batch', 'resume', 'deflate_raw'], 'off' as const],
  ])('are not sent where %s', async (_, capabilities, compression) => {
    hub.capabilities = capabilities;
    await scene.store.enqueue(many(64));
    scene.uplink(hub.url, { compression }).start();
    await emptied();
    expect(hub.binary).toEqual([]);
  });

  test('are understood when they come from the hub', async () => {
    hub.onBatch = ({ request_id, data: { epoch, lane, items } }, peer) => {
      const acks = [{ epoch, lane, acked_through: items.at(-1)?.seq }];
      const ack = { type: 'batch_ack', timestamp: 1, request_id, data: { acks } };
      peer.sendBinary(deflateText(JSON.stringify(ack)));
    };
    await scene.store.enqueue([alert(1)]);
    scene.uplink(hub.url).start();
    await emptied();
  });

  test.each([
    ['random bytes', randomBytes(200)],
    ['a text that grows without end', deflateText('0'.repeat(20_000_000))],
  ])('of %s end the connection', async (_, bytes) => {
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await waitFor('authenticated', () => uplink.status.state === 'authenticated');
    hub.peer.sendBinary(bytes);
    await waitFor('the second connection', () => hub.identified.length === 2);
    expect(scene.log.lines.join('\n')).toContain('UPLINK_PROTOCOL');
  });
});

describe('what the hub is told', () => {
  test('the boot of each stream of this boot, and of no other', async () => {
    await scene.abandon(1);
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await waitFor('authenticated', () => uplink.status.state === 'authenticated');
    const streams = hub.identified[0]?.data.resume?.streams ?? [];
    const boots = streams.map(({ boot_id: boot }) => boot);
    expect(boots.filter((boot) => boot === undefined)).toHaveLength(1);
    expect(boots.filter((boot) => boot === bootId())).toHaveLength(4);
  });

  test('the session token of the last session', async () => {
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await waitFor('authenticated', () => uplink.status.state === 'authenticated');
    hub.peer.terminate();
    await waitFor('the second session', () => hub.identified.length === 2);
    expect(hub.identified.map(({ data }) => data.session_token)).toEqual([null, 's-1']);
  });

  test('how the clocks differ, within seconds, and how full the disk is', async () => {
    const uplink = scene.uplink(hub.url);
    uplink.start();
    const beats = () => hub.frames.filter((frame) => frame.type === 'heartbeat');
    await waitFor('three heartbeats', () => beats().length >= 3, 3000);
    const offset = Date.now() - systemClock.monotonicMs();
    const third = beats()[2]?.data;
    expect(third?.clock?.offset_ms).toBeGreaterThan(offset - 100);
    expect(third?.clock?.offset_ms).toBeLessThan(offset + 100);
    expect(third?.disk?.budget).toBe(256 * 1024 * 1024);
    expect(uplink.status.clock?.offsetMs).toBeCloseTo(offset, -2);
  });
});

describe('a slow link', () => {
  test('heartbeats and alerts pass a backlog of 10,000 messages', async () => {
    const link = await SlowLink.to(hub.port, 64 * 1024);
    try {
      await scene.store.enqueue(many(10_000));
      const uplink = scene.uplink(link.url);
      uplink.start();
      await waitFor('a steady flow', () => hub.batches.length >= 10);
      const delays: number[] = [];
      for (let n = 0; n < 5; n++) {
        const before = performance.now();
        await scene.store.enqueue([alert(n)]);
        const arrived = () =>
          hub.batches.filter(({ data }) => data.lane === 0).flatMap(({ data }) => data.items)
            .length;
        await waitFor('the alert', () => arrived() > n);
        delays.push(performance.now() - before);
      }
      expect(await scene.depth()).toBeGreaterThan(4000);
      expect(Math.max(...delays)).toBeLessThan(3000);
      expect(uplink.status.clock?.roundTripMs).toBeLessThan(3000);
      expect(hub.peers).toHaveLength(1);
    } finally {
      link.close();
    }
  });
});

describe('stopping', () => {
  test('ends in time although the hub answers nothing, and says what is left', async () => {
    hub.onBatch = () => {};
    await scene.store.enqueue([alert(1), detection(1)]);
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await waitFor('the first batch', () => hub.batches.length > 0);
    const before = performance.now();
    await uplink.stop({ drainMs: 300 });
    expect(performance.now() - before).toBeLessThan(2000);
    await waitFor('the goodbye', () => hub.frames.at(-1)?.type === 'client_goodbye');
    expect(hub.frames.at(-1)).toMatchObject({ data: { pending: { 0: 1, 2: 1 } } });
    expect(await scene.depth()).toBe(2);
  });

  test('while the breaker is open leaves nothing behind', async () => {
    hub.onIdentify = (_, peer) => peer.close(4401);
    const uplink = scene.uplink(hub.url, { clock: fastClock });
    uplink.start();
    await waitFor('an open breaker', () => uplink.status.breaker.state === 'open');
    await uplink.stop({ drainMs: 1000 });
    expect(uplink.status.state).toBe('disconnected');
  });
});
