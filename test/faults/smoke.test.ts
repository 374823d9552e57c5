import { test } from 'vitest';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { RecordingSubscriber } from './support/subscriber.ts';

test('0 nothing is done to it: every invariant holds', async () => {
  const rates = { alert: 20, face: 20, event: 20, detection: 200, status: 5 };
  const scene = await FaultScene.create({ edge: { rates } });
  await scene.hub.open();
  await scene.edge.open();
  const subscriber = new RecordingSubscriber(() => scene.hub.url, scene.hub.viewerToken);
  await scene.edge.command('burst', { kind: 'alert', count: 200 });
  subscriber.cut();
  await scene.edge.command('burst', { kind: 'detection', count: 500, group: 50 });
  await scene.recovers();
  const record = await scene.verdict();
  await subscriber.stop();
  expectSawAll(record, subscriber.seen);
});
