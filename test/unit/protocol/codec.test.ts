import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MessageBatch } from '../../../src/protocol/batch.ts';
import { encodeFrame, parseClientFrame, parseServerFrame } from '../../../src/protocol/codec.ts';
import {
  CLIENT_FRAMES,
  type ClientFrame,
  SERVER_FRAMES,
  type ServerFrame,
} from '../../../src/protocol/frames.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import type { ClientIdentify } from '../../../src/protocol/session.ts';
import type { BroadcastEvent } from '../../../src/protocol/subscription.ts';

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

const clientFrames: ClientFrame[] = [
  identify,
  batch,
  { type: 'heartbeat', ...at, data: { mono_ms: 1, pending: { '0': 0, '2': 120 } } },
  {
    type: 'subscribe',
    ...at,
    data: { types: ['alert_triggered'], cameras: ['*'], after_event_id: 88_120 },
  },
  { type: 'unsubscribe', ...at, data: {} },
  { type: 'client_goodbye', ...at, data: { pending: { '0': 1 } } },
  { type: 'error', ...at, data: { code: 'x', message: 'y', retryable: false } },
];

const flow = { credit_messages: 512, credit_bytes: 1_048_576 };

const serverFrames: ServerFrame[] = [
  {
    type: 'connection_established',
    ...at,
    data: {
      connection_id: 'c-91',
      server_time: 1,
      protocol: { min: 1, max: 2 },
      capabilities: ['batch'],
      limits: { max_frame_bytes: 1_048_576, identify_timeout_ms: 5000, heartbeat_ms: 5000 },
    },
  },
  {
    type: 'identification_success',
    ...at,
    data: {
      session_token: 's',
      store_id: 'hub-1',
      server_time: 1,
      resume: { streams: [{ ...key, acked_through: 48 }] },
      flow,
      reconnect: { base_ms: 100, cap_ms: 750 },
    },
  },
  { type: 'heartbeat_ack', ...at, data: { client_timestamp: 1, server_time: 2 } },
  {
    type: 'batch_ack',
    ...at,
    data: {
      acks: [{ ...key, acked_through: 61 }],
      rejected: [{ seq: 49, code: 'schema_invalid', message: 'severity', quarantined: true }],
      flow,
    },
  },
  { type: 'flow_update', ...at, data: { ...flow, reason: 'hub_busy', resume_after_ms: 200 } },
  { type: 'resync_required', ...at, data: { ...key, expected_seq: 62, reason: 'sequence_gap' } },
  { type: 'subscription_success', ...at, data: { types: ['*'], cameras: ['*'], last_event_id: 0 } },
  { type: 'server_draining', ...at, data: { reconnect_after_ms: 420, deadline_ms: 3000 } },
  {
    type: 'error',
    ...at,
    data: { code: 'auth_failed', message: 'expired', retryable: false, retry_after_ms: 60_000 },
  },
];

function textOf(frame: ClientFrame | ServerFrame | BroadcastEvent): string {
  const encoded = encodeFrame(frame);
  if (!encoded.ok) throw new Error(encoded.message);
  return encoded.text;
}

describe('frames', () => {
  test('every type has an example here', () => {
    expect(clientFrames.map(({ type }) => type).sort()).toEqual(Object.keys(CLIENT_FRAMES).sort());
    expect(serverFrames.map(({ type }) => type).sort()).toEqual(Object.keys(SERVER_FRAMES).sort());
  });

  test.each(clientFrames)('$type of a client comes back as it went', (frame) => {
    expect(parseClientFrame(textOf(frame))).toEqual({ ok: true, frame });
  });

  test.each(serverFrames)('$type of a server comes back as it went', (frame) => {
    expect(parseServerFrame(textOf(frame))).toEqual({ ok: true, kind: 'frame', frame });
  });

  test('an event for subscribers comes back, whatever its type', () => {
    const event: BroadcastEvent = {
      type: 'from_the_future',
      timestamp: 1,
      event_id: 7,
      client_id: 'edge-1',
      data: { camera_id: 'c' },
    };
    expect(parseServerFrame(textOf(event))).toEqual({ ok: true, kind: 'event', event });
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
  const parse = (value: unknown) => parseClientFrame(JSON.stringify(value));

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

describe('fuzz', () => {
  const settle = (text: string): void => {
    for (const result of [parseClientFrame(text), parseServerFrame(text)]) {
      expect(typeof result.ok).toBe('boolean');
      if (!result.ok) expect(result.message).not.toBe('');
    }
  };

  test('no text makes the parser throw', () => {
    fc.assert(fc.property(fc.string(), settle), { numRuns: 500 });
    fc.assert(fc.property(fc.json(), settle), { numRuns: 500 });
  });

  test('nesting that no one can walk is refused', () => {
    const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const nested = (levels: number) =>
      parseClientFrame(JSON.stringify(batch).replace('{"anything":[1,null]}', deep(levels)));
    expect(nested(50).ok).toBe(true);
    expect(nested(50_000)).toMatchObject({ ok: false, fault: 'invalid' });
  });

  test('a frame with any one part replaced is parsed or refused, never thrown', () => {
    const frames = [...clientFrames, ...serverFrames];
    const property = fc.property(
      fc.constantFrom(...frames),
      fc.nat(),
      fc.jsonValue(),
      (frame, place, value) => {
        const paths = pathsOf(frame);
        const path = paths[place % paths.length] ?? [];
        settle(JSON.stringify(replaced(frame, path, value)));
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, part]) => pathsOf(part, [...path, name]))];
}

function replaced(value: unknown, [name, ...rest]: Path, part: unknown): unknown {
  if (name === undefined) return part;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[name] = replaced(copy[name], rest, part);
  return copy;
}
