import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freePort } from '../support/program.ts';
import type { ProcessUnderTest } from './support/process-under-test.ts';
import { FaultyLink } from './support/proxy.ts';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { SEED, seeded } from './support/seed.ts';
import { RecordingSubscriber } from './support/subscriber.ts';

const SOAK_S = Number(process.env.APEX_FAULT_SOAK_SECONDS ?? 40);
const RATES = { alert: 15, face: 10, event: 5, detection: 80, status: 1 };
const MIB = 1024 * 1024;
/** Of all processes together, over the whole run: their warming up is in it, a leak of each message is not. */
const MOST_GROWTH_BYTES = 200 * MIB;
const MOST_DESCRIPTORS = 100;

interface Stage {
  readonly scene: FaultScene;
  /** Between both edges and the hub. */
  readonly link: FaultyLink;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Each returns with its harm undone. */
const FAULTS = {
  'edge killed': async ({ scene, random }: Stage) => {
    const edge = oneOf(scene.edges, random);
    await edge.kill();
    await delay(1000 * random());
    await edge.open();
  },
  'hub killed': async ({ scene: { hub }, random }: Stage) => {
    await hub.kill();
    await delay(2000 * random());
    await hub.open();
  },
  'hub restarted': async ({ scene: { hub } }: Stage) => {
    await hub.stop();
    await hub.open();
  },
  'hub paused': async ({ scene: { hub }, random }: Stage) => {
    hub.pause();
    await delay(1000 + 2000 * random());
    hub.resume();
  },
  'link cut': async ({ link }: Stage) => link.cut(),
  'link silent': async ({ link, random }: Stage) => {
    link.fallSilent();
    await delay(4000 * random());
    link.speak();
  },
  'link flapping': ({ link }: Stage) => link.flap({ upMs: 300, downMs: 200, forMs: 2000 }),
} as const;
const NAMES = Object.keys(FAULTS) as (keyof typeof FAULTS)[];

test(`25 soak: ${SOAK_S} s of faults at random, and every invariant holds`, async () => {
  const { scene, link } = await linkedScene();
  const { hub, edges } = scene;
  const processes = (): ProcessUnderTest[] => [hub, ...edges].map((part) => part.process);
  const subscriber = new RecordingSubscriber(() => hub.url, hub.viewerToken);
  const random = seeded(SEED);
  const done = new Map<string, number>();
  let left: (keyof typeof FAULTS)[] = [];
  const memory: { readonly s: number; readonly bytes: number }[] = [];
  const began = performance.now();
  const passedS = (): number => (performance.now() - began) / 1000;
  while (passedS() < SOAK_S) {
    // All of them in an order of their own, then again in another.
    if (left.length === 0) left = shuffled(NAMES, random);
    const name = left.pop() as keyof typeof FAULTS;
    done.set(name, (done.get(name) ?? 0) + 1);
    await FAULTS[name]({ scene, link, random });
    await delay(500 + 1000 * random());
    memory.push({ s: passedS(), bytes: sum(processes().map(residentBytes)) });
  }
  const slope = slopeOf(memory);
  console.log(
    `soak: ${[...done].map(([name, count]) => `${name} ${count} times`).join(', ')}; memory ` +
      `${Math.round((memory.at(-1)?.bytes ?? 0) / MIB)} MiB, slope over this run ${((slope * 3600) / MIB).toFixed(1)} MiB/h`,
  );
  await scene.recovers({ drainedWithinMs: 60_000 });
  expect(slope * SOAK_S).toBeLessThan(MOST_GROWTH_BYTES);
  for (const { pid } of processes())
    expect(readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(MOST_DESCRIPTORS);
  const record = await scene.verdict();
  await subscriber.stop();
  expectSawAll(record, subscriber.seen);
});

/** The edges behind one link; everything runs. */
async function linkedScene(): Promise<{ scene: FaultScene; link: FaultyLink }> {
  const port = await freePort();
  const link = await FaultyLink.open({ host: '127.0.0.1', port });
  const edge = { hubUrl: link.url, rates: RATES };
  const scene = await FaultScene.create({ edges: ['edge-1', 'edge-2'], hub: { port }, edge });
  await scene.hub.open();
  for (const one of scene.edges) await one.open();
  return { scene, link };
}

function shuffled<Entry>(entries: readonly Entry[], random: () => number): Entry[] {
  const keyed = entries.map((entry) => ({ entry, key: random() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ entry }) => entry);
}

function oneOf<Entry>(entries: readonly Entry[], random: () => number): Entry {
  const entry = entries[Math.floor(random() * entries.length)];
  if (entry === undefined) throw new Error('nothing to choose from');
  return entry;
}

function residentBytes({ pid }: ProcessUnderTest): number {
  const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(resident) * 1024;
}

/** Least squares: bytes per second. */
function slopeOf(samples: readonly { readonly s: number; readonly bytes: number }[]): number {
  const meanS = sum(samples.map(({ s }) => s)) / samples.length;
  const meanBytes = sum(samples.map(({ bytes }) => bytes)) / samples.length;
  const covariance = sum(samples.map(({ s, bytes }) => (s - meanS) * (bytes - meanBytes)));
  return covariance / sum(samples.map(({ s }) => (s - meanS) ** 2));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
