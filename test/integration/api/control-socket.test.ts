import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { fetchDeadLetters, fetchMetrics, fetchStatus } from '../../../src/api/control-client.ts';
import { ControlServer } from '../../../src/api/control-server.ts';
import { temporaryFolder } from '../../support/program.ts';

let server: ControlServer | null = null;

afterEach(async () => {
  await server?.stop();
  server = null;
});

async function serve(dir: string, status: () => Promise<unknown>): Promise<void> {
  server = new ControlServer(dir, { '/status': status });
  await server.start();
}

test('gives the status to the owner of the data folder only', async () => {
  const dir = temporaryFolder('control');
  await serve(dir, async () => ({ fine: true }));
  expect(await fetchStatus(dir)).toEqual({ fine: true });
  expect(statSync(join(dir, 'control.sock')).mode & 0o777).toBe(0o600);
});

test('gives each page, texts as they are', async () => {
  const dir = temporaryFolder('control');
  server = new ControlServer(dir, {
    '/dead-letters': async () => [{ seq: 1 }],
    '/metrics': async () => 'up 1\n',
  });
  await server.start();
  expect(await fetchDeadLetters(dir)).toEqual([{ seq: 1 }]);
  expect(await fetchMetrics(dir)).toBe('up 1\n');
});

test('says which page an older daemon lacks', async () => {
  const dir = temporaryFolder('control');
  await serve(dir, async () => 1);
  await expect(fetchMetrics(dir)).rejects.toMatchObject({
    code: 'API_STATUS_FAILED',
    message: expect.stringContaining('/metrics'),
  });
});

test('starts over what a killed daemon left', async () => {
  const dir = temporaryFolder('control');
  writeFileSync(join(dir, 'control.sock'), '');
  await serve(dir, async () => 1);
  expect(await fetchStatus(dir)).toBe(1);
});

test('says that nothing runs where nothing runs', async () => {
  await expect(fetchStatus(temporaryFolder('control'))).rejects.toMatchObject({
    code: 'API_NOT_RUNNING',
  });
});

test('says so when the status cannot be had', async () => {
  const dir = temporaryFolder('control');
  await serve(dir, async () => {
    throw new Error('the store is gone');
  });
  await expect(fetchStatus(dir)).rejects.toMatchObject({
    code: 'API_STATUS_FAILED',
    message: expect.stringContaining('the store is gone'),
  });
});
