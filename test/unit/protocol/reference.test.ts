import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CLIENT_FRAMES, SERVER_FRAMES } from '../../../src/protocol/frames.ts';
import { LEGACY_CLIENT_FRAMES, LEGACY_SERVER_FRAMES } from '../../../src/protocol/legacy.ts';
import { PAYLOADS } from '../../../src/protocol/payloads.ts';
import { judgeItem, receive, type Version } from './corpus.ts';

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const reference = readFileSync(path('docs/protocol.md'), 'utf8');
const [present = '', original = ''] = reference.split('\n## The original protocol\n');

interface Example {
  readonly version: Version;
  readonly title: string;
  readonly text: string;
}

function examplesOf(version: Version, text: string): Example[] {
  return text.split(/^#{3,4} /m).flatMap((section) => {
    const [, example] = section.split('```json\n');
    const title = section.split(/[ ,\n]/)[0] ?? '';
    return example === undefined ? [] : [{ version, title, text: example.split('```')[0] ?? '' }];
  });
}

const examples = [...examplesOf('v2', present), ...examplesOf('v1', original)];

test('docs/protocol.md and the list of released corpus entries are up to date', () => {
  const script = path('scripts/protocol-reference.mjs');
  execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' });
});

test.each(examples)('the $version example of $title is understood', ({ version, title, text }) => {
  const value = JSON.parse(text) as { type: string; seq?: number };
  if (title !== 'Events') expect(value.type).toBe(title);
  if (value.seq !== undefined) {
    expect(judgeItem(value)).toBe('message');
    return;
  }
  const outcomes = (['client', 'server'] as const).map((from) => receive(version, from, text));
  expect(outcomes.map(({ ok }) => ok)).toContain(true);
});

test('there is an example of every frame and payload', () => {
  const titles = (version: Version) =>
    examples.filter((example) => example.version === version).map(({ title }) => title);
  const frames = Object.keys({ ...CLIENT_FRAMES, ...SERVER_FRAMES });
  expect(titles('v2').sort()).toEqual([...frames, 'Events', ...Object.keys(PAYLOADS)].sort());
  expect(titles('v1').sort()).toEqual(
    Object.keys({ ...LEGACY_CLIENT_FRAMES, ...LEGACY_SERVER_FRAMES }).sort(),
  );
});

test('no example is overlooked', () => {
  expect(examples).toHaveLength(reference.split('```json').length - 1);
});
