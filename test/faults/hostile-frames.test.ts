import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { DEFAULT_HUB_LIMITS } from '../../src/hub/limits.ts';
import { EVENT_STATUS } from '../../src/hub/store/schema.ts';
import { USUAL_SCOPES } from '../../src/protocol/scopes.ts';
import type { ClientType } from '../../src/protocol/session.ts';
import { EDGE_TOKEN, HubScene, hash } from '../integration/hub/hub-scene.ts';
import { alerts, RawClient } from '../integration/hub/raw-client.ts';
import { waitFor } from '../support/program.ts';
import { type Footprint, footprintOf, median } from './support/footprint.ts';
import { ProcessUnderTest } from './support/process-under-test.ts';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { SEED } from './support/seed.ts';
import { RecordingSubscriber } from './support/subscriber.ts';
import { percentile, Swarm } from './support/swarm.ts';

/** APEX_HOSTILE_FRAMES=1000000 for the long form. */
const FRAMES = Number(process.env.APEX_HOSTILE_FRAMES ?? 20_000);
/** APEX_HOSTILE_PER_S=4000 for so many a second; as fast as the machine goes without it. */
const PER_S =
  process.env.APEX_HOSTILE_PER_S === undefined ? null : Number(process.env.APEX_HOSTILE_PER_S);
const DRIVER = fileURLToPath(new URL('./support/hostile-driver.mjs', import.meta.url));
/** Of calm, before the attack and after it. */
const CALM_MS = Math.max(3000, Math.min(60_000, FRAMES / 20));
/** Of the long form. */
const TIMEOUT_MS = 1_800_000;
/** Latencies are looked at by windows: a disk that hangs for a moment spoils one of them. */
const WINDOW_MS = 2000;
const MIB = 1024 * 1024;
/** Growth of memory in the second half of the attack that is more than the heap's coming and going. */
const MOST_GROWTH = 64 * MIB;
const ADMIN = 'token-of-the-admin';

const NOTHING = { send: [], receive: [], cameras: [] };
const IDENTITIES = [
  { name: 'hostile-viewer', clientType: 'frontend', protocol: 2 },
  { name: 'hostile-edge', clientType: 'ai_engine', protocol: 2, capabilities: ['deflate_raw'] },
  { name: 'hostile-original', clientType: 'ai_engine' },
  { name: 'nothing-viewer', clientType: 'desktop_app', protocol: 2, scopes: NOTHING },
  { name: 'nothing-edge', clientType: 'ai_engine', protocol: 2, scopes: NOTHING },
].map((identity) => ({ ...identity, token: `token-of-${identity.name}` }));

interface Attack {
  readonly written: number;
  readonly identified: number;
  readonly kinds: Readonly<Record<string, number>>;
}

interface Stats {
  readonly connections: Readonly<Record<string, number>>;
  readonly clients: readonly { readonly client_id: string }[];
}

test('24 hostile frames: the hub stands, nothing is let in by them, the others go on', {
  timeout: TIMEOUT_MS,
}, async () => {
  const tokens = [
    ...IDENTITIES.map(({ name, clientType: type, token, scopes }) => ({
      name,
      type,
      token,
      ...(scopes && { scopes }),
    })),
    { name: 'admin', type: 'frontend', token: ADMIN, scopes: { admin: true } },
  ];
  const complaints: string[] = [];
  const onLine = (line: string): void => {
    if (isComplaint(line)) complaints.push(line);
  };
  const scene = await FaultScene.create({
    edges: [],
    hub: { edges: ['modest'], tokens, onLine },
  });
  await scene.hub.open();
  const viewer = new RecordingSubscriber(() => scene.hub.url, scene.hub.viewerToken);
  onTestFinished(() => viewer.stop());
  const modest = Swarm.start(scene, { name: 'modest', count: 10, rate: 10 });
  await modest.identified();
  const start = footprintOf(scene.hub.process);
  const before = await latencies(modest, () => delay(CALM_MS));
  // What the same attack costs by being on the same processors, when another hub has to bear it.
  const other = await FaultScene.create({ edges: [], hub: { edges: [], tokens } });
  await other.hub.open();
  const beside = median(await latencies(modest, () => attackOn(other, [])));
  await other.hub.stop();

  const footprints: Footprint[] = [];
  const began = performance.now();
  let attack: Attack | undefined;
  const under = await latencies(modest, async () => {
    attack = await attackOn(scene, footprints);
  });
  const tookS = (performance.now() - began) / 1000;
  const after = await latencies(modest, () => delay(CALM_MS));
  const calm = median([...before, ...after]);
  const attacked = median(under);
  const sizes = footprints.map(({ bytes }) => bytes);
  const middle = Math.floor(sizes.length / 2);
  const growth = median(sizes.slice(-Math.ceil(sizes.length / 10))) - (sizes[middle] ?? 0);
  console.log(JSON.stringify(attack));
  console.log(
    `${FRAMES} frames in ${tookS.toFixed(1)} s; acknowledged at p99 (median of windows) after ` +
      `${calm.toFixed(1)} ms in calm, ${beside.toFixed(1)} ms beside a hub that is attacked, ` +
      `${attacked.toFixed(1)} ms under attack: ${(attacked / calm).toFixed(2)} and ` +
      `${(attacked / beside).toFixed(2)} times as long; resident ` +
      `${Math.round(start.bytes / MIB)} MiB before, at most ${Math.round(Math.max(...sizes) / MIB)} MiB, ` +
      `${Math.round(growth / MIB)} MiB more in the second half`,
  );

  expect(scene.hub.process.hasEnded).toBe(false);
  expect(attack?.written).toBeGreaterThanOrEqual(FRAMES);
  expect(attack?.identified, 'the attack got behind the door').toBeGreaterThan(0);
  expect(Object.entries(attack?.kinds ?? {}).filter(([, count]) => count === 0)).toEqual([]);
  expect(growth).toBeLessThan(MOST_GROWTH);
  await modest.drained();
  await left(scene, start.handles);
  expect(complaints).toEqual([]);
  await modest.stop();
  await viewerHasAll(scene, viewer);
  const record = await scene.verdict(modest.producers(), ({ clientId }) =>
    clientId.startsWith('modest'),
  );
  expectSawAll(record, viewer.seen);
  // What anybody is shown comes from clients that may send; the others are at most in quarantine.
  const senders = new Set(
    record.events
      .filter(({ status }) => status === EVENT_STATUS.ok || status === EVENT_STATUS.opaque)
      .map(({ clientId }) => clientId.replace(/^hostile-\d+-/, '').replace(/^modest.*/, 'modest')),
  );
  for (const sender of ['modest', 'hostile-edge', 'hostile-original']) senders.delete(sender);
  expect([...senders]).toEqual([]);
});

test('hostile frames of clients that nobody slows: each that gets in is read and answered', async () => {
  const hubs = new HubScene();
  onTestFinished(() => hubs.end());
  const tokens = IDENTITIES.map(({ name, clientType: type, token, scopes }) => ({
    name,
    type: type as ClientType,
    sha256: hash(token),
    scopes: { ...USUAL_SCOPES, ...scopes },
  }));
  const modest = { name: 'modest', type: 'ai_engine', sha256: hash(EDGE_TOKEN) } as const;
  const limits = { ...DEFAULT_HUB_LIMITS, refusals: { perS: 1e9, burst: 1e9 } };
  const { hub, url } = await hubs.start({
    limits,
    tokens: [...tokens, { ...modest, scopes: USUAL_SCOPES }],
  });
  const driver = attackerOf(hub.address);
  await driver.ended();
  expect(driver.stderr, `seed ${SEED}`).toBe('');
  await waitFor('the attackers are gone', () => {
    const { clients, unidentified } = hub.stats();
    return clients.ai_engine + clients.frontend + clients.desktop_app + unidentified === 0;
  });
  const { framesIn, errorsSent } = hub.stats();
  console.log(`${FRAMES} frames written, ${framesIn} read, ${errorsSent} errors answered`);
  expect(framesIn).toBeGreaterThan(FRAMES / 2);
  const client = await RawClient.identified(url, { token: EDGE_TOKEN, clientId: 'modest' });
  client.batch({ epoch: randomUUID(), lane: 0 }, alerts(1, 1));
  expect((await client.next('batch_ack')).data.acks).toMatchObject([{ acked_through: 1 }]);
  client.close();
});

/** An error of the hub's own; what `ws` finds wrong in a frame, and a connection that was cut, are none. */
function isComplaint(line: string): boolean {
  const { level, err } = JSON.parse(line) as { level: string; err?: { code?: string } };
  if (level === 'error' || level === 'fatal') return true;
  return err !== undefined && !/^(?:WS_ERR_|ECONNRESET$|EPIPE$|HPE_)/.test(err.code ?? '');
}

/** By window: p99 of the times from making an alert to its acknowledgement while something happens, milliseconds. */
async function latencies(swarm: Swarm, happening: () => Promise<unknown>): Promise<number[]> {
  await swarm.command('latencies');
  let isOver = false;
  const over = happening().finally(() => {
    isOver = true;
  });
  const windows: number[] = [];
  while (!isOver) {
    await Promise.race([over, delay(WINDOW_MS)]);
    windows.push(percentile(await swarm.command('latencies'), 0.99));
  }
  await over;
  return windows;
}

function attackerOf({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): ProcessUnderTest {
  const options = { host, port, frames: FRAMES, perS: PER_S, identities: IDENTITIES, seed: SEED };
  const driver = new ProcessUnderTest([process.execPath, DRIVER, JSON.stringify(options)]);
  onTestFinished(() => driver.end('SIGKILL'));
  return driver;
}

async function attackOn(scene: FaultScene, footprints: Footprint[]): Promise<Attack> {
  const driver = attackerOf(scene.hub);
  const ended = driver.ended();
  while (!driver.hasEnded && !scene.hub.process.hasEnded) {
    footprints.push(footprintOf(scene.hub.process));
    await Promise.race([ended, delay(500)]);
  }
  expect(driver.stderr, `seed ${SEED}: ${scene.hub.process.stderr.slice(-2000)}`).toBe('');
  return JSON.parse(driver.stdout) as Attack;
}

/** Nothing of the attackers is left with the hub. */
async function left(scene: FaultScene, handles: number): Promise<void> {
  const ids = (stats: Stats): string[] => stats.clients.map(({ client_id: id }) => id);
  const stats = await waitFor('the attackers are gone', async () => {
    const { connections, clients } = await statsOf(scene);
    const areGone = !ids({ connections, clients }).some((id) => id.startsWith('hostile'));
    return areGone && connections.unidentified === 0 && { connections, clients };
  });
  console.log(JSON.stringify(stats.connections));
  await waitFor(
    'descriptors as before',
    () => footprintOf(scene.hub.process).handles <= handles + 2,
  );
}

async function statsOf({ hub }: FaultScene): Promise<Stats> {
  const headers = { authorization: `Bearer ${ADMIN}`, connection: 'close' };
  const response = await fetch(`http://${hub.host}:${hub.port}/api/stats`, { headers });
  if (!response.ok) throw new Error(`statistics: ${response.status}`);
  return (await response.json()) as Stats;
}

async function viewerHasAll(scene: FaultScene, viewer: RecordingSubscriber): Promise<void> {
  const headers = { authorization: `Bearer ${ADMIN}`, connection: 'close' };
  const url = `http://${scene.hub.host}:${scene.hub.port}/api/stats`;
  await waitFor(
    'the viewer has the last event',
    async () => {
      const { store } = (await (await fetch(url, { headers })).json()) as {
        store: { last_event_id: number };
      };
      return (viewer.seen.at(-1) ?? 0) >= store.last_event_id;
    },
    60_000,
  );
}
