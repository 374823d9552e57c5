import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assembleBatch,
  type OutboxRow,
  type ReadSpan,
} from '../../../src/store/outbox/outbox-rows.ts';
import { ROW_FLAGS } from '../../../src/store/outbox/outbox-schema.ts';

function row(seq: number, text = `{"n":${seq}}`, more: Partial<OutboxRow> = {}): OutboxRow {
  const body = Buffer.from(text);
  return {
    seq,
    message_id: Buffer.from('0198c0de11117abc8def0123456789ab', 'hex'),
    type: 'alert_triggered',
    schema_version: 1,
    camera_id: null,
    wall_ms: 1000,
    mono_ms: 10,
    flags: 0,
    bytes: body.length,
    crc32: crc32(body),
    body,
    ...more,
  };
}

const span = (more: Partial<ReadSpan>): ReadSpan => ({
  afterSeq: 0,
  lastSeq: 3,
  ackedSeq: 0,
  holeReason: 'storage_corruption',
  maxItems: 64,
  maxBytes: 1000,
  ...more,
});

const gap = (from: number, to: number, reason: string) => ({
  kind: 'gap',
  seq: from,
  gap: { from_seq: from, to_seq: to, count: to - from + 1, reason },
});

describe('assembleBatch', () => {
  test('rows become items with their message id as text', () => {
    const batch = assembleBatch([row(1)], span({ lastSeq: 1 }));
    expect(batch).toMatchObject({ through: 1, bytes: 7, damaged: [] });
    expect(batch.items).toMatchObject([
      {
        kind: 'message',
        seq: 1,
        messageId: '0198c0de-1111-7abc-8def-0123456789ab',
        body: '{"n":1}',
      },
    ]);
  });

  test('stops at the limit of items and of bytes, but takes a large first one', () => {
    const rows = [row(1), row(2), row(3)];
    expect(assembleBatch(rows, span({ maxItems: 2 }))).toMatchObject({ through: 2, bytes: 14 });
    expect(assembleBatch(rows, span({ maxBytes: 15 }))).toMatchObject({ through: 2, bytes: 14 });
    expect(assembleBatch(rows, span({ maxBytes: 1 }))).toMatchObject({ through: 1, bytes: 7 });
  });

  test('missing numbers are declared, by whether the hub had them', () => {
    const batch = assembleBatch([row(6)], span({ afterSeq: 1, lastSeq: 8, ackedSeq: 3 }));
    expect(batch.items.filter(({ kind }) => kind === 'gap')).toEqual([
      gap(2, 3, 'hub_regression'),
      gap(4, 5, 'storage_corruption'),
      gap(7, 8, 'storage_corruption'),
    ]);
    expect(batch.through).toBe(8);
  });

  test('a stream without any row left is one gap', () => {
    const batch = assembleBatch([], span({ lastSeq: 9, ackedSeq: 9 }));
    expect(batch.items).toEqual([gap(1, 9, 'hub_regression')]);
  });

  test('a gap row stands for its whole range', () => {
    const text = JSON.stringify({ from_seq: 1, to_seq: 5, count: 5, reason: 'disk_budget' });
    const rows = [row(1, text, { flags: ROW_FLAGS.gap }), row(6)];
    const batch = assembleBatch(rows, span({ lastSeq: 6 }));
    expect(batch.items.map(({ seq }) => seq)).toEqual([1, 6]);
    expect(batch.through).toBe(6);
  });

  test('a damaged body goes out as a gap', () => {
    const batch = assembleBatch([row(1, '{}', { crc32: 1 }), row(2)], span({ lastSeq: 2 }));
    expect(batch.items[0]).toEqual(gap(1, 1, 'storage_corruption'));
    expect(batch.damaged).toEqual([1]);
  });

  test('whatever rows are left, the items cover every number once', () => {
    const property = fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 40 })),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 10 }),
      (seqs, afterSeq, ackedSeq, maxItems) => {
        const rows = seqs
          .sort((a, b) => a - b)
          .filter((seq) => seq > afterSeq)
          .map((seq) => row(seq));
        const batch = assembleBatch(rows, span({ afterSeq, ackedSeq, lastSeq: 40, maxItems }));
        let expected = afterSeq + 1;
        for (const item of batch.items) {
          expect(item.seq).toBe(expected);
          expected = item.kind === 'gap' ? item.gap.to_seq + 1 : item.seq + 1;
        }
        expect(batch.through).toBe(expected - 1);
        if (afterSeq < 40) expect(batch.through).toBeGreaterThan(afterSeq);
      },
    );
    fc.assert(property);
  });
});
