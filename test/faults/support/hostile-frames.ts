import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { CORPUS } from '../../unit/protocol/corpus.ts';
import { frameOf, OPCODES } from './hostile-peer.ts';

const MIB = 1024 * 1024;
const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const frame = (type: string, data: string) => `{"type":"${type}","timestamp":1,"data":${data}}`;

/** Texts that are no frames, or frames that mean harm. */
const TEXTS: readonly string[] = [
  '',
  '{',
  'null',
  '[]',
  '"text"',
  '{"type":5}',
  '{"type":"__proto__","timestamp":1,"data":{}}',
  '{"type":"constructor","timestamp":1,"data":{}}',
  '{"type":"toString","timestamp":1}',
  '{"__proto__":{"type":"subscribe"},"type":"heartbeat","timestamp":1,"data":{"__proto__":{"polluted":true}}}',
  frame('subscribe', '{"types":["*"],"__proto__":{"cameras":["*"]}}'),
  frame('subscribe', '{"types":[],"cameras":5}'),
  frame('subscribe', '{"types":["*"],"after_event_id":1e308}'),
  frame('subscribe', '{"types":["*"],"after_event_id":-0.5}'),
  frame('heartbeat', '{"mono_ms":1e400}'),
  frame('heartbeat', '{"mono_ms":-9007199254740993}'),
  frame('message_batch', '{"epoch":"x","lane":1e9,"first_seq":0,"items":[null]}'),
  frame('message_batch', `{"items":${deep(200)}}`),
  frame(
    'client_identify',
    '{"client_id":"\\ud800","client_type":"ai_engine","auth":{"token":"x"}}',
  ),
  frame('client_goodbye', `{"x":${deep(5000)}}`),
  deep(7000),
  `{"type":"${'x'.repeat(10_000)}"}`,
  `{"type":"error","timestamp":1,"data":{"code":"${'\\u0000'.repeat(1000)}"}}`,
];

const BYTES: readonly Buffer[] = [
  // No UTF-8: a lone continuation, an overlong slash, a surrogate, beyond the last code point.
  ...['80', 'c0af', 'eda080', 'f4908080'].map((hex) => frameOf(Buffer.from(hex, 'hex'))),
  frameOf('{}', { isMasked: false }),
  ...[0x40, 0x20, 0x10].map((reserved) => frameOf('{}', { reserved })),
  ...[3, 7, 11, 15].map((opcode) => frameOf('{}', { opcode })),
  frameOf('x'.repeat(126), { opcode: OPCODES.ping }),
  frameOf('x', { opcode: OPCODES.ping, isFinal: false }),
  frameOf(Buffer.from([3]), { opcode: OPCODES.close }),
  frameOf(Buffer.from([0, 1]), { opcode: OPCODES.close }),
  frameOf('{}', { opcode: OPCODES.continuation }),
  Buffer.concat([frameOf('{', { isFinal: false }), frameOf('}')]),
  // A message of a thousand parts that never ends.
  Buffer.concat([
    frameOf('{', { isFinal: false }),
    ...Array.from({ length: 1000 }, () =>
      frameOf(' ', { opcode: OPCODES.continuation, isFinal: false }),
    ),
  ]),
  frameOf('', { claimedBytes: 2 ** 40 }),
  frameOf('', { claimedBytes: Number.MAX_SAFE_INTEGER }),
  frameOf('x'.repeat(20_000)),
  frameOf('x'.repeat(1.5 * MIB)),
  // 16 MiB of blanks in some 16 KiB, and 6 MiB that are JSON.
  frameOf(deflateRawSync(Buffer.alloc(16 * MIB, ' ')), { opcode: OPCODES.binary }),
  frameOf(deflateRawSync(Buffer.from(`[${'[],'.repeat(2 * MIB)}[]]`)), { opcode: OPCODES.binary }),
  frameOf(Buffer.from('no deflate'), { opcode: OPCODES.binary }),
];

const corpusTexts = CORPUS.flatMap(({ entries }) =>
  entries.map(({ frame: of, text }) => text ?? JSON.stringify(of)),
);

/** Frames that are broken below JSON; a connection seldom survives one. */
export const BROKEN_BYTES = BYTES;

/** Released frames with bytes changed, cut out, or put in; and texts that mean harm. */
export const hostileText: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom(...TEXTS, ...corpusTexts),
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        removed: fc.nat(8),
        put: fc.oneof(
          fc.constantFrom('"', '{', '}', '[', ']', ',', 'null', '1e999', '\\ud800', '"__proto__":'),
          fc.string({ unit: 'binary', maxLength: 4 }),
        ),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([text, changes]) => {
    let changed = text;
    for (const { at, removed, put } of changes) {
      const begin = Math.floor(at * changed.length);
      changed = changed.slice(0, begin) + put + changed.slice(begin + removed);
    }
    return frameOf(changed);
  });
