import { expect } from 'vitest';
import { waitFor } from '../support/program.ts';
import type { EdgeUnderTest } from './support/edge.ts';
import { testWhere } from './support/needs.ts';
import { NetworkNamespace } from './support/netns.ts';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { RecordingSubscriber } from './support/subscriber.ts';

/** Beyond the times that are promised: what a busy machine may add. */
const SLACK_MS = 3000;
const WITH_TRAFFIC_MS = 5000 + SLACK_MS;
const IDLE_MS = 12_000 + SLACK_MS;
const SILENT_CLIENT_MS = 15_000 + SLACK_MS;

const testInNamespace = testWhere('root', 'ip', 'nft');

interface Network {
  readonly namespace: NetworkNamespace;
  readonly scene: FaultScene;
  /** Edges that run behind the cable. */
  readonly edges: readonly EdgeUnderTest[];
}

/** Edges in a namespace, the hub outside. */
async function networkOf(...names: readonly string[]): Promise<Network> {
  const namespace = NetworkNamespace.create();
  const host = namespace.hostAddress;
  const scene = await FaultScene.create({ edges: names, hub: { host } });
  await scene.hub.open();
  for (const edge of scene.edges) await edge.open({ prefix: namespace.prefix });
  for (const edge of scene.edges) await untilConnected(edge);
  return { namespace, scene, edges: scene.edges };
}

testInNamespace(
  '5, 6 a black hole is noticed by traffic, by silence and by the hub, and alerts flow again after it',
  async () => {
    const { namespace, scene, edges } = await networkOf('busy', 'idle');
    const [busy, idle] = edges as [EdgeUnderTest, EdgeUnderTest];
    const subscriber = new RecordingSubscriber(() => scene.hub.url, scene.hub.viewerToken);
    await busy.command('rates', { rates: { alert: 10, detection: 50 } });
    await busy.command('probe', {});

    namespace.drop('in', 'out');
    const [busyMs, idleMs, hubMs] = await Promise.all([
      untilLost(busy, WITH_TRAFFIC_MS),
      untilLost(idle, IDLE_MS),
      untilDropped(scene),
    ]);
    namespace.drop();
    // From here on a new alert has to find its way, and the ones of the outage with it.
    const { tookMs } = await idle.command('probe', {});
    console.log(
      `black hole: noticed after ${busyMs} ms with traffic, ${idleMs} ms idle, by the hub after ${hubMs} ms; alert ${Math.round(tookMs ?? Number.NaN)} ms`,
    );
    expect(tookMs).toBeLessThan(5000);

    await scene.recovers();
    const record = await scene.verdict();
    await subscriber.stop();
    expectSawAll(record, subscriber.seen);
  },
);

testInNamespace('6 a connection that only the hub lost is noticed by traffic', async () => {
  const { namespace, scene, edges } = await networkOf('edge-1');
  const [edge] = edges as [EdgeUnderTest];
  await edge.command('rates', { rates: { alert: 10 } });
  await edge.command('probe', {});
  namespace.drop('in');
  namespace.destroyConnections('host');
  const lostMs = await untilLost(edge, WITH_TRAFFIC_MS);
  namespace.drop();
  console.log(`half open at the edge: noticed after ${lostMs} ms`);
  await scene.recovers();
  await scene.verdict();
});

testInNamespace(
  '6 a connection that only the edge lost does not keep its next one out',
  async () => {
    const { namespace, scene, edges } = await networkOf('edge-1');
    const [edge] = edges as [EdgeUnderTest];
    await edge.command('rates', { rates: { alert: 10 } });
    await edge.command('probe', {});
    namespace.drop('out');
    namespace.destroyConnections('inside');
    await untilLost(edge, SLACK_MS);
    namespace.drop();
    const { tookMs } = await edge.command('probe', {});
    console.log(
      `half open at the hub: an alert of the next connection took ${Math.round(tookMs ?? Number.NaN)} ms`,
    );
    expect(tookMs).toBeLessThan(5000);
    expect((await health(scene)).connected_clients).toBe(1);
    await scene.recovers();
    await scene.verdict();
  },
);

async function untilConnected(edge: EdgeUnderTest): Promise<void> {
  await waitFor('the edge is connected', async () => (await stateOf(edge)) === 'authenticated');
}

/** Milliseconds until the edge holds its connection for lost. */
async function untilLost(edge: EdgeUnderTest, withinMs: number): Promise<number> {
  const began = performance.now();
  const isLost = async (): Promise<boolean> => (await stateOf(edge)) !== 'authenticated';
  await waitFor(`${edge.options.clientId} notices the loss`, isLost, withinMs);
  return Math.round(performance.now() - began);
}

/** Milliseconds until the hub dropped the connections of all its edges. */
async function untilDropped(scene: FaultScene): Promise<number> {
  const began = performance.now();
  const isGone = async (): Promise<boolean> => !(await health(scene)).ai_engine_connected;
  await waitFor('the hub drops silent edges', isGone, SILENT_CLIENT_MS);
  return Math.round(performance.now() - began);
}

async function stateOf(edge: EdgeUnderTest): Promise<string | undefined> {
  return (await edge.command('status')).uplink?.state;
}

interface Health {
  readonly connected_clients: number;
  readonly ai_engine_connected: boolean;
}

async function health({ hub }: FaultScene): Promise<Health> {
  const response = await fetch(`http://${hub.host}:${hub.port}/api/health`);
  return ((await response.json()) as { websocket: Health }).websocket;
}
