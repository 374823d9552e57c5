import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ProcessUnderTest } from './support/process-under-test.ts';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { IS_LONG } from './support/seed.ts';
import { RecordingSubscriber } from './support/subscriber.ts';

const MIB = 1024 * 1024;
const MOST_EDGE_BYTES = 250 * MIB;
const MOST_HUB_BYTES = 400 * MIB;
const RATES = { alert: 20, face: 20, event: 10, detection: 300, status: 2 };

test('8 the hub stands still: short pauses are waited for, long ones survived, memory stays bounded', async () => {
  const scene = await FaultScene.create({ edge: { rates: RATES } });
  const { hub, edge } = scene;
  await hub.open();
  await edge.open();
  const subscriber = new RecordingSubscriber(() => hub.url, hub.viewerToken);
  await edge.command('probe', {});

  const pausedFor = async (pauseMs: number): Promise<void> => {
    hub.pause();
    await delay(pauseMs);
    hub.resume();
    await edge.command('probe', {});
  };
  await pausedFor(1000);
  await pausedFor(1000);
  expect(connectionsOf(edge.process)).toBe(1);
  for (const pauseMs of IS_LONG ? [5000, 20_000] : [5000]) await pausedFor(pauseMs);

  const edgeBytes = peakBytes(edge.process);
  const hubBytes = peakBytes(hub.process);
  console.log(
    `pauses: ${connectionsOf(edge.process)} connections, peak memory of the edge ` +
      `${Math.round(edgeBytes / MIB)} MiB, of the hub ${Math.round(hubBytes / MIB)} MiB`,
  );
  expect(edgeBytes).toBeLessThan(MOST_EDGE_BYTES);
  expect(hubBytes).toBeLessThan(MOST_HUB_BYTES);
  await scene.recovers();
  const record = await scene.verdict();
  await subscriber.stop();
  expectSawAll(record, subscriber.seen);
});

/** Connections on which the hub accepted the edge, by the edge's own log. */
function connectionsOf(edge: ProcessUnderTest): number {
  return edge.stderr.split('"hub connected"').length - 1;
}

/** The most that was ever resident. */
function peakBytes({ pid }: ProcessUnderTest): number {
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(peak) * 1024;
}
