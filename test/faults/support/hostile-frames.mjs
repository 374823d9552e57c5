// What an attacker puts on the wire, as bytes: WebSocket frames that are wrong in one way or another. Cheap to make,
// the same for the same seed.
import { deflateRawSync } from 'node:zlib';

const [TEXT, BINARY, CLOSE, PING, CONTINUED] = [1, 2, 8, 9, 0];

/**
 * One frame. The mask is zero, which is as valid as any other and costs nothing.
 * @param first opcode, to which FIN (0x80) and reserved bits (0x70) may be added
 */
export function frame(payload, first = 0x80 | TEXT, { isMasked = true, claimed } = {}) {
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  const length = claimed ?? body.length;
  const mask = isMasked ? 0x80 : 0;
  const head = Buffer.alloc(10);
  head[0] = first;
  let size = 2;
  if (length < 126) head[1] = mask | length;
  else if (length < 65536) {
    head[1] = mask | 126;
    head.writeUInt16BE(length, 2);
    size = 4;
  } else {
    head[1] = mask | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
    size = 10;
  }
  return Buffer.concat([head.subarray(0, size), Buffer.alloc(isMasked ? 4 : 0), body]);
}

const FIN = 0x80;
const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024, 0x20), { level: 9 });
const fitting = deflateRawSync(Buffer.alloc(7 * 1024 * 1024, 0x5b), { level: 9 });
const deep = (open, count) => open.repeat(count);
const said = (type, data, more = '') =>
  `{"type":${JSON.stringify(type)},"timestamp":1767225600000,"request_id":"h"${more},"data":${data}}`;

/** Frames that a hub may answer and go on: many of them travel on one connection. */
const SMALL = {
  'malformed JSON': ({ pick }) =>
    frame(
      pick(['{', '', '[}', '{"type":', 'nul', '{"type":"heartbeat",}', '\u0000', '}{', "{'a':1}"]),
    ),
  'wrong types': ({ pick }) =>
    frame(
      pick([
        '[]',
        '7',
        'null',
        '"text"',
        '{"type":7}',
        '{"type":[]}',
        said('subscribe', '{"types":"*"}'),
        said('subscribe', '{"types":[null,{},7]}'),
        said('message_batch', '[[[]]]'),
        said('heartbeat', '"now"'),
        said('client_identify', '{"client_type":{},"auth":[]}'),
      ]),
    ),
  'deep nesting': ({ pick }) =>
    frame(
      said('heartbeat', pick([deep('[', 5000), deep('[', 70) + deep(']', 70), deep('{"a":', 900)])),
    ),
  'keys of the prototype': ({ pick }) =>
    frame(
      pick([
        '{"__proto__":{"type":"subscribe","admin":true},"timestamp":1}',
        said('heartbeat', '{"__proto__":{"isAdmitted":true},"constructor":{"prototype":{"x":1}}}'),
        said('constructor', '{}'),
        said('__proto__', '{}'),
        said('toString', '{}'),
        said('subscribe', '{"types":["__proto__","constructor"],"__proto__":{"cameras":["*"]}}'),
      ]),
    ),
  'huge numbers': ({ pick }) => {
    const number = pick([
      '1e999',
      '-1e999',
      '9007199254740993',
      `${'9'.repeat(400)}`,
      '-0',
      '1e-999',
    ]);
    return frame(
      pick([
        `{"type":"heartbeat","timestamp":${number},"data":{}}`,
        said('subscribe', `{"types":["*"],"after_event_id":${number}}`),
        said('message_batch', `{"epoch":"e","lane":${number},"first_seq":${number},"items":[]}`),
      ]),
    );
  },
  'lone surrogates': ({ pick }) =>
    frame(
      said(pick(['\\ud800', 'subscribe']), '{"types":["\\udfff\\ud800"],"cameras":["\\ud83d"]}'),
    ),
  'another identification': ({ pick }) =>
    frame(
      said(
        'client_identify',
        `{"client_id":"hostile-second","client_type":"${pick(['ai_engine', 'frontend', 'root'])}","auth":{"token":"${pick(['', 'admin', 'x'.repeat(300)])}"},"protocol":2,"capabilities":[]}`,
      ),
    ),
  'what the server says': ({ pick }) =>
    frame(
      said(pick(['batch_ack', 'event', 'identification_success', 'start_stream_processing']), '{}'),
    ),
  'binary rubbish': ({ random }) =>
    frame(Buffer.from(Array.from({ length: 40 }, () => random() * 256)), FIN | BINARY),
  pings: ({ random }) => frame('x'.repeat(Math.floor(random() * 125)), FIN | PING),
  'changed frames of the corpus': ({ random, pick, corpus }) => {
    const bytes = Buffer.from(pick(corpus));
    for (let change = 0; change < 3; change++)
      bytes[Math.floor(random() * bytes.length)] = 32 + Math.floor(random() * 95);
    return frame(random() < 0.2 ? bytes.subarray(0, random() * bytes.length) : bytes);
  },
};

/** Frames after which no connection goes on. */
const LAST = {
  'bad UTF-8': ({ pick }) =>
    frame(
      Buffer.from(
        pick([
          [0xff, 0xfe],
          [0xc3, 0x28],
          [0xed, 0xa0, 0x80],
          [0xf8, 0x88],
        ]),
      ),
    ),
  'reserved bits': ({ pick }) => frame('{}', FIN | TEXT | pick([0x10, 0x20, 0x40])),
  'reserved opcodes': ({ pick }) => frame('{}', FIN | pick([3, 7, 11, 15])),
  'no mask': () => frame('{}', FIN | TEXT, { isMasked: false }),
  'control frames too long': () => frame('x'.repeat(126), FIN | PING),
  'control frames in parts': () => frame('x', PING),
  'wrong close codes': ({ pick }) =>
    frame(Buffer.from(pick([[3, 0xec], [0], [0, 1], [0xff, 0xff]])), FIN | CLOSE),
  'parts of nothing': () => frame('x', FIN | CONTINUED),
  'parts without end': () =>
    Buffer.concat([frame('{', TEXT), ...Array.from({ length: 200 }, () => frame('[', CONTINUED))]),
  'a huge length': ({ pick }) =>
    frame('x', FIN | TEXT, { claimed: pick([3e6, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) }),
  oversized: () => frame(Buffer.alloc(1_200_000, 0x20)),
  'a large frame of rubbish': () => frame(`"${'x'.repeat(1_000_000)}`),
  'a compression bomb': () => frame(bomb, FIN | BINARY),
  'a compression bomb within the limit': () => frame(fitting, FIN | BINARY),
  'half a frame': () => frame('{"type":"heartbeat"}').subarray(0, 9),
};

export const KINDS = [...Object.keys(SMALL), ...Object.keys(LAST)];

/** @returns a maker of bytes for one connection: `count` frames, of one kind or mixed, and something that ends it */
export function hostileFrames({ random, corpus }) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const tools = { random, pick, corpus };
  const small = Object.entries(SMALL);
  const last = Object.entries(LAST);
  // In turn, so that each of them comes in a short run too.
  let turn = 0;
  return (count, note) => {
    const parts = [];
    const only = random() < 0.5 ? pick(small) : null;
    for (let made = 0; made < count - 1; made++) {
      const [kind, make] = only ?? pick(small);
      note(kind);
      parts.push(make(tools));
    }
    const [kind, make] = last[turn++ % last.length];
    note(kind);
    parts.push(make(tools));
    return parts;
  };
}
