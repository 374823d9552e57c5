// Writes docs/protocol.md from the schemas of the compiled program, with examples of the golden corpus, and enters new
// entries of the corpus into its list of released ones. `--check` writes nothing, and fails when anything differs.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { gapItemSchema, messageItemSchema } from '../dist/protocol/batch.js';
import { CLOSE_CODES, CLOSE_MEANINGS } from '../dist/protocol/close-codes.js';
import { ERROR_CODES } from '../dist/protocol/error-codes.js';
import { CLIENT_FRAMES, SERVER_FRAMES } from '../dist/protocol/frames.js';
import { laneOf } from '../dist/protocol/lanes.js';
import { LEGACY_CLIENT_FRAMES, LEGACY_SERVER_FRAMES } from '../dist/protocol/legacy.js';
import { LIMITS } from '../dist/protocol/limits.js';
import { PAYLOADS } from '../dist/protocol/payloads.js';
import { broadcastEventSchema } from '../dist/protocol/subscription.js';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const read = (name) => readFileSync(path(name), 'utf8');

const LIMIT_MEANINGS = {
  maxFrameBytes: 'Largest frame, bytes of UTF-8, inflated where it came deflated',
  viewerFrameBytes: 'Largest frame of a client other than an `ai_engine`',
  preAuthFrameBytes: 'Largest frame of a client that has not identified itself, bytes',
  deflateMinBytes: 'Frames smaller than this are not worth deflating, bytes',
  maxDepth: 'Objects and lists in one another, the frame included',
  identifyTimeoutMs: 'Time until `client_identify` has to be there, ms',
  heartbeatMs: 'Silence of a client after which it sends a heartbeat, ms',
  serverSilenceMs: 'Silence of the server after which a client drops the connection, ms',
  clientSilenceMs: 'Silence of a client after which the server drops it, ms',
  legacySilenceMs: 'The same for a client of the original protocol, ms',
  legacyPingMs: 'How often such a client is pinged, ms',
  ackTimeoutMs: 'A batch unacknowledged for so long means a dead connection, ms',
  alertAckTimeoutMs: 'The same with alerts in it: a ping is sent first, ms',
  requestTimeoutMs: 'A stream request without an answer for so long has failed, ms',
  keptAnswers: 'Answers to stream requests kept per client',
  replayedAfterMs: 'A message that waited longer is sent as `replayed`, ms',
  clockSuspectMs: 'A clock further off than this is suspect, ms',
  batchItems: 'Items of one `message_batch`',
  batchBytes: 'Bytes of their payloads; a single larger one travels alone',
  maxBodyBytes: 'Largest payload of one message, bytes of UTF-8',
  windowBatches: 'Batches in flight',
  windowMessages: 'Messages in flight',
  windowBytes: 'Bytes in flight',
};

const GROUPS = {
  Session: [
    'connection_established',
    'client_identify',
    'identification_success',
    'heartbeat',
    'heartbeat_ack',
    'server_draining',
    'cameras_changed',
    'client_goodbye',
    'error',
  ],
  Delivery: ['message_batch', 'batch_ack', 'flow_update', 'resync_required'],
  Subscriptions: ['subscribe', 'subscription_success', 'unsubscribe', 'event'],
  'Stream control': [
    'stream_start_request',
    'start_stream_processing',
    'stream_start_success',
    'stream_start_error',
    'stream_stop_request',
    'stop_stream_processing',
    'stream_stop_success',
    'stream_stop_error',
    'stream_quality_change',
    'change_stream_processing',
    'stream_quality_success',
    'stream_quality_error',
  ],
  Evidence: ['send_evidence', 'send_evidence_error'],
};

function table(head, rows) {
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function limitTable() {
  const rows = Object.entries(LIMITS).map(([name, value]) => {
    if (LIMIT_MEANINGS[name] === undefined) throw new Error(`limit ${name} is not described`);
    return [LIMIT_MEANINGS[name], value];
  });
  return `## Limits\n\n${table(['what', 'limit'], rows)}`;
}

function closeCodeTable() {
  const rows = Object.entries(CLOSE_CODES).map(([name, code]) => [code, CLOSE_MEANINGS[name]]);
  return `## Close codes\n\n${table(['code', 'meaning'], rows)}`;
}

function errorCodeTable() {
  const rows = Object.entries(ERROR_CODES).map(([code, { isRetryable, closes, meaning }]) => [
    `\`${code}\``,
    isRetryable ? 'yes' : 'no',
    closes ?? '',
    meaning,
  ]);
  const head = ['code', 'retryable', 'closes with', 'meaning'];
  return `## Error codes\n\nOf the \`error\` frames that the hub sends. More may come: go by \`retryable\`.\n\n${table(head, rows)}`;
}

function filled(template) {
  const tables = { limitTable, closeCodeTable, errorCodeTable };
  return template
    .replace(/\{limits\.(\w+)\}/g, (_, name) => {
      if (LIMITS[name] === undefined) throw new Error(`there is no limit ${name}`);
      return LIMITS[name];
    })
    .replace(/^\{(\w+)\}$/gm, (_, name) => tables[name]())
    .trim();
}

const quoted = (values) => values.map((value) => `\`${JSON.stringify(value)}\``).join(', ');

const bound = (sign, value) =>
  value === undefined || Math.abs(value) === Number.MAX_SAFE_INTEGER ? '' : ` ${sign} ${value}`;

/** The type of a JSON Schema in words. */
function typeOf(shape) {
  if (shape.anyOf !== undefined) return shape.anyOf.map(typeOf).join(' or ');
  if (shape.const !== undefined) return quoted([shape.const]);
  if (shape.enum !== undefined) return quoted(shape.enum);
  if (shape.type === 'string') return shape.format === 'uuid' ? 'UUID' : `string${lengthOf(shape)}`;
  if (shape.type === 'array')
    return `list${shape.maxItems === undefined ? '' : `, at most ${shape.maxItems}`}`;
  if (shape.type === 'object' && shape.properties === undefined)
    return `map${shape.maxProperties === undefined ? '' : `, at most ${shape.maxProperties} entries`}`;
  if (shape.type === undefined) return 'anything';
  const { minimum, maximum, exclusiveMinimum } = shape;
  return shape.type + bound('≥', minimum) + bound('>', exclusiveMinimum) + bound('≤', maximum);
}

const lengthOf = ({ maxLength }) => (maxLength === undefined ? '' : `, at most ${maxLength}`);

/** A row for every field, with the path of those within others. */
function fieldRows(shape, prefix = '') {
  if (shape.anyOf !== undefined) return shape.anyOf.flatMap((part) => fieldRows(part, prefix));
  if (shape.type === 'array') return fieldRows(shape.items ?? {}, `${prefix.slice(0, -1)}[].`);
  return Object.entries(shape.properties ?? {}).flatMap(([name, part]) => {
    const isRequired = shape.required?.includes(name) === true;
    const fallback = part.default === undefined ? '' : `, else ${quoted([part.default])}`;
    const required = isRequired ? 'yes' : `no${fallback}`;
    const row = [`\`${prefix}${name}\``, typeOf(part), required, part.description ?? ''];
    return [row, ...fieldRows(part, `${prefix}${name}.`)];
  });
}

const shapeOf = (schema) => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

function fieldTable(shape) {
  const rows = fieldRows(shape);
  const head = ['field', 'type', 'required', 'meaning'];
  return rows.length === 0 ? 'No fields.' : table(head, rows);
}

const json = (value) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;

function exampleOf(version, type, name = 'full') {
  const entry = corpus[`${version}/${type}.json`]?.find((one) => one.name === name);
  if (entry === undefined) throw new Error(`the corpus has no ${name} ${version} ${type}`);
  return entry.frame;
}

function directionOf(type, clientFrames, serverFrames) {
  const isOfClient = Object.hasOwn(clientFrames, type);
  const isOfServer = Object.hasOwn(serverFrames, type);
  if (isOfClient && isOfServer) return 'Both ways.';
  return isOfClient ? 'Client to server.' : 'Server to client.';
}

const FRAMES = { ...CLIENT_FRAMES, ...SERVER_FRAMES };

function frameSection(type) {
  if (type === 'event') return eventSection();
  const shape = shapeOf(FRAMES[type]);
  const needsId = shape.required.includes('request_id') ? ' Needs a `request_id`.' : '';
  const direction = directionOf(type, CLIENT_FRAMES, SERVER_FRAMES);
  const items = type === 'message_batch' ? [itemSection()] : [];
  return [
    `#### ${type}`,
    `${direction} ${shape.description}${needsId}`,
    `Fields of \`data\`:`,
    fieldTable(shape.properties.data),
    ...items,
    json(exampleOf('v2', type)),
  ].join('\n\n');
}

function eventSection() {
  const shape = shapeOf(broadcastEventSchema);
  return [
    '#### Events',
    `Server to client. ${shape.description} An event is told from every other frame by its \`event_id\`.`,
    fieldTable(shape),
    json(exampleOf('v2', 'event')),
  ].join('\n\n');
}

function itemSection() {
  return [
    'An item that is a message:',
    fieldTable(shapeOf(messageItemSchema)),
    'An item that is a gap; the number after it is `to_seq` + 1:',
    fieldTable(shapeOf(gapItemSchema)),
  ].join('\n\n');
}

function framesPart() {
  const grouped = Object.values(GROUPS).flat();
  const missing = Object.keys(FRAMES).filter((type) => !grouped.includes(type));
  if (missing.length > 0) throw new Error(`frames without a group: ${missing.join(', ')}`);
  const groups = Object.entries(GROUPS).map(([title, types]) =>
    [`### ${title}`, ...types.map(frameSection)].join('\n\n'),
  );
  return ['## All frames', ...groups].join('\n\n');
}

function payloadsPart() {
  const sections = Object.entries(PAYLOADS).map(([type, { version, schema }]) => {
    const shape = shapeOf(schema);
    return [
      `### ${type}, version ${version}`,
      `Lane ${laneOf(type)}. ${shape.description}`,
      'Fields of the item’s `data`:',
      fieldTable(shape),
      json(exampleOf('v2', type, `full version ${version}`).data.items[0]),
    ].join('\n\n');
  });
  return [
    '## Delivered messages',
    'What the items of a `message_batch` carry. Versions count up per type and only ever add fields; fields of ' +
      'your own are kept and passed on.',
    ...sections,
  ].join('\n\n');
}

function legacyPart() {
  const frames = { ...LEGACY_CLIENT_FRAMES, ...LEGACY_SERVER_FRAMES };
  const sections = Object.entries(frames).map(([type, schema]) => {
    const { data } = shapeOf(schema).properties;
    return [
      `#### ${type} (original)`,
      directionOf(type, LEGACY_CLIENT_FRAMES, LEGACY_SERVER_FRAMES),
      fieldRows(data).length === 0 ? 'The fields of `data` are free.' : fieldTable(data),
      json(exampleOf('v1', type)),
    ].join('\n\n');
  });
  const intro = 'Known fields of `data`; any other may be there too.';
  return [filled(read('scripts/protocol-legacy.md')), '### Its frames', intro, ...sections].join(
    '\n\n',
  );
}

/** Adds what is new; what was released stays as it is, and a test tells when it does not fit any more. */
function releasedNow() {
  const released = JSON.parse(read('test/corpus/RELEASED.json'));
  for (const [file, entries] of Object.entries(corpus))
    for (const entry of entries) {
      const key = `${file}#${entry.direction}/${entry.name}`;
      released[key] ??= createHash('sha256').update(JSON.stringify(entry)).digest('hex');
    }
  return Object.fromEntries(Object.entries(released).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const corpus = Object.fromEntries(
  ['v1', 'v2'].flatMap((version) =>
    readdirSync(path(`test/corpus/${version}`))
      .sort()
      .map((file) => [`${version}/${file}`, JSON.parse(read(`test/corpus/${version}/${file}`))]),
  ),
);

const outputs = {
  'docs/protocol.md': `${[
    filled(read('scripts/protocol-overview.md')),
    framesPart(),
    payloadsPart(),
    legacyPart(),
  ].join('\n\n')}\n`,
  'test/corpus/RELEASED.json': `${JSON.stringify(releasedNow(), null, 2)}\n`,
};

for (const [name, text] of Object.entries(outputs)) {
  if (!process.argv.includes('--check')) writeFileSync(path(name), text);
  else if (read(name) !== text) {
    console.error(`${name} is not what the protocol's sources say; run: npm run docs`);
    process.exitCode = 1;
  }
}
