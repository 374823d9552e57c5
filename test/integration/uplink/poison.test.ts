import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isGapItem } from '../../../src/protocol/batch.ts';
import { waitFor } from '../../support/program.ts';
import { fastClock } from './fast-clock.ts';
import { OddHub, type OddPeer, type ReadBatch } from './odd-hub.ts';
import { alert, detection, UplinkScene } from './uplink-scene.ts';

let hub: OddHub;
let scene: UplinkScene;

beforeEach(async () => {
  hub = await OddHub.start();
  scene = new UplinkScene('poison');
  await scene.open();
});

afterEach(async () => {
  await scene.end();
  hub.end();
});

const emptied = () => waitFor('an empty queue', async () => (await scene.depth()) === 0);

function ackAndKeep(batch: ReadBatch, peer: OddPeer): void {
  const { epoch, lane, items } = batch.data;
  const last = items.at(-1);
  const through = last && isGapItem(last) ? last.gap.to_seq : (last?.seq ?? 0);
  hub.acked = [
    ...hub.acked.filter((ack) => ack.lane !== lane),
    { epoch, lane, acked_through: through },
  ];
  peer.ack(batch);
}

/** Whether the batch holds the alert of that number. */
function holds({ data }: ReadBatch, n: number): boolean {
  return data.items.some((item) => {
    if (isGapItem(item)) return false;
    return (item.data as { data?: { n?: number } }).data?.n === n;
  });
}

/** A site where something else goes on: every connection has another message to deliver. */
function startLively(): void {
  let n = 0;
  const uplink = scene.uplink(hub.url, { clock: fastClock });
  uplink.onStatus(({ state }) => {
    if (state === 'authenticated') void scene.store.enqueue([detection(n++)]);
  });
  uplink.start();
}

const envelopes = () =>
  hub.batches
    .flatMap(({ data }) => data.items)
    .filter((item) => JSON.stringify(item).includes('original_unreadable'));

describe('a message that the hub cannot take', () => {
  test('and that breaks its connections is given up alone; every other one arrives', async () => {
    hub.onBatch = (batch, peer) => (holds(batch, 2) ? peer.terminate() : ackAndKeep(batch, peer));
    await scene.store.enqueue([alert(1), alert(2), alert(3)]);
    await scene.store.enqueue(Array.from({ length: 100 }, (_, n) => detection(n)));
    startLively();
    await waitFor('the envelope', () => envelopes().length === 1);
    await emptied();
    expect((await scene.store.queue()).deadLetters).toBe(1);
    const gaps = hub.batches.flatMap(({ data }) => data.items.filter(isGapItem));
    expect(gaps.map(({ gap }) => [gap.from_seq, gap.to_seq, gap.reason])).toEqual([
      [2, 2, 'poison'],
    ]);
    expect(envelopes()).toHaveLength(1);
    for (const n of [1, 3]) expect(hub.batches.some((batch) => holds(batch, n))).toBe(true);
    const alone = hub.batches.filter((batch) => holds(batch, 2) && batch.data.items.length === 1);
    expect(alone.length).toBeGreaterThanOrEqual(5);
  });

  test('and that it never acknowledges is given up once others were', async () => {
    hub.onBatch = (batch, peer) => {
      if (!holds(batch, 2)) ackAndKeep(batch, peer);
    };
    await scene.store.enqueue([alert(2)]);
    startLively();
    await waitFor('the envelope', () => envelopes().length === 1, 50_000);
    expect((await scene.store.queue()).deadLetters).toBe(1);
  });
});

describe('an alert is not given up', () => {
  test('by a hub that dies over everything', async () => {
    hub.onBatch = (batch, peer, connection) =>
      connection <= 25 ? peer.terminate() : ackAndKeep(batch, peer);
    await scene.store.enqueue([alert(1), detection(1)]);
    scene.uplink(hub.url, { clock: fastClock }).start();
    await emptied();
    expect(hub.peers.length).toBeGreaterThan(25);
    expect((await scene.store.queue()).deadLetters).toBe(0);
  });

  test('by a hub that restarts whenever it gets it', async () => {
    hub.onBatch = (batch, peer, connection) =>
      connection <= 25 ? peer.close(1012) : ackAndKeep(batch, peer);
    await scene.store.enqueue([alert(1)]);
    scene.uplink(hub.url, { clock: fastClock }).start();
    await emptied();
    expect((await scene.store.queue()).deadLetters).toBe(0);
  });

  test('by a hub whose disk is stuck: it answers heartbeats and acknowledges nothing', async () => {
    hub.onBatch = (batch, peer, connection) => {
      if (connection > 6) ackAndKeep(batch, peer);
    };
    await scene.store.enqueue([alert(1), detection(1)]);
    scene.uplink(hub.url, { clock: fastClock }).start();
    await waitFor('an empty queue', async () => (await scene.depth()) === 0, 55_000);
    expect((await scene.store.queue()).deadLetters).toBe(0);
  });
});
