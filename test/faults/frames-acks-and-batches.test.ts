import { expect, test } from 'vitest';
import type { BatchAck, MessageBatch } from '../../src/protocol/batch.ts';
import { freePort, waitFor } from '../support/program.ts';
import { FrameProxy, type Middle } from './support/frame-proxy.ts';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { SEED, seconds, seeded } from './support/seed.ts';
import { RecordingSubscriber } from './support/subscriber.ts';

const RATES = { alert: 60, face: 40, event: 20, detection: 150, status: 2 };
const MEDDLING_S = 12;

async function sceneBehindProxy(): Promise<{ proxy: FrameProxy; scene: FaultScene }> {
  const port = await freePort();
  const proxy = await FrameProxy.open(`ws://127.0.0.1:${port}/ws`);
  const scene = await FaultScene.create({ hub: { port }, edge: { hubUrl: proxy.url } });
  await scene.hub.open();
  await scene.edge.open();
  return { proxy, scene };
}

test('17 acknowledgements doubled, reordered and lost: no event twice, none missing', async () => {
  const { proxy, scene } = await sceneBehindProxy();
  const subscriber = new RecordingSubscriber(() => scene.hub.url, scene.hub.viewerToken);
  const random = seeded(SEED);
  const done = { doubled: 0, reordered: 0, lost: 0 };
  let held: BatchAck | null = null;
  proxy.meddler = {
    toEdge: (frame) => {
      if (frame.type !== 'batch_ack') return [frame];
      const late = held;
      held = null;
      const behind = late === null ? [] : [late];
      const choice = random();
      if (choice < 0.2) {
        done.doubled++;
        return [frame, frame, ...behind];
      }
      if (choice < 0.35) {
        done.lost++;
        return behind;
      }
      if (choice < 0.6) {
        done.reordered++;
        held = frame;
        return behind;
      }
      return [frame, ...behind];
    },
  };
  await scene.edge.command('rates', { rates: RATES });
  await waitFor('enough was meddled with', () => isEnough(Object.values(done)), 60_000);
  proxy.meddler = {};
  // The last one may have been lost, and would be waited for.
  proxy.cut();
  console.log(`acknowledgements: ${JSON.stringify(done)}, ${proxy.connections} connections`);
  await scene.recovers();
  const record = await scene.verdict();
  await subscriber.stop();
  expectSawAll(record, subscriber.seen);
});

test('17 batches replayed, swapped and lost: each replay is acknowledged again, and no event is stored twice', async () => {
  const { proxy, scene } = await sceneBehindProxy();
  const subscriber = new RecordingSubscriber(() => scene.hub.url, scene.hub.viewerToken);
  const random = seeded(SEED);
  const done = { replayed: 0, swapped: 0, lost: 0 };
  const seen: MessageBatch[] = [];
  const answered = new Set<string>();
  let held: MessageBatch | null = null;
  const replay = (): object => {
    const old = seen[Math.floor(random() * seen.length)];
    return { ...old, request_id: `replay-${done.replayed++}` };
  };
  proxy.meddler = {
    toHub: (frame) => {
      if (frame.type !== 'message_batch') return [frame];
      seen.push(frame);
      const late = held;
      held = null;
      const behind = late === null ? [] : [late];
      const choice = random();
      if (choice < 0.05 && late === null) {
        done.swapped++;
        held = frame;
        return [];
      }
      if (choice < 0.08) {
        done.lost++;
        return behind;
      }
      return choice < 0.5 ? [frame, ...behind, replay()] : [frame, ...behind];
    },
    toEdge: (frame) => {
      if (frame.type === 'batch_ack' && frame.request_id?.startsWith('replay-'))
        answered.add(frame.request_id);
      return [frame];
    },
  };
  await scene.edge.command('rates', { rates: RATES });
  await waitFor('enough was meddled with', () => isEnough(Object.values(done)), 60_000);
  proxy.meddler = { toEdge: proxy.meddler.toEdge };
  proxy.cut();
  console.log(`batches: ${JSON.stringify(done)}, ${proxy.connections} connections`);
  await scene.recovers();
  // Replays of the last connection that broke may have been lost with it.
  expect(answered.size).toBeGreaterThan(done.replayed / 2);
  const record = await scene.verdict();
  await subscriber.stop();
  expectSawAll(record, subscriber.seen);
});

test('17 a forged acknowledgement of what was never sent: the edge connects anew and deletes nothing', async () => {
  const { proxy, scene } = await sceneBehindProxy();
  const lane = async (): Promise<number> =>
    (await scene.edge.command('queue')).lanes.find((entry) => entry.lane === 0)?.depth ?? 0;
  let swallowed: { batch: MessageBatch; middle: Middle } | null = null;
  proxy.meddler = {
    toHub: (frame, middle) => {
      if (frame.type !== 'message_batch') return [frame];
      swallowed ??= { batch: frame, middle };
      return [];
    },
  };
  await scene.edge.command('burst', { kind: 'alert', count: 500, group: 500 });
  const { batch, middle } = await waitFor('a batch was sent', () => swallowed);
  expect(await lane()).toBe(500);
  const before = proxy.connections;
  // Stored and numbered, but far behind what a new connection may have in flight.
  middle.toEdge(forgedAck(batch, batch.data.first_seq + 450));
  await waitFor('a new connection', () => proxy.connections > before, 5000);
  expect(await lane()).toBe(500);
  proxy.meddler = {};
  // What the new connection sent was swallowed as well.
  proxy.cut();
  await scene.recovers();
  await scene.verdict();
});

/** Meddled with for long enough and in every way. */
function isEnough(counts: readonly number[]): boolean {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total > seconds(MEDDLING_S) * 10 && counts.every((count) => count > 0);
}

function forgedAck(batch: MessageBatch, through: number): BatchAck {
  const { epoch, lane } = batch.data;
  return {
    type: 'batch_ack',
    timestamp: Date.now(),
    request_id: batch.request_id,
    data: { acks: [{ epoch, lane, acked_through: through }], rejected: [] },
  };
}
