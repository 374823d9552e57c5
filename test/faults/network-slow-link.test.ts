import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freePort } from '../support/program.ts';
import type { EdgeUnderTest } from './support/edge.ts';
import { testWhere } from './support/needs.ts';
import { NetworkNamespace } from './support/netns.ts';
import { FaultyLink } from './support/proxy.ts';
import { FaultScene } from './support/scene.ts';
import { seconds } from './support/seed.ts';
import { percentile } from './support/swarm.ts';

/** 256 kbit/s. */
const NARROW_BYTES_PER_S = 32_000;
const LATENCY_MS = 100;
/** Twice the three seconds that are aimed at; a queue in front of the alerts would take minutes. */
const ALERT_MS = 6000;
/** The same for the loss of one packet in twenty, which TCP has to notice first. */
const LOSSY_ALERT_MS = 4000;

test('7 a narrow link: alerts overtake the backlog that grows behind it', async () => {
  const port = await freePort();
  const link = await FaultyLink.open({ host: '127.0.0.1', port });
  link.shape({ latencyMs: LATENCY_MS, bytesPerSecond: NARROW_BYTES_PER_S });
  const scene = await FaultScene.create({ hub: { port }, edge: { hubUrl: link.url } });
  await scene.hub.open();
  await scene.edge.open();
  // Two and more times what the link carries.
  await scene.edge.command('rates', { rates: { alert: 2, face: 20, detection: 200, status: 5 } });
  await delay(1000 * seconds(10));
  const backlog = await detectionsQueued(scene.edge);
  const times = await scene.edge.command('latencies');
  report('narrow link', times, `${backlog} detections wait`);
  expect(backlog).toBeGreaterThan(200);
  expect(times.length).toBeGreaterThan(seconds(10) / 2);
  expect(percentile(times, 0.9)).toBeLessThan(ALERT_MS);
  expect(link.connections).toBe(1);
  link.shape({ latencyMs: 0, bytesPerSecond: null });
  await scene.recovers();
  await scene.verdict();
});

testWhere(
  'root',
  'ip',
  'nft',
)('7 one packet in twenty is lost: alerts still flow', async () => {
  const namespace = NetworkNamespace.create();
  const scene = await FaultScene.create({ hub: { host: namespace.hostAddress } });
  await scene.hub.open();
  namespace.lose(5);
  await scene.edge.open({ prefix: namespace.prefix });
  await scene.edge.command('probe', {});
  await scene.edge.command('rates', { rates: { alert: 10, detection: 60 } });
  await delay(1000 * seconds(6));
  const times = await scene.edge.command('latencies');
  report('lossy link', times, '');
  expect(times.length).toBeGreaterThan(5 * seconds(6));
  expect(percentile(times, 0.9)).toBeLessThan(LOSSY_ALERT_MS);
  namespace.lose(0);
  await scene.recovers();
  await scene.verdict();
});

async function detectionsQueued(edge: EdgeUnderTest): Promise<number> {
  const { lanes } = await edge.command('queue');
  return lanes.find(({ lane }) => lane === 2)?.depth ?? 0;
}

function report(what: string, times: readonly number[], more: string): void {
  const [p50, p99] = [0.5, 0.99].map((part) => Math.round(percentile(times, part)));
  console.log(`${what}: ${times.length} alerts, p50 ${p50} ms, p99 ${p99} ms ${more}`);
}
