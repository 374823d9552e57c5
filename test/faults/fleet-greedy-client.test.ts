import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FaultScene } from './support/scene.ts';
import { seconds } from './support/seed.ts';
import { percentile, Swarm } from './support/swarm.ts';

/** Four times what the hub lets one client deliver over time. */
const GREEDY_RATE = 8000;
const MEASURED_MS = 1000 * seconds(3);

for (const ignoresCredit of [false, true])
  test(`22 a client far beyond its rate that ${ignoresCredit ? 'ignores' : 'keeps to'} its credit: the others go on, nothing is lost`, async () => {
    const scene = await FaultScene.create({ edges: [], hub: { edges: ['modest', 'greedy'] } });
    await scene.hub.open();
    const modest = Swarm.start(scene, { name: 'modest', count: 20, rate: 5 });
    await modest.identified();
    const before = await measured(modest);

    const greedy = Swarm.start(scene, {
      name: 'greedy',
      kind: 'detection',
      count: 1,
      rate: GREEDY_RATE,
      fillerBytes: 400,
      ignoresCredit,
    });
    await greedy.identified();
    const beside = await measured(modest);
    const { issued, waiting } = await greedy.command('status');
    console.log(
      `acknowledged at p99 after ${Math.round(before)} ms alone, ${Math.round(beside)} ms beside ` +
        `a greedy client that got ${issued - waiting} of ${issued} through`,
    );
    // The load generators share the cores with the hub; a client that waits for the greedy one takes seconds.
    expect(beside).toBeLessThan(Math.max(1000, 10 * before));

    await modest.drained();
    await greedy.drained(60_000);
    await modest.stop();
    await greedy.stop();
    await scene.verdict(new Map([...modest.producers(), ...greedy.producers()]));
  });

/** 99th percentile of the time from making an alert to its acknowledgement, in milliseconds. */
async function measured(swarm: Swarm): Promise<number> {
  await swarm.command('latencies');
  await delay(MEASURED_MS);
  return percentile(await swarm.command('latencies'), 0.99);
}
