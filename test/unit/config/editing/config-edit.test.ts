import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  type ConfigEdit,
  editConfig,
  editsBetween,
} from '../../../../src/config/editing/config-edit.ts';

const EXAMPLE = readFileSync('config.example.yaml', 'utf8');
const POLYGON = '0.1,0.1,0.9,0.1,0.9,0.9';

function edited(text: string, ...edits: ConfigEdit[]): string {
  return editConfig(text, edits);
}

/** Lines of the one that are not in the other, in their order. */
function changedLines(before: string, after: string): { gone: string[]; come: string[] } {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const head = old.findIndex((line, index) => line !== now[index]);
  const tail = [...old].reverse().findIndex((line, index) => line !== now.at(-1 - index));
  // What both have at the beginning and at the end may overlap.
  const end = Math.min(tail, Math.min(old.length, now.length) - head);
  return { gone: old.slice(head, old.length - end), come: now.slice(head, now.length - end) };
}

describe('the example file', () => {
  test('a zone into an empty section: nothing else changes, comments least of all', () => {
    const path = ['cameras', 'front_door', 'zones', 'yard'];
    const after = edited(EXAMPLE, { path, value: { coordinates: POLYGON } });
    expect(changedLines(EXAMPLE, after)).toEqual({
      gone: [],
      come: ['      yard:', `        coordinates: ${POLYGON}`],
    });
    expect(parse(after).cameras.front_door.zones).toEqual({ yard: { coordinates: POLYGON } });
    // And back again.
    expect(parse(edited(after, { path, value: undefined })).cameras).toEqual(
      parse(EXAMPLE).cameras,
    );
  });

  test('one value of a rule', () => {
    const path = ['rules', 'person_seen', 'severity'];
    const after = edited(EXAMPLE, { path, value: 'critical' });
    expect(changedLines(EXAMPLE, after)).toEqual({
      gone: ['    severity: medium'],
      come: ['    severity: critical'],
    });
  });

  test('a new rule behind the others', () => {
    const value = { labels: ['car'], zones: ['yard'], schedule: [{ from: '22:00', to: '06:00' }] };
    const after = edited(EXAMPLE, { path: ['rules', 'night_car'], value });
    expect(changedLines(EXAMPLE, after).gone).toEqual([]);
    expect(parse(after).rules.night_car).toEqual(value);
    expect(parse(after).people).toEqual(parse(EXAMPLE).people);
  });
});

test('a section that is missing is made', () => {
  const text = 'cameras:\n  door:\n    url: rtsp://door/ # the one at the door\n';
  const path = ['cameras', 'door', 'zones', 'mat'];
  expect(edited(text, { path, value: { coordinates: POLYGON } })).toBe(
    `${text}    zones:\n      mat:\n        coordinates: ${POLYGON}\n`,
  );
  expect(parse(edited(text, { path: ['rules', 'r'], value: { count: 2 } }))).toEqual({
    ...parse(text),
    rules: { r: { count: 2 } },
  });
});

test('a removed entry takes its lines along, and the last one leaves the section', () => {
  const text = 'rules:\n  # of the day\n  a: {count: 1} # one\n  b:\n    count: 2\nsite: {}\n';
  const without = edited(text, { path: ['rules', 'a'], value: undefined });
  expect(without).toBe('rules:\n  # of the day\n  b:\n    count: 2\nsite: {}\n');
  expect(parse(edited(without, { path: ['rules', 'b'], value: undefined })).rules).toBeNull();
});

test('sections in braces are written anew', () => {
  const text = 'rules: { a: { count: 1, labels: [car] } }\n';
  const after = edited(text, { path: ['rules', 'a', 'count'], value: 3 });
  expect(parse(after)).toEqual({ rules: { a: { count: 3, labels: ['car'] } } });
});

test.each([
  ['an alias', 'base: &b {count: 1}\nrules:\n  a: *b\n'],
  ['a merge key', 'base: &b {count: 1}\nrules:\n  a:\n    <<: *b\n'],
])('what comes from %s is not changed behind the back of others', (_, text) => {
  const change = (): string => edited(text, { path: ['rules', 'a', 'count'], value: 2 });
  expect(change).toThrow(expect.objectContaining({ code: 'CONFIG_NOT_EDITABLE' }));
});

test('texts that look like something else keep their quotes', () => {
  const value = { from: '22:00', to: '06:00', note: 'yes', text: "it's # no: comment" };
  const after = edited('site: {}\n', { path: ['rules'], value: { a: value } });
  expect(parse(after).rules.a).toEqual(value);
});

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const leaf = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.integer(),
  fc.boolean(),
  fc.string(),
  fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
);
const section = fc.dictionary(word, fc.oneof(leaf, fc.dictionary(word, leaf, { minKeys: 1 })), {
  maxKeys: 5,
});

test('from any section to any other, and everything around it as it was', () => {
  fc.assert(
    fc.property(section, section, (before, after) => {
      const head = '# the site\nsite:\n  time_zone: Europe/Berlin # by hand\nrules:\n';
      const inner = Object.keys(before).length === 0 ? '' : indented(before);
      const tail = '\n# who sees it\nlog:\n    level: info\n';
      const text = head + inner + tail;
      const result = editConfig(text, editsBetween(before, after, ['rules']));
      expect(parse(result).rules ?? {}).toEqual(after);
      expect(result.startsWith(head.slice(0, head.indexOf('rules')))).toBe(true);
      expect(result.endsWith(tail)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

function indented(value: Record<string, unknown>): string {
  return editConfig('rules:\n', [{ path: ['rules'], value }]).slice('rules:\n'.length);
}
