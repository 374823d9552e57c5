import { randomUUID } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../../support/program.ts';
import { alert, UplinkScene } from '../uplink/uplink-scene.ts';
import { EDGE_TOKEN, HubScene } from './hub-scene.ts';
import { alerts, RawClient } from './raw-client.ts';

let hubScene: HubScene;
let scene: UplinkScene;

beforeEach(async () => {
  hubScene = new HubScene();
  scene = new UplinkScene('fork');
  await scene.open();
});
afterEach(async () => {
  await scene.end();
  await hubScene.end();
});

const emptied = () => waitFor('everything acknowledged', async () => (await scene.depth()) === 0);

test('an edge whose clone was here meanwhile begins a new epoch by itself and goes on', async () => {
  const { hub, url } = await hubScene.start();
  const first = scene.uplink(url);
  first.start();
  await scene.store.enqueue([alert(1)]);
  await emptied();
  await first.stop({ drainMs: 1000 });
  const ofClone = randomUUID();
  const clone = await RawClient.identified(url, {
    token: EDGE_TOKEN,
    streams: [{ epoch: ofClone, lane: 0, first_seq: 1, next_seq: 1 }],
  });
  clone.batch({ epoch: ofClone, lane: 0 }, alerts(1, 1));
  await clone.next('batch_ack');
  await scene.store.enqueue([alert(2)]);
  const { epoch } = scene.store.position;
  const second = scene.uplink(url);
  second.start();
  await emptied();
  expect(await clone.closed).toBe(4409);
  expect(scene.store.position.epoch).not.toBe(epoch);
  expect(hub.stats()).toMatchObject({ epochForks: 1, messagesStored: 3, duplicates: 0 });
});

test('an edge goes on in the same epoch at a hub that was restored from its backup', async () => {
  let { hub, url } = await hubScene.start();
  const { port } = hub.address;
  const uplink = scene.uplink(url);
  uplink.start();
  await scene.store.enqueue([alert(1)]);
  await emptied();
  const file = join(hubScene.dataDir, 'hub.sqlite');
  await hubScene.stop(hub);
  copyFileSync(file, `${file}.backup`);
  ({ hub, url } = await hubScene.start({ port }));
  await scene.store.enqueue([alert(2)]);
  await emptied();
  await hubScene.stop(hub);
  copyFileSync(`${file}.backup`, file);
  const { epoch } = scene.store.position;
  await scene.store.enqueue([alert(3)]);
  ({ hub } = await hubScene.start({ port }));
  await emptied();
  expect(hub.stats().epochForks).toBe(0);
  expect(scene.store.position.epoch).toBe(epoch);
});
