import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeFrame,
  parseClientFrame,
  parseLegacyClientFrame,
  parseLegacyServerFrame,
  parseServerFrame,
} from '../../../src/protocol/codec.ts';
import type { ClientFrame } from '../../../src/protocol/frames.ts';
import { isLegacyMessage } from '../../../src/protocol/legacy.ts';
import { fromLegacyMessage } from '../../../src/protocol/legacy-messages.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { goodFrames, judgeItem } from './corpus.ts';

/** Cases in all; `APEX_FUZZ_CASES=1000000` for a long run, `APEX_FUZZ_SEED` for another or a repeated one. */
const CASES = Number(process.env.APEX_FUZZ_CASES ?? 20_000);
const SEED = Number(process.env.APEX_FUZZ_SEED ?? 20_260_101);
const TIMEOUT_MS = Math.max(30_000, CASES);

const share = (part: number) => ({ numRuns: Math.ceil(CASES * part), seed: SEED });

/** Every way in takes the text, one way or the other. */
function settle(text: string): void {
  const results = [
    parseClientFrame(text),
    parseServerFrame(text),
    parseLegacyClientFrame(text),
    parseLegacyServerFrame(text),
  ];
  for (const result of results) {
    if (result.ok) judgeParts(result);
    else if (result.message === '') throw new Error('a fault without a message');
  }
  // Whatever the text said, it gave no property to objects that have none.
  for (const name in {}) throw new Error(`every object has got a ${name}`);
}

function judgeParts(result: object): void {
  if (!('frame' in result)) return;
  const frame = result.frame as { type: string; data?: { items?: unknown[] } };
  if (frame.type === 'message_batch') for (const item of frame.data?.items ?? []) judgeItem(item);
  if (isLegacyMessage(frame)) {
    const { timestampMs } = fromLegacyMessage(frame, 0);
    if (!Number.isFinite(timestampMs)) throw new Error('no time');
  }
}

const v2Client = goodFrames('v2', 'client') as ClientFrame[];
const frames: readonly unknown[] = [
  ...v2Client,
  ...goodFrames('v2', 'server'),
  ...goodFrames('v1', 'client'),
  ...goodFrames('v1', 'server'),
];
const frameTexts = frames.map((frame) => JSON.stringify(frame));

/** Names that objects have by nature, and values at the edges. */
const trickyKey = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'type',
  'data',
);
const trickyText = fc.constantFrom(
  '1e999',
  '-1e999',
  '9007199254740993',
  '-0',
  '1e-400',
  '"\\u0000"',
  '"\\ud800"',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  `${'['.repeat(70)}${']'.repeat(70)}`,
  '{}',
  '[]',
  'null',
  'true',
);
const anyText = fc.oneof(
  trickyText,
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
);

type Path = readonly string[];
const MARK = '\u0001here\u0001';

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, part]) => pathsOf(part, [...path, name]))];
}

/** The frame as text with one part replaced by a text, or with the text put beside it under a key. */
function spoiled(value: unknown, [name, ...rest]: Path, text: string): unknown {
  if (name === undefined) return `${MARK}${text}${MARK}`;
  if (Array.isArray(value))
    return value.map((part, index) => (String(index) === name ? spoiled(part, rest, text) : part));
  const parts = value as Record<string, unknown>;
  return { ...parts, [name]: spoiled(parts[name], rest, text) };
}

function textWith(value: unknown, path: Path, text: string): string {
  const json = JSON.stringify(spoiled(value, path, ''));
  const mark = JSON.stringify(`${MARK}${MARK}`);
  return json.split(mark).join(text);
}

const paths = frames.map((frame) => pathsOf(frame));

describe('no text makes the parser throw', () => {
  test(
    'text and JSON of any kind',
    () => {
      fc.assert(
        fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), settle),
        share(0.1),
      );
      fc.assert(fc.property(fc.json(), settle), share(0.1));
    },
    TIMEOUT_MS,
  );

  test(
    'a frame with one part replaced, also by what no serialiser writes',
    () => {
      const property = fc.property(fc.nat(), fc.nat(), anyText, (which, place, text) => {
        const index = which % frames.length;
        const options = paths[index] ?? [];
        settle(textWith(frames[index], options[place % options.length] ?? [], text));
      });
      fc.assert(property, share(0.4));
    },
    TIMEOUT_MS,
  );

  test(
    'a frame with a key of the sender’s in the wrong place',
    () => {
      const property = fc.property(fc.nat(), trickyKey, anyText, (which, key, text) => {
        const whole = frameTexts[which % frameTexts.length] ?? '';
        const at = whole.indexOf('{', (which * 7) % whole.length);
        const place = Math.max(0, at) + 1;
        const isLast = whole[place] === '}';
        settle(`${whole.slice(0, place)}"${key}":${text}${isLast ? '' : ','}${whole.slice(place)}`);
      });
      fc.assert(property, share(0.2));
    },
    TIMEOUT_MS,
  );

  test(
    'a frame cut off, doubled or with a character changed',
    () => {
      const property = fc.property(
        fc.nat(),
        fc.nat(),
        fc.string({ maxLength: 3 }),
        (which, at, put) => {
          const whole = frameTexts[which % frameTexts.length] ?? '';
          const place = at % whole.length;
          settle(whole.slice(0, place));
          settle(whole.slice(0, place) + put + whole.slice(place + 1));
          settle(whole.slice(0, place) + whole);
        },
      );
      fc.assert(property, share(0.1));
    },
    TIMEOUT_MS,
  );
});

test(
  'what is encoded is read back the same',
  () => {
    const property = fc.property(
      fc.nat(),
      fc.jsonValue({ maxDepth: 4 }),
      fc.string({ maxLength: 128 }),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
      (which, data, requestId, timestamp) => {
        const original = v2Client[which % v2Client.length] as ClientFrame;
        const frame = { ...original, request_id: requestId, timestamp } as ClientFrame;
        if (frame.type === 'message_batch')
          frame.data = { ...frame.data, items: [...frame.data.items.slice(0, 8), data] };
        const encoded = encodeFrame(frame);
        if (!encoded.ok) throw new Error(encoded.message);
        // JSON has one zero only.
        expect(parseClientFrame(encoded.text)).toEqual({
          ok: true,
          frame: JSON.parse(encoded.text),
        });
      },
    );
    fc.assert(property, share(0.1));
  },
  TIMEOUT_MS,
);

describe('hostile text costs no more than its length', () => {
  const fill = (unit: string, length: number) => unit.repeat(Math.floor(length / unit.length));
  const inBatch = (items: string) =>
    `{"type":"message_batch","timestamp":1,"data":{"epoch":"0198c0de-1111-7abc-8def-0123456789ab",` +
    `"lane":0,"first_seq":1,"items":[${items}]}}`;
  const keys = (length: number) => {
    const count = Math.floor(length / 16);
    return Array.from(
      { length: count },
      (_, index) => `"k${String(index).padStart(8, '0')}":1`,
    ).join();
  };

  const HOSTILE: Readonly<Record<string, (length: number) => string>> = {
    'nested lists': (length) => fill('[', length / 2) + fill(']', length / 2),
    'nested objects': (length) => fill('{"a":', length),
    'many small lists': (length) => inBatch(`[${fill('[],', length)}0]`),
    'many keys': (length) => inBatch(`{${keys(length)}}`),
    'many keys of a map': (length) =>
      `{"type":"heartbeat","timestamp":1,"data":{"mono_ms":1,"pending":{${keys(length)}}}}`,
    'one long text': (length) => inBatch(`"${fill('x', length)}"`),
    'many escapes': (length) => inBatch(`"${fill('\\u0041', length)}"`),
    'many quotes': (length) => fill('"', length),
    'spaces in the head': (length) => `{"type"${fill(' ', length)}`,
    'many digits': (length) => `{"type":"heartbeat","timestamp":${fill('9', length)}}`,
    'many wrong streams': (length) =>
      `{"type":"client_identify","timestamp":1,"data":{"resume":{"streams":[${fill('{},', length)}{}]}}}`,
    'many faces': (length) =>
      `{"type":"face_detection_result","data":{"camera_id":"c","faces":[${fill('{},', length)}{}]}}`,
    'many boxes': (length) =>
      `{"type":"ai_detection_result","data":{"camera_id":"c","detections":[${fill('{"bbox":[1,2,3,4]},', length)}{}]}}`,
  };

  const millisecondsFor = (text: string) => {
    // Of the processor: what else the machine does must not decide.
    const runs = Array.from({ length: 3 }, () => {
      const from = process.cpuUsage();
      settle(text);
      const { user, system } = process.cpuUsage(from);
      return (user + system) / 1000;
    });
    return Math.min(...runs);
  };

  test.each(Object.entries(HOSTILE))('%s', (_, textOf) => {
    const large = LIMITS.maxFrameBytes - 1024;
    const small = millisecondsFor(textOf(large / 16));
    const whole = millisecondsFor(textOf(large));
    // Sixteen times the text; a cost that grows with its square would be 256 times as high.
    expect(whole).toBeLessThan(Math.max(small, 1) * 96);
    expect(whole).toBeLessThan(2_000);
  });
});
