import { expect, test } from 'vitest';
import { parseClientFrame } from '../../../src/protocol/codec.ts';
import type { OutboxItem } from '../../../src/store/outbox/outbox-rows.ts';
import { batchFrame } from '../../../src/uplink/dialect/batch-frame.ts';

const EPOCH = '0198c0de-1111-7abc-8def-0123456789ab';
const now = { wallMs: 50_000.5, monoMs: 10_000.25 };

function message(seq: number, monoMs: number, data: unknown): OutboxItem {
  return {
    kind: 'message',
    seq,
    messageId: '0198c0de-2222-7abc-8def-0123456789ab',
    type: 'alert_triggered',
    schemaVersion: 1,
    cameraId: 'gate',
    wallMs: 40_000,
    monoMs,
    body: JSON.stringify(data),
  };
}

const gap = { from_seq: 9, to_seq: 12, count: 4, reason: 'disk_budget' };
const items: OutboxItem[] = [
  message(7, 9000, { text: 'a "quoted" — ünicode \u2028 line' }),
  message(8, 4999, [1, null]),
  { kind: 'gap', seq: 9, gap },
];
const batch = { requestId: 'b-1', epoch: EPOCH, lane: 0, firstSeq: 7, through: 12, items } as const;

test('is the frame that the protocol describes', () => {
  const parsed = parseClientFrame(batchFrame({ ...batch, isSameBoot: true }, now));
  expect(parsed).toMatchObject({
    ok: true,
    frame: {
      type: 'message_batch',
      timestamp: 50_000.5,
      request_id: 'b-1',
      data: { epoch: EPOCH, lane: 0, first_seq: 7 },
    },
  });
  const frame = parsed.ok && parsed.frame.type === 'message_batch' ? parsed.frame : null;
  expect(frame?.data.items).toEqual([
    {
      seq: 7,
      message_id: '0198c0de-2222-7abc-8def-0123456789ab',
      type: 'alert_triggered',
      schema_version: 1,
      timestamp: 40_000,
      mono_ms: 9000,
      data: { text: 'a "quoted" — ünicode \u2028 line' },
    },
    expect.objectContaining({ seq: 8, replayed: true, data: [1, null] }),
    { seq: 9, gap },
  ]);
});

test('what another run of the kernel left is never live', () => {
  const text = batchFrame({ ...batch, isSameBoot: false }, now);
  expect(text.match(/"replayed":true/g)).toHaveLength(2);
});
