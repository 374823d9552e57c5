import { beforeEach, describe, expect, test } from 'vitest';
import { Acknowledgements } from '../../../src/hub/ingest/acknowledgements.ts';
import type { StoredBatch } from '../../../src/hub/store/requests.ts';
import type { MessageBatch } from '../../../src/protocol/batch.ts';

const EPOCH = '01980000-0000-7000-8000-000000000001';
const flow = { credit_messages: 5, credit_bytes: 6 };
let sent: { type: string; request_id?: string | undefined; data: unknown }[];
let acknowledgements: Acknowledgements;

beforeEach(() => {
  sent = [];
  acknowledgements = new Acknowledgements({
    send: (frame) => sent.push(frame),
    credit: () => flow,
    wallMs: () => 1,
  });
});

function batch(requestId: string, lane: 0 | 2): MessageBatch {
  const data = { epoch: EPOCH, lane, first_seq: 1, items: [] };
  return { type: 'message_batch', timestamp: 0, request_id: requestId, data };
}

const stored = (ackedThrough: number, expectedSeq: number | null = null): StoredBatch => ({
  ackedThrough,
  expectedSeq,
  duplicates: 0,
  forked: 0,
  eventIds: [],
});
const ack = (lane: number, through: number) => ({ epoch: EPOCH, lane, acked_through: through });
const rejection = { seq: 3, code: 'schema_invalid', message: 'x', quarantined: true };

describe('acknowledgements', () => {
  test('of one commit are one frame: the newest number of each stream', async () => {
    acknowledgements.add(batch('r-1', 2), stored(64), []);
    acknowledgements.add(batch('r-2', 0), stored(1), []);
    acknowledgements.add(batch('r-3', 2), stored(128), []);
    expect(sent).toEqual([]);
    await Promise.resolve();
    expect(sent).toMatchObject([
      {
        type: 'batch_ack',
        request_id: 'r-3',
        data: { acks: [ack(2, 128), ack(0, 1)], rejected: [], flow },
      },
    ]);
  });

  test('refused messages are told under the request of their batch', async () => {
    acknowledgements.add(batch('r-1', 2), stored(2), []);
    acknowledgements.add(batch('r-2', 2), stored(4), [rejection]);
    acknowledgements.add(batch('r-3', 2), stored(6), []);
    await Promise.resolve();
    expect(sent).toMatchObject([
      { request_id: 'r-2', data: { acks: [ack(2, 4)], rejected: [rejection] } },
      { request_id: 'r-3', data: { acks: [ack(2, 6)], rejected: [] } },
    ]);
  });

  test('a hole is told behind its acknowledgement, and what lies behind it is not refused yet', async () => {
    acknowledgements.add(batch('r-1', 2), stored(2, 3), [rejection]);
    await Promise.resolve();
    expect(sent).toMatchObject([
      { type: 'batch_ack', data: { acks: [ack(2, 2)], rejected: [] } },
      { type: 'resync_required', request_id: 'r-1', data: { expected_seq: 3, lane: 2 } },
    ]);
    expect(sent).toHaveLength(2);
  });
});
