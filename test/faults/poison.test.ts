import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMITS } from '../../src/protocol/limits.ts';
import { RawClient } from '../integration/hub/raw-client.ts';
import { readHubRecord } from './support/hub-record.ts';
import { FaultScene } from './support/scene.ts';
import { IS_LONG, SEED } from './support/seed.ts';

const QUARANTINED = 1;
/** In the short form; a million in the long one. */
const BATCHES = IS_LONG ? 50_000 : 150;
const FRAMES = IS_LONG ? 20_000 : 150;

const good = (seq: number) => ({
  seq,
  message_id: randomUUID(),
  type: 'alert_triggered',
  schema_version: 1,
  timestamp: 1,
  mono_ms: 1,
  data: { type: 'intrusion', camera_id: 'c', severity: 'high', timestamp: 1, data: { seq } },
});

/** What an item may be made of: valid parts, parts of the wrong shape, newer and older versions. */
const item = fc.record(
  {
    message_id: fc.oneof(fc.uuid(), fc.string()),
    type: fc.oneof(
      fc.constantFrom('alert_triggered', 'ai_detection_result', 'heartbeat', 'of_the_future'),
      fc.string(),
    ),
    schema_version: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double(), fc.string()),
    timestamp: fc.oneof(fc.double(), fc.integer(), fc.string()),
    mono_ms: fc.oneof(fc.double(), fc.constant(null)),
    data: fc.oneof(fc.jsonValue(), fc.constant(good(1).data)),
  },
  { requiredKeys: [] },
);

test('18 items of every wrong shape: each is kept apart or stored, the good one behind them is acknowledged', async () => {
  const scene = await FaultScene.create();
  const { hub } = scene;
  await hub.open();
  const epoch = randomUUID();
  const streams = [{ epoch, lane: 0, first_seq: 1, next_seq: 1 }];
  const identity = { token: hub.tokenOf('edge-1'), clientId: 'edge-1', streams };
  const client = await RawClient.identified(hub.url, identity);
  let next = 1;
  let rejected = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(item, { maxLength: 8 }), async (bad) => {
      const first = next;
      const items = [
        ...bad.map((entry, index) => ({ ...entry, seq: first + index })),
        good(first + bad.length),
      ];
      next += items.length;
      client.send('message_batch', { epoch, lane: 0, first_seq: first, items });
      const ack = await client.next('batch_ack');
      expect(ack.data.acks[0].acked_through).toBe(next - 1);
      rejected += ack.data.rejected.length;
    }),
    { numRuns: BATCHES, seed: SEED },
  );
  client.ws.terminate();
  expect(hub.process.hasEnded).toBe(false);
  await hub.stop();
  const { events } = readHubRecord(hub.databasePath);
  expect(events.filter(({ status }) => status === QUARANTINED)).toHaveLength(rejected);
  expect(rejected).toBeGreaterThan(0);
});

test('18 frames of every wrong shape and too large ones: the hub lives and serves the next client', async () => {
  const scene = await FaultScene.create();
  const { hub } = scene;
  await hub.open();
  const identity = { token: hub.tokenOf('edge-1'), clientId: 'edge-1' };
  const frame = fc.oneof(
    fc.string(),
    fc.json(),
    fc.uint8Array({ maxLength: 200 }),
    fc
      .record({
        type: fc.constantFrom('message_batch', 'subscribe', 'heartbeat', 'x'),
        data: fc.jsonValue(),
      })
      .map((value) => JSON.stringify(value)),
  );
  let client = await RawClient.identified(hub.url, identity);
  await fc.assert(
    fc.asyncProperty(frame, async (payload) => {
      if (client.ws.readyState !== client.ws.OPEN)
        client = await RawClient.identified(hub.url, identity);
      client.ws.send(payload);
    }),
    { numRuns: FRAMES, seed: SEED },
  );
  client.ws.send('x'.repeat(3 * LIMITS.maxFrameBytes));
  await client.closed;
  const epoch = randomUUID();
  const streams = [{ epoch, lane: 0, first_seq: 1, next_seq: 1 }];
  const after = await RawClient.identified(hub.url, { ...identity, streams });
  after.send('message_batch', { epoch, lane: 0, first_seq: 1, items: [good(1)] });
  const ack = await after.next('batch_ack');
  expect(ack.data.acks[0].acked_through).toBe(1);
  after.ws.terminate();
});
