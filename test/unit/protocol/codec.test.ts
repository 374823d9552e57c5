import { describe, expect, test } from 'vitest';
import { batchItemSchema, type MessageBatch } from '../../../src/protocol/batch.ts';
import { CLOSE_CODES } from '../../../src/protocol/close-codes.ts';
import {
  encodeFrame,
  isTooDeep,
  parseClientFrame,
  parseServerFrame,
  requestIdOf,
} from '../../../src/protocol/codec.ts';
import { ERROR_CODES, isRetryable } from '../../../src/protocol/error-codes.ts';
import type { ClientFrame, ServerFrame } from '../../../src/protocol/frames.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { PAYLOADS, payloadVersions } from '../../../src/protocol/payloads.ts';
import type { ClientIdentify } from '../../../src/protocol/session.ts';
import type { BroadcastEvent } from '../../../src/protocol/subscription.ts';
import { goodFrames } from './corpus.ts';

const EPOCH = '0198c0de-1111-7abc-8def-0123456789ab';
const MESSAGE_ID = '0198c0de-2222-7abc-8def-0123456789ab';
const at = { timestamp: 1_767_225_600_000, request_id: 'r-1' };
const key = { epoch: EPOCH, lane: 0 as const };

const identify: ClientIdentify = {
  type: 'client_identify',
  ...at,
  data: {
    client_id: 'edge-0042',
    client_type: 'ai_engine',
    auth: { token: 'secret' },
    protocol: 2,
    capabilities: ['batch', 'resume', 'credit'],
    boot_id: '0b6f',
    session_token: null,
    clock: { synced: true, mono_ms: 812_345 },
    schema_versions: { alert_triggered: 3 },
    resume: { streams: [{ ...key, first_seq: 41, next_seq: 57 }] },
  },
};

const batch: MessageBatch = {
  type: 'message_batch',
  ...at,
  data: {
    ...key,
    first_seq: 49,
    items: [
      {
        seq: 49,
        message_id: MESSAGE_ID,
        type: 'alert_triggered',
        schema_version: 3,
        timestamp: 1,
        mono_ms: 2.5,
        replayed: true,
        data: { anything: [1, null] },
      },
      { seq: 50, gap: { from_seq: 50, to_seq: 61, count: 12, reason: 'poison' } },
    ],
  },
};

const clientFrames = goodFrames('v2', 'client') as ClientFrame[];
const serverFrames = goodFrames('v2', 'server') as (ServerFrame | BroadcastEvent)[];

function textOf(frame: ClientFrame | ServerFrame | BroadcastEvent): string {
  const encoded = encodeFrame(frame);
  if (!encoded.ok) throw new Error(encoded.message);
  return encoded.text;
}

describe('frames', () => {
  test('of a client come back as they went', () => {
    for (const frame of clientFrames)
      expect(parseClientFrame(textOf(frame))).toEqual({ ok: true, frame });
  });

  test('of a server come back as they went', () => {
    for (const frame of serverFrames) {
      const expected =
        'event_id' in frame ? { kind: 'event', event: frame } : { kind: 'frame', frame };
      expect(parseServerFrame(textOf(frame))).toEqual({ ok: true, ...expected });
    }
  });

  test('unknown fields are ignored', () => {
    const text = JSON.stringify({ ...identify, more: 1, data: { ...identify.data, more: 2 } });
    expect(parseClientFrame(text)).toEqual({ ok: true, frame: identify });
  });

  test('as many streams as one introduction may name fit into the frame of an unknown client', () => {
    const stream = { ...key, first_seq: 9_007_199_254, next_seq: 9_007_199_254 };
    const streams = Array.from({ length: 104 }, () => stream);
    const frame = {
      ...identify,
      data: { ...identify.data, auth: { token: 't'.repeat(512) }, resume: { streams } },
    };
    expect(parseClientFrame(textOf(frame), LIMITS.preAuthFrameBytes).ok).toBe(true);
  });
});

describe('faults', () => {
  test('an unknown type is told apart, with what its answer needs', () => {
    expect(parse({ type: 'dance', timestamp: 1, request_id: 'r-7', data: {} })).toMatchObject({
      ok: false,
      fault: 'unknown_type',
      type: 'dance',
      requestId: 'r-7',
    });
  });

  test.each(['constructor', '__proto__', 'toString'])('%s is an unknown type', (type) => {
    const text = `{"type":${JSON.stringify(type)},"timestamp":1,"data":{}}`;
    expect(parseClientFrame(text)).toMatchObject({ ok: false, fault: 'unknown_type' });
    expect(parseServerFrame(text)).toMatchObject({ ok: false, fault: 'unknown_type' });
  });

  test('a fault names the place', () => {
    const data = { ...batch.data, items: [] };
    const result = parse({ ...batch, data });
    expect(result).toMatchObject({ ok: false, fault: 'invalid', type: 'message_batch' });
    expect(result.ok ? '' : result.message).toContain('data.items');
  });

  test.each([null, 1, 'x', [], [{ type: 'heartbeat' }], {}, { type: 4 }])(
    '%j is invalid',
    (value) => {
      expect(parse(value)).toMatchObject({ ok: false, fault: 'invalid' });
    },
  );

  test.each(['', '{', '{"type":"heartbeat"}}', 'null\u0000'])('%j is not JSON', (text) => {
    expect(parseClientFrame(text)).toMatchObject({ ok: false, fault: 'not_json' });
  });

  test('a frame over the limit is not even read', () => {
    const text = textOf(identify);
    const result = parseClientFrame(text, text.length - 1);
    expect(result).toMatchObject({ ok: false, fault: 'too_large' });
  });

  test('data that JSON cannot hold is no frame, and does not throw', () => {
    const circle: { data?: unknown } = {};
    circle.data = circle;
    const event = { type: 'x', timestamp: 1, event_id: 1, client_id: 'c', data: circle };
    expect(encodeFrame(event)).toMatchObject({ ok: false });
    const large = { ...event, data: 'x'.repeat(LIMITS.maxFrameBytes) };
    expect(encodeFrame(large)).toMatchObject({ ok: false });
  });
});

describe('what is said of a frame that cannot be read', () => {
  test.each([
    ['{"type":"heartbeat","timestamp":1,"request_id":"r-1","data":{"mono', 'r-1'],
    ['{ "request_id" : "r 2" , "type":"x", "data": "', 'r 2'],
    ['{"type":"x","data":{"request_id":"inner"', undefined],
    ['{"request_id":7,', undefined],
    [`{"type":"${'x'.repeat(600)}","request_id":"late"`, undefined],
    [`{"request_id":"${'r'.repeat(129)}"`, undefined],
    ['', undefined],
  ])('%s', (text, requestId) => {
    expect(requestIdOf(text)).toBe(requestId);
  });

  test('one that is too large is named by its head', () => {
    const text = `{"type":"message_batch","timestamp":1,"request_id":"r-1","data":"${'x'.repeat(99)}"}`;
    const fault = { fault: 'too_large', type: 'message_batch', requestId: 'r-1' };
    expect(parseClientFrame(text, 100)).toMatchObject(fault);
  });

  test('a key of any length does not make the answer long', () => {
    const pending = { ['k'.repeat(10_000)]: 1 };
    const result = parse({ type: 'heartbeat', timestamp: 1, data: { mono_ms: 1, pending } });
    expect(result.ok ? '' : result.message).toHaveLength(256);
  });
});

describe('bounds', () => {
  const manyKeys = (keys: number) =>
    Object.fromEntries(Array.from({ length: keys }, (_, index) => [`k${index}`, 1]));

  test('a map has no more entries than its limit', () => {
    const heartbeat = (keys: number) =>
      parse({ type: 'heartbeat', timestamp: 1, data: { mono_ms: 1, pending: manyKeys(keys) } });
    expect(heartbeat(16).ok).toBe(true);
    expect(heartbeat(17)).toMatchObject({ fault: 'invalid' });
  });

  test('a gap may name thousands of cameras', () => {
    const gap = { from_seq: 1, to_seq: 2, count: 2, reason: 'ttl' };
    expect(
      batchItemSchema.safeParse({ seq: 1, gap: { ...gap, by_camera: manyKeys(4096) } }).success,
    ).toBe(true);
  });

  test('nesting that no one can walk is refused', () => {
    const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const nested = (levels: number) =>
      parseClientFrame(JSON.stringify(batch).replace('{"anything":[1,null]}', deep(levels)));
    // Frame, data, items and item are around it.
    expect(nested(LIMITS.maxDepth - 4).ok).toBe(true);
    expect(nested(LIMITS.maxDepth - 3)).toMatchObject({ ok: false, fault: 'invalid' });
    expect(nested(50_000)).toMatchObject({ ok: false, fault: 'invalid', requestId: 'r-1' });
    const payload = (levels: number) => JSON.parse(deep(levels)) as unknown;
    expect(isTooDeep(payload(LIMITS.maxDepth - 4))).toBe(false);
    expect(isTooDeep(payload(LIMITS.maxDepth - 3))).toBe(true);
    expect(isTooDeep([payload(LIMITS.maxDepth - 4)])).toBe(true);
  });
});

test('an introduction names the newest version of every payload', () => {
  const versions = Object.entries(PAYLOADS).map(([type, { version }]) => [type, version]);
  expect(payloadVersions()).toEqual(Object.fromEntries(versions));
});

test('only codes of the list can be retryable', () => {
  const retryable = Object.keys(ERROR_CODES).filter(isRetryable);
  expect(retryable).toEqual([
    'identify_timeout',
    'too_many_sessions',
    'edge_offline',
    'edge_timeout',
    'too_many_requests',
    'try_later',
    'store_unavailable',
  ]);
  expect(['constructor', 'x_of_the_future'].map(isRetryable)).toEqual([false, false]);
});

test('an error that closes the connection names a close code of the list', () => {
  const closes = Object.values(ERROR_CODES).flatMap((code) =>
    'closes' in code ? [code.closes] : [],
  );
  expect(Object.values(CLOSE_CODES)).toEqual(expect.arrayContaining(closes));
});

const parse = (value: unknown) => parseClientFrame(JSON.stringify(value));
