import { expect, test } from 'vitest';
import { freePort } from '../support/program.ts';
import { FaultyLink } from './support/proxy.ts';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { seconds } from './support/seed.ts';
import { RecordingSubscriber } from './support/subscriber.ts';

const UP_MS = 300;
const DOWN_MS = 700;

test('11 a flapping link: every window of it carries alerts, and nothing is lost or doubled', async () => {
  const port = await freePort();
  const link = await FaultyLink.open({ host: '127.0.0.1', port });
  const rates = { alert: 20, face: 10, event: 5, detection: 60, status: 1 };
  const scene = await FaultScene.create({ hub: { port }, edge: { hubUrl: link.url, rates } });
  await scene.hub.open();
  await scene.edge.open();
  const subscriber = new RecordingSubscriber(() => scene.hub.url, scene.hub.viewerToken);

  const forMs = 1000 * seconds(20);
  const { cpu: before } = await scene.edge.command('status');
  await link.flap({ upMs: UP_MS, downMs: DOWN_MS, forMs });
  const { cpu: after } = await scene.edge.command('status');
  const acknowledged = (await scene.edge.command('latencies')).length;
  const cpuMs = (after.user + after.system - before.user - before.system) / 1000;
  console.log(
    `flapping ${forMs} ms: ${link.connections} connections, ${acknowledged} alerts acknowledged, ` +
      `${((100 * cpuMs) / forMs).toFixed(1)} % of a core`,
  );

  await scene.recovers();
  const record = await scene.verdict();
  await subscriber.stop();
  expectSawAll(record, subscriber.seen);
  // Progress while it flapped: most of what 20 alerts a second make, and no session that starves.
  expect(acknowledged).toBeGreaterThan((20 * forMs) / 1000 / 2);
  expect(cpuMs / forMs).toBeLessThan(0.5);
});
