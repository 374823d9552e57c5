import { cpSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { UplinkStatus } from '../../src/uplink/uplink.ts';
import { freePort, waitFor } from '../support/program.ts';
import type { EdgeUnderTest } from './support/edge.ts';
import { FrameProxy } from './support/frame-proxy.ts';
import type { HubUnderTest } from './support/hub.ts';
import { type HubEvent, hubEvents } from './support/hub-events.ts';
import { type ProducerRecord, readProducerLog } from './support/producer-log.ts';
import { FaultScene } from './support/scene.ts';

/** Least time between two tries of an edge that the hub refuses; timers may fire a little early. */
const SPACING_MS = 5000 - 50;
/** Tries before an edge that was not told when to come back believes the refusal. */
const QUICK_TRIES = 3;
/** An edge that looks for another token finds it within a second, and may have to wait for its next try. */
const HEALED_MS = 15_000;

test('23 a wrong token: the edge asks rarely, keeps its queue, and heals by itself with the right one', async () => {
  const port = await freePort();
  const proxy = await FrameProxy.open(`ws://127.0.0.1:${port}/ws`);
  proxy.meddler = { toEdge: (frame) => [withoutAdvice(frame)] };
  const edge = { token: 'a-token-of-nobody', hubUrl: proxy.url };
  const scene = await FaultScene.create({ hub: { port }, edge });
  await scene.hub.open();
  await scene.edge.open();
  await scene.edge.command('burst', { kind: 'alert', count: 100, group: 10 });
  const isOpen = async (): Promise<boolean> => (await breakerOf(scene.edge)).state === 'open';
  await waitFor('the breaker opens', isOpen, 30_000);
  expect((await breakerOf(scene.edge)).reason).toBe('UPLINK_AUTH_FAILED');
  const areMore = (): boolean => refusals(scene.hub).length > QUICK_TRIES;
  await waitFor('the edge tries again', areMore, 30_000);
  expectRareTries(refusals(scene.hub), QUICK_TRIES);
  expect(await queuedAlerts(scene.edge)).toBe(100);

  const began = performance.now();
  await scene.edge.command('token', { token: scene.hub.tokenOf('edge-1') });
  await scene.drained(HEALED_MS);
  console.log(`healed ${Math.round(performance.now() - began)} ms after the token was replaced`);
  expect((await breakerOf(scene.edge)).state).toBe('closed');
  await scene.recovers();
  await scene.verdict();
});

test('23 a revoked token: the edge waits as it is told, and its queue arrives under the new token', async () => {
  const names = ['edge-1'];
  const scene = await FaultScene.create({ hub: { edges: names }, edge: { rates: { alert: 20 } } });
  await scene.hub.open();
  await scene.edge.open();
  await scene.edge.command('probe', {});
  await scene.hub.stop();
  names[0] = 'edge-1-renewed';
  await scene.hub.open();
  await waitFor('the token is refused', () => refusals(scene.hub).length > 0);
  const before = await queuedAlerts(scene.edge);
  // Five seconds of alerts: time for a try too many.
  const areMore = async (): Promise<boolean> => (await queuedAlerts(scene.edge)) >= before + 100;
  await waitFor('alerts queue up', areMore, 60_000);
  expectRareTries(refusals(scene.hub), 1);
  const { uplink } = await scene.edge.command('status');
  expect(uplink?.lastError?.code).toBe('UPLINK_AUTH_FAILED');
  await scene.edge.command('token', { token: scene.hub.tokenOf('edge-1-renewed') });
  await scene.recovers({ drainedWithinMs: HEALED_MS });
  await scene.verdict();
});

test('23 a cloned card: the fork is told, the two take turns slowly, and neither loses an alert', async () => {
  const { scene, card, clone } = await cloneScene();
  await clone.command('burst', { kind: 'alert', count: 100, group: 10 });
  await card.command('burst', { kind: 'alert', count: 100, group: 10 });
  const began = performance.now();
  await scene.drained(60_000);
  const forMs = performance.now() - began;
  const { stdout } = scene.hub.process;
  const identified = hubEvents(stdout, 'client identified');
  const forks = hubEvents(stdout, 'two clients may be numbering messages alike');
  console.log(
    `cloned card: drained after ${Math.round(forMs)} ms, ${forks.length} forks, ${identified.length} sessions`,
  );
  expect(forks.length).toBeGreaterThan(0);
  // Both begin at once; from then on each is thrown out once in a turn.
  const turns = (2 * forMs) / SPACING_MS;
  expect(identified.length).toBeLessThanOrEqual(8 + turns);
  await scene.recovers({ probeWithinMs: 20_000 });
  await scene.verdict(new Map([['card', merged([card, clone])]]));
});

/** An edge with a backlog of an earlier life, and another one that runs over a copy of its files. */
async function cloneScene(): Promise<{
  readonly scene: FaultScene;
  readonly card: EdgeUnderTest;
  readonly clone: EdgeUnderTest;
}> {
  const edge = { clientId: 'card', token: 'token-of-card' };
  const scene = await FaultScene.create({ edges: ['card', 'clone'], edge });
  const [card, clone] = scene.edges as [EdgeUnderTest, EdgeUnderTest];
  await scene.hub.open();
  await card.open();
  await card.command('probe', {});
  await scene.hub.stop();
  await card.command('burst', { kind: 'alert', count: 100, group: 10 });
  await card.kill();
  cpSync(card.options.dir, clone.options.dir, { recursive: true });
  await scene.hub.open();
  await card.open();
  await waitFor('the card is connected', async () => {
    const { uplink } = await card.command('status');
    return uplink?.state === 'authenticated';
  });
  await clone.open();
  return { scene, card, clone };
}

function refusals(hub: HubUnderTest): readonly HubEvent[] {
  return hubEvents(hub.process.stdout, 'client refused');
}

/** From try number `from` on, counted from 0, each keeps its distance from the one before. */
function expectRareTries(tries: readonly HubEvent[], from: number): void {
  const times = tries.map(({ timeMs }) => timeMs);
  const distances = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  console.log(`between tries: ${distances.join(', ')} ms`);
  expect(times.length).toBeGreaterThanOrEqual(from);
  for (const distance of distances.slice(from - 1))
    expect(distance).toBeGreaterThanOrEqual(SPACING_MS);
}

/** A refusal as a hub gives it that does not say when to come back. */
function withoutAdvice(frame: { readonly type: string; readonly data?: object }): object {
  return frame.type === 'error'
    ? { ...frame, data: { ...frame.data, retry_after_ms: undefined } }
    : frame;
}

async function breakerOf(edge: EdgeUnderTest): Promise<UplinkStatus['breaker']> {
  const { uplink } = await edge.command('status');
  if (uplink === null) throw new Error('an edge without an uplink');
  return uplink.breaker;
}

async function queuedAlerts(edge: EdgeUnderTest): Promise<number> {
  const { lanes } = await edge.command('queue');
  return lanes.find(({ lane }) => lane === 0)?.depth ?? 0;
}

/** Two edges under one name, as one producer. */
function merged(edges: readonly EdgeUnderTest[]): ProducerRecord {
  const records = edges.map(({ options }) => readProducerLog(options.log));
  const all = <Key, Value>(pick: (record: ProducerRecord) => ReadonlyMap<Key, Value>) =>
    new Map(records.flatMap((record) => [...pick(record)]));
  return {
    issued: all(({ issued }) => issued),
    obligated: new Set(records.flatMap(({ obligated }) => [...obligated])),
    refused: all(({ refused }) => refused),
    sent: all(({ sent }) => sent),
    acked: all(({ acked }) => acked),
  };
}
