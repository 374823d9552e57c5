import { describe, expect, test } from 'vitest';
import { DeviceClock } from '../../../src/hub/ingest/device-clock.ts';
import { judgeBatch } from '../../../src/hub/ingest/ingest.ts';
import type { MessageItem } from '../../../src/protocol/batch.ts';

const ALERT: MessageItem = {
  seq: 1,
  message_id: '01980000-0000-7000-8000-000000000001',
  type: 'alert_triggered',
  schema_version: 1,
  timestamp: 1_767_225_590_000.4,
  mono_ms: 1,
  data: {
    type: 'intrusion',
    camera_id: 'gate',
    severity: 'high',
    timestamp: 1_767_225_590_000,
    data: { zone: 'dock' },
    added_later: true,
  },
};

const clock = new DeviceClock(undefined, [], undefined);
const timeOf = (wallMs: number, monoMs: number) => clock.judge('epoch', wallMs, monoMs);

const judges = { timeOf, mayDeliver: () => null };

const judgeOne = (item: MessageItem) => {
  const { items, rejected } = judgeBatch([item], 7, judges);
  return { item: items[0]!, rejection: rejected[0] };
};

describe('judging messages', () => {
  test('a valid message is kept with all its fields', () => {
    const { item, rejection } = judgeOne({ ...ALERT, replayed: true });
    expect(rejection).toBeUndefined();
    expect(item).toMatchObject({
      status: 0,
      cameraId: 'gate',
      deviceMs: 1_767_225_590_000,
      replayed: true,
    });
    expect(JSON.parse(item.body)).toEqual(ALERT.data);
  });

  test('an invalid one is quarantined as it came, and reported', () => {
    const data = { ...(ALERT.data as object), severity: 'terrible' };
    const { item, rejection } = judgeOne({ ...ALERT, data });
    expect(item.status).toBe(1);
    expect(JSON.parse(item.body)).toEqual(data);
    expect(rejection).toMatchObject({ seq: 1, code: 'schema_invalid', quarantined: true });
    expect(rejection?.message).toMatch(/^severity: /);
  });

  test('a message without data is quarantined', () => {
    const { item } = judgeOne({ ...ALERT, data: undefined });
    expect(item).toMatchObject({ status: 1, body: 'null' });
  });

  test('a newer version or an unknown type is kept unread', () => {
    expect(judgeOne({ ...ALERT, schema_version: 99, data: 7 }).item.status).toBe(2);
    expect(judgeOne({ ...ALERT, type: 'smoke_detected' }).item.status).toBe(2);
  });

  test('a message cannot pose as a frame of the session', () => {
    for (const type of ['identification_success', 'error', 'subscribe'])
      expect(judgeOne({ ...ALERT, type }).rejection?.code).toBe('reserved_type');
  });

  test('names of the object prototype are unknown types, not schemas', () => {
    expect(judgeOne({ ...ALERT, type: 'constructor' }).item.status).toBe(2);
  });

  test('a device clock gone mad still gives a time that can be stored', () => {
    const { item } = judgeOne({ ...ALERT, timestamp: 1e300 });
    expect(Number.isSafeInteger(item.deviceMs)).toBe(true);
  });

  test('a gap stands for its range', () => {
    const gap = { from_seq: 50, to_seq: 61, count: 12, reason: 'poison' };
    expect(judgeBatch([{ seq: 50, gap }], 50, judges).items[0]).toMatchObject({
      seq: 50,
      toSeq: 61,
      status: 3,
      messageId: null,
    });
  });
});
