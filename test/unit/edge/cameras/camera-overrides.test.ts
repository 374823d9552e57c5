import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { CameraOverrides } from '../../../../src/edge/cameras/camera-overrides.ts';
import { silentLogger } from '../../../../src/system/logger.ts';
import { temporaryFolder } from '../../../support/program.ts';

let folder = '';
const path = () => join(folder, 'cameras.json');
const open = () => CameraOverrides.open(folder, silentLogger);
const aside = () => readdirSync(folder).filter((name) => name.includes('.damaged-'));

beforeEach(() => {
  folder = temporaryFolder('overrides');
});

describe('CameraOverrides', () => {
  test('are back after a restart, for their owner only, and leave nothing else in the folder', async () => {
    writeFileSync(`${path()}.4711.tmp`, '{"url":"rtsp://u:p@h/');
    const overrides = await open();
    await overrides.set('gate', { stopped: true });
    await overrides.set('guest', { url: 'rtsp://h/s', quality: 'low' });
    await overrides.set('gone', { quality: 'low' });
    await overrides.set('gone', null);
    const again = await open();
    expect(again.entries()).toEqual([
      ['gate', { stopped: true }],
      ['guest', { url: 'rtsp://h/s', quality: 'low' }],
    ]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['cameras.json']);
  });

  test('of which one is not understood are the others, and the file is kept as it was', async () => {
    const cameras = {
      gate: { stopped: true },
      odd: { stopped: 'maybe' },
      '../../x': { quality: 'low' },
    };
    const text = JSON.stringify({ version: 1, cameras });
    writeFileSync(path(), text);
    const overrides = await open();
    expect(overrides.entries()).toEqual([['gate', { stopped: true }]]);
    await overrides.set('yard', { quality: 'low' });
    expect(aside().map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual([text]);
    expect((await open()).entries().map(([id]) => id)).toEqual(['gate', 'yard']);
  });

  test.each([
    ['is cut off', '{"version":1,"cameras":{"ga'],
    ['is of another version', '{"version":2,"cameras":{}}'],
  ])('of a file that %s are none, and it is put aside', async (_, text) => {
    writeFileSync(path(), text);
    expect((await open()).entries()).toEqual([]);
    expect(aside()).toHaveLength(1);
  });

  test('that the disk does not give are not written over', async () => {
    mkdirSync(path());
    const overrides = await open();
    await overrides.set('gate', { stopped: true });
    expect(overrides.get('gate')).toEqual({ stopped: true });
    expect(readdirSync(folder)).toEqual(['cameras.json']);
    expect(statSync(path()).isDirectory()).toBe(true);
  });
});
