import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema } from '../../../src/config/json-schema.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { configSchema } from '../../../src/config/schema.ts';

const path = fileURLToPath(new URL('../../../config.example.yaml', import.meta.url));
const text = readFileSync(path, 'utf8');

/** The file with its commented keys in use. Sentences have a space after their `#`. */
const everything = text.replace(/^(\s*)#(?=[a-z_]| {2}(?:- | {2})[a-z0-9_]+:)/gm, '$1');

interface Shape {
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | false;
  items?: Shape;
  default?: unknown;
}

interface Key {
  path: string;
  shape: Shape;
  /** Its values in the file, one for each camera or entry that has it. */
  values: unknown[];
}

function keysOf(shape: Shape, places: readonly unknown[], at = ''): Key[] {
  const sections = places.filter((place) => typeof place === 'object' && place !== null);
  const inner = shape.additionalProperties || shape.items;
  if (inner)
    return keysOf(
      inner,
      sections.flatMap((place) => Object.values(place as object)),
      `${at}*.`,
    );
  return Object.entries(shape.properties ?? {}).flatMap(([key, child]) => {
    const values = sections
      .filter((place) => Object.hasOwn(place as object, key))
      .map((place) => (place as Record<string, unknown>)[key]);
    return [
      { path: `${at}${key}`, shape: child, values },
      ...keysOf(child, values, `${at}${key}.`),
    ];
  });
}

const schema = configJsonSchema() as Shape;

/** Lists that are empty; their commented entries are examples of what may stand there, not of defaults. */
const SHOWN_FILLED =
  /^(?:hub\.tokens|uplink\.stream_requests\.allow_addresses|cameras\.\*\.(?:zones|masks)|rules\.\*\.schedule)(?:\.|$)/;

describe('config.example.yaml', () => {
  test('is a configuration without a problem', () => {
    const { config, problems } = loadConfig(path, {});
    expect(problems).toEqual([]);
    expect(Object.keys(config.cameras)).toEqual(['front_door']);
  });

  test('names every key', () => {
    const keys = keysOf(schema, [parse(everything, { uniqueKeys: false })]);
    expect(keys.length).toBeGreaterThan(40);
    expect(keys.filter(({ values }) => values.length === 0).map((key) => key.path)).toEqual([]);
  });

  test('names no key that there is not, in comments neither', () => {
    const known = new Set(keysOf(schema, []).map((key) => key.path));
    const walk = (value: unknown, shape: Shape, at: string): string[] => {
      const isSection = shape.properties ?? (shape.additionalProperties || shape.items);
      if (!isSection || typeof value !== 'object' || value === null) return [];
      return Object.entries(value).flatMap(([key, child]) => {
        const inner = shape.additionalProperties || shape.items;
        const next = inner || shape.properties?.[key];
        const here = inner ? `${at}*` : `${at}${key}`;
        if (!inner && !known.has(here)) return [here];
        return next ? walk(child, next, `${here}.`) : [];
      });
    };
    expect(walk(parse(everything, { uniqueKeys: false }), schema, '')).toEqual([]);
  });

  test('shows the defaults of the schema', () => {
    for (const data of [parse(text), parse(everything, { uniqueKeys: false })])
      for (const { path: key, shape, values } of keysOf(schema, [data])) {
        const isLeaf = shape.properties === undefined && shape.additionalProperties === undefined;
        if (!isLeaf || shape.default === undefined || SHOWN_FILLED.test(key)) continue;
        for (const value of values) expect([key, value]).toEqual([key, shape.default]);
      }
    expect(parse(text).hub.tokens).toEqual([]);
    expect(parse(text).uplink.stream_requests.allow_addresses).toEqual([]);
  });

  test('shows every default that there is, uncommented but for the second camera', () => {
    const commented = keysOf(schema, [parse(text)])
      .filter(
        ({ path: key, shape, values }) =>
          shape.default !== undefined && values.length === 0 && !SHOWN_FILLED.test(key),
      )
      .map((key) => key.path);
    expect(commented).toEqual(['cameras.*.pace', 'cameras.*.loop']);
  });

  test('has examples that are correct, too', () => {
    const data = parse(everything, { uniqueKeys: false });
    // Where a secret may come from several places the file shows them all; one is to be kept.
    delete data.uplink.token;
    delete data.cameras.front_door.password;
    // A rule asks for zones or for lines.
    delete data.rules.person_seen.lines;
    delete data.rules.person_seen.direction;
    expect(configSchema.safeParse(data).error?.issues ?? []).toEqual([]);
  });
});
