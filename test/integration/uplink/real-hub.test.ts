import { afterEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/program.ts';
import { type EventRow, HubScene } from '../hub/hub-scene.ts';
import { alert, detection, Link, UplinkScene } from './uplink-scene.ts';

let hubScene: HubScene;
let scene: UplinkScene;
let link: Link | null = null;

afterEach(async () => {
  await scene.end();
  link?.close();
  link = null;
  await hubScene.end();
});

/** Every number of a lane once and in ascending order. */
function expectComplete(events: readonly EventRow[], type: string, count: number): void {
  const seqs = events.filter((event) => event.type === type).map(({ seq }) => seq);
  expect(seqs).toEqual(Array.from({ length: count }, (_, index) => index + 1));
}

describe('uplink to a hub', () => {
  test('500 messages over a link that is cut again and again arrive once each and in order', async () => {
    hubScene = new HubScene();
    scene = new UplinkScene('cut');
    const { hub } = await hubScene.start();
    const wire = await Link.to(hub.address.port);
    link = wire;
    await scene.open();
    const uplink = scene.uplink(wire.url);
    let cuts = 0;
    uplink.onStatus(({ state }) => {
      // Right after the first frames of every other connection, and in the middle of the others.
      if (state === 'authenticated' && cuts < 12) {
        cuts++;
        setTimeout(() => wire.cut(), cuts % 2 === 0 ? 0 : 3);
      }
    });
    uplink.start();
    for (let n = 0; n < 250; n++) {
      await scene.store.enqueue([alert(n), detection(n)]);
    }
    await waitFor('12 cuts', () => cuts === 12);
    await waitFor('an empty queue', async () => (await scene.depth()) === 0);
    await uplink.stop({ drainMs: 1000 });
    await hubScene.stop(hub);
    const events = hubScene.events();
    expectComplete(events, 'alert_triggered', 250);
    expectComplete(events, 'ai_detection_result', 250);
    expect(events).toHaveLength(500);
  });

  test('a hub that is killed with SIGKILL loses nothing that it acknowledged', async () => {
    hubScene = new HubScene();
    scene = new UplinkScene('kill');
    await scene.open();
    let hub = await hubScene.spawn();
    const { port } = hub;
    const uplink = scene.uplink(hub.url);
    uplink.start();
    let stored = 0;
    for (let round = 0; round < 4; round++) {
      for (let n = 0; n < 60; n++) await scene.store.enqueue([alert(stored++)]);
      await waitFor('something acknowledged', async () => (await scene.depth()) < 60);
      await hubScene.kill(hub.child);
      await scene.store.enqueue([alert(stored++)]);
      hub = await hubScene.spawn(port);
    }
    await waitFor('an empty queue', async () => (await scene.depth()) === 0);
    await uplink.stop({ drainMs: 1000 });
    await hubScene.kill(hub.child);
    expectComplete(hubScene.events(), 'alert_triggered', stored);
  });

  test('what an earlier epoch left goes before what the new one adds', async () => {
    hubScene = new HubScene();
    scene = new UplinkScene('epochs');
    await scene.open();
    await scene.store.enqueue([alert(1), detection(1)]);
    await scene.reopen();
    await scene.store.enqueue([alert(2)]);
    await scene.reopen();
    await scene.store.enqueue([alert(3), detection(2)]);
    const { hub, url } = await hubScene.start();
    const uplink = scene.uplink(url);
    uplink.start();
    await waitFor('an empty queue', async () => (await scene.depth()) === 0);
    await uplink.stop({ drainMs: 0 });
    await hubScene.stop(hub);
    const events = hubScene.events();
    expectComplete(events, 'alert_triggered', 3);
    expectComplete(events, 'ai_detection_result', 2);
  });

  test('stopping sends what is queued and says goodbye; the next start goes on', async () => {
    hubScene = new HubScene();
    scene = new UplinkScene('goodbye');
    const { hub, url } = await hubScene.start();
    await scene.open();
    const first = scene.uplink(url);
    first.start();
    await waitFor('authenticated', () => first.status.state === 'authenticated');
    const enqueued = scene.store.enqueue([detection(1), detection(2), alert(1)]);
    await first.stop({ drainMs: 2000 });
    await enqueued;
    expect(await scene.depth()).toBe(0);
    expect(first.status).toMatchObject({ state: 'disconnected', inFlight: 0, lastError: null });
    await scene.reopen();
    const second = scene.uplink(url);
    second.start();
    await scene.store.enqueue([alert(2)]);
    await waitFor('an empty queue', async () => (await scene.depth()) === 0);
    await second.stop({ drainMs: 0 });
    await hubScene.stop(hub);
    expectComplete(hubScene.events(), 'alert_triggered', 2);
    expectComplete(hubScene.events(), 'ai_detection_result', 2);
  });

  test('a wrong token is told with its remedy, tried again slowly, and never logged', async () => {
    hubScene = new HubScene();
    scene = new UplinkScene('token');
    const { url } = await hubScene.start();
    await scene.open();
    await scene.store.enqueue([alert(1)]);
    const uplink = scene.uplink(url, { token: () => 'not-the-token' });
    uplink.start();
    const error = await waitFor('an error', () => uplink.status.lastError);
    expect(error).toMatchObject({ code: 'UPLINK_AUTH_FAILED' });
    expect(error.remedy).toContain('uplink.token');
    expect(uplink.status).toMatchObject({ state: 'disconnected', attempts: 1 });
    expect(await scene.depth()).toBe(1);
    expect(scene.log.lines.join('\n')).not.toContain('not-the-token');
  });

  test('a hub that was replaced by an empty one is told what it lacks', async () => {
    hubScene = new HubScene();
    scene = new UplinkScene('replaced');
    const before = await hubScene.start();
    await scene.open();
    const first = scene.uplink(before.url);
    first.start();
    await scene.store.enqueue([alert(1), alert(2)]);
    await waitFor('an empty queue', async () => (await scene.depth()) === 0);
    await first.stop({ drainMs: 0 });
    await hubScene.end();
    hubScene = new HubScene();
    const after = await hubScene.start();
    const second = scene.uplink(after.url);
    second.start();
    await scene.store.enqueue([alert(3)]);
    await waitFor('an empty queue', async () => (await scene.depth()) === 0);
    await second.stop({ drainMs: 0 });
    await hubScene.stop(after.hub);
    expect(hubScene.events().map(({ type, seq }) => [type, seq])).toEqual([
      // Delivered alerts are kept for a day, for just this.
      ['alert_triggered', 1],
      ['alert_triggered', 2],
      ['alert_triggered', 3],
    ]);
    expect(scene.log.lines.join('\n')).toContain('hub replaced');
  });
});
