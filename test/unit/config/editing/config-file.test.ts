import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConfigFile } from '../../../../src/config/editing/config-file.ts';
import { writeFileAtomically } from '../../../../src/system/atomic-file.ts';
import { temporaryFolder } from '../../../support/program.ts';

const TEXT = '# a site\nrules:\n  any: {} # all\n';
const order = { by: 'anna', isDryRun: false };
let folder = '';
let path = '';
let nowMs = 1_795_527_000_000;

beforeEach(() => {
  folder = temporaryFolder('config-file');
  path = join(folder, 'config.yaml');
  writeFileSync(path, TEXT);
});

function open(
  options: { env?: NodeJS.ProcessEnv; write?: typeof writeFileAtomically } = {},
): ConfigFile {
  const clock = { wallMs: () => nowMs++ };
  return new ConfigFile({
    path,
    versionsDir: join(folder, 'versions'),
    env: {},
    clock,
    ...options,
  });
}

const severity = (value: string) => () => [{ path: ['rules', 'any', 'severity'], value }];
const text = (): string => readFileSync(path, 'utf8');
const code = (expected: string) => expect.objectContaining({ code: expected });

test('a change is written with the version before it kept', async () => {
  const file = open();
  const { loaded } = await file.change(severity('high'), order);
  expect(loaded.config.rules.any?.severity).toBe('high');
  expect(text()).toBe('# a site\nrules:\n  any:\n    severity: high # all\n');
  const [version] = await file.versions();
  expect(version).toMatchObject({
    by: 'anna',
    changed: ['rules.any.severity'],
    bytes: TEXT.length,
  });
  expect(await file.version(version?.id ?? '')).toBe(TEXT);
  await file.restore(version?.id ?? '', 'bert');
  expect(text()).toBe(TEXT);
  expect(await file.versions()).toHaveLength(2);
});

describe('nothing changes', () => {
  test('where the change was made from another text', async () => {
    const file = open();
    const { etag } = file.read();
    writeFileSync(path, `${TEXT}# more\n`);
    await expect(file.change(severity('high'), { ...order, etag })).rejects.toEqual(
      code('CONFIG_CHANGED'),
    );
    expect(text()).toBe(`${TEXT}# more\n`);
  });

  test('where the result would be no good', async () => {
    const file = open();
    await expect(file.change(severity('huge'), order)).rejects.toEqual(code('CONFIG_INVALID'));
    expect([text(), await file.versions()]).toEqual([TEXT, []]);
  });

  test('where a camera would be left out', async () => {
    const edits = () => [{ path: ['cameras', 'door'], value: { url: 'http://door/' } }];
    await expect(open().change(edits, order)).rejects.toEqual(code('CONFIG_INVALID'));
    expect(text()).toBe(TEXT);
  });

  test('where a variable decides', async () => {
    const file = open({ env: { APEX_EDGE__rules__any__severity: 'low' } });
    await expect(file.change(severity('high'), order)).rejects.toThrow(
      /APEX_EDGE__rules__any__severity/,
    );
  });

  test('in a dry run', async () => {
    const { loaded } = await open().change(severity('high'), { ...order, isDryRun: true });
    expect(loaded.config.rules.any?.severity).toBe('high');
    expect(text()).toBe(TEXT);
  });

  test('where the file cannot be written, which is told with the remedy', async () => {
    const write = () => Promise.reject(new Error('EROFS: read-only file system'));
    const failed = open({ write }).change(severity('high'), order);
    await expect(failed).rejects.toMatchObject({
      code: 'CONFIG_READ_ONLY',
      remedy: expect.stringMatching(/right to write/),
    });
    expect(text()).toBe(TEXT);
  });
});

test('changes at the same time come one after the other', async () => {
  const file = open();
  const edits = (name: string) => () => [{ path: ['rules', name], value: { count: 2 } }];
  await Promise.all(['a', 'b', 'c'].map((name) => file.change(edits(name), order)));
  expect(Object.keys(file.read().loaded.config.rules)).toEqual(['any', 'a', 'b', 'c']);
});

test('of versions the newest fifty stay, and what else lies there is left alone', async () => {
  mkdirSync(join(folder, 'versions'));
  writeFileSync(join(folder, 'versions', 'notes.txt'), 'mine');
  const file = open();
  for (let round = 0; round < 53; round++)
    await file.change(severity(round % 2 === 0 ? 'high' : 'low'), order);
  const versions = await file.versions();
  expect(versions).toHaveLength(50);
  expect(versions.map(({ savedMs }) => savedMs)).toEqual(
    versions.map(({ savedMs }) => savedMs).sort((a, b) => b - a),
  );
  await expect(file.version('../config')).rejects.toEqual(code('CONFIG_VERSION_UNKNOWN'));
});

test('the rights of the file stay', async () => {
  await writeFileAtomically(path, TEXT, 0o600);
  await open().change(severity('high'), order);
  const { statSync } = await import('node:fs');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
