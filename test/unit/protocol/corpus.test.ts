import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { MessageBatch } from '../../../src/protocol/batch.ts';
import { CLIENT_FRAMES, SERVER_FRAMES } from '../../../src/protocol/frames.ts';
import {
  LEGACY_CLIENT_FRAMES,
  LEGACY_SERVER_FRAMES,
  type LegacyMessage,
} from '../../../src/protocol/legacy.ts';
import { fromLegacyMessage } from '../../../src/protocol/legacy-messages.ts';
import { PAYLOADS } from '../../../src/protocol/payloads.ts';
import { broadcastEventSchema } from '../../../src/protocol/subscription.ts';
import {
  CORPUS,
  type CorpusEntry,
  type Direction,
  entriesOf,
  judgeItem,
  RELEASED,
  receive,
  textOf,
  type Version,
} from './corpus.ts';

/** When the messages of the corpus that name no time are taken to have come. */
const NOW = 1_767_225_600_000;

const all = CORPUS.flatMap(({ version, type, entries }) =>
  entries.map((entry) => ({
    version,
    type,
    entry,
    key: `${version}/${type}.json#${entry.direction}/${entry.name}`,
  })),
);

describe('what was once understood is understood for ever', () => {
  test.each(all)('$key', ({ version, entry }) => {
    const outcome = receive(version, entry.direction, textOf(entry));
    if (!outcome.ok) {
      expect(outcome).toEqual(entry.expect);
      return;
    }
    expect({ ok: true, kind: outcome.kind }).toEqual(entry.expect);
    if (entry.parsed !== undefined) expect(outcome.frame).toMatchObject(entry.parsed);
    if (entry.items !== undefined) {
      const { items } = (outcome.frame as MessageBatch).data;
      expect(items.map(judgeItem)).toEqual(entry.items);
    }
    if (entry.delivered !== undefined)
      expect(fromLegacyMessage(outcome.frame as LegacyMessage, NOW)).toEqual(entry.delivered);
  });
});

interface ObjectShape {
  properties?: Record<string, ObjectShape>;
  required?: string[];
  items?: ObjectShape;
  anyOf?: ObjectShape[];
}

function shapeOf(schema: z.ZodType): ObjectShape {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as ObjectShape;
}

/** Paths of optional fields, told apart by whether `value` has them. */
function optionalFields(shape: ObjectShape, value: unknown, has: boolean, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value))
    return value.slice(0, 1).flatMap((part) => optionalFields(shape.items ?? {}, part, has, path));
  return Object.entries(shape.properties ?? {}).flatMap(([name, part]) => {
    const here = `${path}.${name}`;
    const isOptional = shape.required?.includes(name) !== true;
    const found = isOptional && Object.hasOwn(value, name) === has ? [here] : [];
    const inside = (value as Record<string, unknown>)[name];
    return [...found, ...optionalFields(part, inside, has, here)];
  });
}

const FRAMES = [
  ['v1', 'client', LEGACY_CLIENT_FRAMES],
  ['v1', 'server', LEGACY_SERVER_FRAMES],
  ['v2', 'client', CLIENT_FRAMES],
  ['v2', 'server', { ...SERVER_FRAMES, event: broadcastEventSchema }],
] as const;

const types = FRAMES.flatMap(([version, direction, schemas]) =>
  Object.entries(schemas).map(([type, schema]) => ({ version, direction, type, schema })),
);

const payloads = Object.entries(PAYLOADS).flatMap(([type, { version, schema }]) =>
  Array.from({ length: version }, (_, index) => ({ type, schema, number: index + 1 })),
);

describe('the corpus is complete', () => {
  const named = (version: Version, type: string, direction: Direction, name: string) =>
    entriesOf(version, type).find((entry) => entry.direction === direction && entry.name === name);

  /** Optional fields that came after the first release stand in entries of their own, `full, with ...`. */
  const allFull = (version: Version, type: string, direction: Direction) =>
    entriesOf(version, type).filter(
      (entry) => entry.direction === direction && /^full(?:$|, with )/.test(entry.name),
    );

  test.each(types)('$version $type of a $direction', ({ version, direction, type, schema }) => {
    const full = named(version, type, direction, 'full');
    const minimal = named(version, type, direction, 'minimal');
    expect([full?.expect.ok, minimal?.expect.ok]).toEqual([true, true]);
    expect(full?.frame?.type).toBe(type === 'event' ? PAYLOAD_OF_EVENT : type);
    const lacking = allFull(version, type, direction)
      .map(({ frame }) => optionalFields(shapeOf(schema), frame, false))
      .reduce((lackingSoFar, paths) => lackingSoFar.filter((path) => paths.includes(path)));
    // The field whose absence tells the original protocol.
    expect(lacking.filter((path) => version === 'v2' || path !== '.data.protocol')).toEqual([]);
    // `data` of an event or a legacy frame may be missing or free, and an empty one says more than none.
    const spare = optionalFields(shapeOf(schema), minimal?.frame, true);
    expect(spare.filter((path) => path !== '.data')).toEqual([]);
  });

  test.each(payloads)('$type version $number', ({ type, schema, number }) => {
    const payloadOf = (entry: CorpusEntry | undefined) =>
      (entry?.frame as MessageBatch | undefined)?.data.items[0] as { data: unknown } | undefined;
    const full = payloadOf(named('v2', type, 'client', `full version ${number}`));
    const minimal = payloadOf(named('v2', type, 'client', `minimal version ${number}`));
    expect(full).toMatchObject({ type, schema_version: number });
    expect(minimal).toMatchObject({ type, schema_version: number });
    // What became optional, or came to a version later, stands in entries of its own.
    const later = (kind: string) =>
      entriesOf('v2', type)
        .filter(({ name }) => name.startsWith(`${kind} version ${number}`))
        .map((entry) => payloadOf(entry)?.data);
    const common = (data: readonly unknown[], isPresent: boolean) =>
      data
        .map((each) => optionalFields(shapeOf(schema), each, isPresent))
        .reduce((soFar, paths) => soFar.filter((path) => paths.includes(path)));
    expect(common(later('full'), false)).toEqual([]);
    expect(common(later('minimal'), true)).toEqual([]);
    const future = entriesOf('v2', type).find(({ name }) => name === 'a version of the future');
    expect(future?.items).toEqual(['newer']);
  });

  test('has no file of a type that there is not', () => {
    const known = new Set([
      ...types.map(({ version, type }) => `${version}/${type}`),
      ...Object.keys(PAYLOADS).map((type) => `v2/${type}`),
      'v1/unreadable',
      'v2/unreadable',
    ]);
    expect(
      CORPUS.map(({ version, type }) => `${version}/${type}`).filter((key) => !known.has(key)),
    ).toEqual([]);
  });
});

const PAYLOAD_OF_EVENT = 'alert_triggered';

describe('compatibility is additive only', () => {
  const digests = new Map(
    all.map(({ key, entry }) => [
      key,
      createHash('sha256').update(JSON.stringify(entry)).digest('hex'),
    ]),
  );

  test('no two entries have one name', () => {
    expect(digests.size).toBe(all.length);
  });

  test('no released entry is changed or missing', () => {
    const broken = Object.keys(RELEASED).filter((key) => digests.get(key) !== RELEASED[key]);
    expect(broken).toEqual([]);
  });

  test('every entry is released; `npm run docs` adds new ones', () => {
    expect(all.map(({ key }) => key).filter((key) => !Object.hasOwn(RELEASED, key))).toEqual([]);
  });
});
