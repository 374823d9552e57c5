import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { HubUnderTest } from './support/hub.ts';
import { FaultScene } from './support/scene.ts';
import { IS_LONG } from './support/seed.ts';
import { percentile, Swarm } from './support/swarm.ts';

/** Long enough for a backoff without a small cap to have grown far beyond what is allowed below. */
const DOWN_MS = 4000;
const ROUNDS = IS_LONG ? 5 : 1;

interface Fleet {
  readonly clients: number;
  readonly signals: readonly NodeJS.Signals[];
  /** Generous: twice and more of what a quiet machine needs. */
  readonly allowedMs: number;
}

async function restartsAreSurvived({ clients, signals, allowedMs }: Fleet): Promise<void> {
  const scene = await FaultScene.create({ edges: [], hub: { edges: ['fleet'] } });
  await scene.hub.open();
  const fleet = Swarm.start(scene, { name: 'fleet', count: clients, rate: 0.5 });
  await fleet.identified();
  for (let round = 0; round < ROUNDS; round++)
    for (const signal of signals) {
      await scene.hub.process.end(signal);
      await fleet.command('mark');
      await delay(DOWN_MS);
      await scene.hub.open();
      const listening = listeningAt(scene.hub);
      const times = (await fleet.firstAcks()).map((time) => time - listening);
      const [p50, p99, max] = [0.5, 0.99, 1].map((part) => percentile(times, part));
      console.log(`${clients} clients, ${signal}: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`);
      expect(p99).toBeLessThan(allowedMs * machineLoad());
    }
  await fleet.drained();
  await fleet.stop();
  await scene.verdict(fleet.producers());
}

test('9 the hub restarts under 300 clients: all are back soon after it listens', () =>
  restartsAreSurvived({ clients: 300, signals: ['SIGKILL', 'SIGTERM'], allowedMs: 3000 }));

test('10 the hub restarts under 1000 clients: the herd does not delay itself', () =>
  restartsAreSurvived({ clients: 1000, signals: ['SIGKILL'], allowedMs: 5000 }));

/** 1 for a machine of this test's own; beside other work everything takes longer in proportion. */
function machineLoad(): number {
  const [lastMinute = 0] = loadavg();
  return Math.max(1, lastMinute / availableParallelism());
}

/** Wall time at which the hub of this life began to listen, by its own log. */
function listeningAt(hub: HubUnderTest): number {
  const line = hub.process.stdout.split('\n').find((text) => text.includes('"hub listening"'));
  const { time } = JSON.parse(line ?? '{}') as { time?: number | string };
  const at = new Date(time ?? Number.NaN).getTime();
  if (Number.isNaN(at)) throw new Error(`no time in the hub's line: ${line}`);
  return at;
}
