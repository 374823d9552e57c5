import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { freePort, waitFor } from '../support/program.ts';
import type { EdgeUnderTest } from './support/edge.ts';
import { type Footprint, footprintOf, median } from './support/footprint.ts';
import { testWhere } from './support/needs.ts';
import { FaultyLink } from './support/proxy.ts';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { SEED, seeded } from './support/seed.ts';
import { SmallDisk } from './support/small-disk.ts';
import { RecordingSubscriber } from './support/subscriber.ts';

const MIB = 1024 * 1024;
/** The last edge is never killed: what leaks shows in it. */
const NAMES = ['edge-1', 'edge-2', 'steady'];
const RATES = { alert: 10, face: 10, event: 5, detection: 60, status: 1 };
/** Length of the whole, APEX_FAULT_SOAK_SECONDS. */
const SOAK_S = Number(process.env.APEX_FAULT_SOAK_SECONDS ?? 30);
const MOST_BYTES = 400 * MIB;
/** Shorter runs are over before a process has the size that it keeps. */
const TREND_S = 1200;
const TREND_BYTES = 16 * MIB;
/** Descriptors come and go with connections, and stay within this. */
const SPARE_HANDLES = 16;

/** An edge with its own way to the hub and its own disk. */
interface Site {
  readonly edge: EdgeUnderTest;
  readonly link: FaultyLink;
  readonly disk: SmallDisk;
}

interface Soak {
  readonly scene: FaultScene;
  readonly sites: readonly Site[];
  readonly random: () => number;
}

/** Each does one harm and undoes it. */
const FAULTS = {
  edgeKilled: async (soak: Soak) => {
    const { edge } = pick(soak, soak.sites.slice(0, -1));
    await edge.kill();
    await between(soak, 0, 1000);
    await edge.open();
  },
  hubKilled: async (soak: Soak) => {
    await soak.scene.hub.kill();
    await between(soak, 0, 2000);
    await soak.scene.hub.open();
  },
  hubRestarted: async (soak: Soak) => {
    await soak.scene.hub.stop();
    await between(soak, 0, 2000);
    await soak.scene.hub.open();
  },
  hubPaused: async (soak: Soak) => {
    soak.scene.hub.pause();
    await between(soak, 200, 3000);
    soak.scene.hub.resume();
  },
  edgePaused: async (soak: Soak) => {
    const { edge } = pick(soak, soak.sites);
    edge.process.signal('SIGSTOP');
    await between(soak, 200, 3000);
    edge.process.signal('SIGCONT');
  },
  partition: async (soak: Soak) => {
    const { link } = pick(soak, soak.sites);
    link.fallSilent();
    await between(soak, 500, 6000);
    link.speak();
  },
  cut: async (soak: Soak) => {
    for (const { link } of soak.sites) link.cut();
  },
  flap: async (soak: Soak) => {
    const { link } = pick(soak, soak.sites);
    await link.flap({ upMs: 300, downMs: 200, forMs: 2000 });
  },
  slow: async (soak: Soak) => {
    const { link } = pick(soak, soak.sites);
    link.shape({ latencyMs: 200, bytesPerSecond: 32_000 });
    await between(soak, 1000, 4000);
    link.shape({ latencyMs: 0, bytesPerSecond: null });
  },
  diskFull: async (soak: Soak) => {
    const { edge, disk } = pick(soak, soak.sites);
    disk.fill();
    await between(soak, 500, 3000);
    disk.free();
    // What is held in memory meanwhile would go with the process.
    const isBack = async (): Promise<boolean> => (await edge.command('queue')).mode === 'disk';
    await waitFor('the disk is written again', isBack, 30_000);
  },
} as const;
const NAMES_OF_FAULTS = Object.keys(FAULTS) as (keyof typeof FAULTS)[];

testWhere('root', 'tmpfs')(
  '25 faults at random: every invariant holds at the end, and nothing grows',
  async () => {
    const soak = await begin();
    const { scene } = soak;
    const subscriber = new RecordingSubscriber(() => scene.hub.url, scene.hub.viewerToken);
    const footprints = await harm(soak);
    await scene.recovers({ drainedWithinMs: 60_000, probeWithinMs: 10_000 });
    const record = await scene.verdict();
    await subscriber.stop();
    expectSawAll(record, subscriber.seen);
    expectNoGrowth(footprints);
  },
  (SOAK_S + 300) * 1000,
);

async function begin(): Promise<Soak> {
  const port = await freePort();
  const target = { host: '127.0.0.1', port };
  const links = await Promise.all(NAMES.map(() => FaultyLink.open(target)));
  const edge = (index: number) => ({
    rates: RATES,
    hubUrl: links[index]?.url ?? '',
    store: { budgetBytes: 24 * MIB },
  });
  const scene = await FaultScene.create({ edges: NAMES, hub: { port }, edge });
  await scene.hub.open();
  const sites = scene.edges.map((each, index) => ({
    edge: each,
    link: links[index] as FaultyLink,
    disk: new SmallDisk(each.options.dir, '64m'),
  }));
  for (const site of sites) await site.edge.open();
  return { scene, sites, random: seeded(SEED) };
}

/** Fault after fault until the time is over. What the hub and the steady edge held after each. */
async function harm(
  soak: Soak,
): Promise<{ readonly hub: Footprint[]; readonly steady: Footprint[] }> {
  const { scene, sites } = soak;
  const footprints = { hub: [] as Footprint[], steady: [] as Footprint[] };
  const done = new Map<string, number>();
  let left: (keyof typeof FAULTS)[] = [];
  const end = performance.now() + 1000 * SOAK_S;
  while (performance.now() < end) {
    // All of them in an order of their own, then again in another.
    if (left.length === 0) left = shuffled(NAMES_OF_FAULTS, soak.random);
    const name = left.pop() ?? 'cut';
    await FAULTS[name](soak);
    done.set(name, (done.get(name) ?? 0) + 1);
    await between(soak, 100, 1000);
    footprints.hub.push(footprintOf(scene.hub.process));
    const steady = sites.at(-1)?.edge.process;
    if (steady !== undefined) footprints.steady.push(footprintOf(steady));
  }
  console.log(`faults of seed ${SEED}: ${JSON.stringify(Object.fromEntries(done))}`);
  return footprints;
}

function expectNoGrowth(footprints: Awaited<ReturnType<typeof harm>>): void {
  for (const [name, taken] of Object.entries(footprints)) {
    const sizes = taken.map(({ bytes }) => bytes);
    console.log(`${name}: at most ${Math.round(Math.max(...sizes) / MIB)} MiB`);
    expect(Math.max(...sizes), name).toBeLessThan(MOST_BYTES);
  }
  if (SOAK_S < TREND_S) return;
  const quarter = Math.floor(footprints.steady.length / 4);
  const early = footprints.steady.slice(quarter, 2 * quarter);
  const late = footprints.steady.slice(-quarter);
  const growth = (of: (footprint: Footprint) => number): number =>
    median(late.map(of)) - median(early.map(of));
  const [bytes, handles] = [growth(({ bytes }) => bytes), growth(({ handles }) => handles)];
  console.log(`steady edge: ${Math.round(bytes / 1024)} KiB and ${handles} handles more`);
  expect(bytes).toBeLessThan(TREND_BYTES);
  expect(handles).toBeLessThan(SPARE_HANDLES);
}

function pick({ random }: Soak, sites: readonly Site[]): Site {
  const site = sites[Math.floor(random() * sites.length)];
  if (site === undefined) throw new Error('no site to harm');
  return site;
}

async function between({ random }: Soak, leastMs: number, mostMs: number): Promise<void> {
  await delay(leastMs + random() * (mostMs - leastMs));
}

function shuffled<Entry>(entries: readonly Entry[], random: () => number): Entry[] {
  const keyed = entries.map((entry) => ({ entry, key: random() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ entry }) => entry);
}
