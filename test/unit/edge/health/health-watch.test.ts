import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CameraView } from '../../../../src/api/edge-status.ts';
import { alertsSchema } from '../../../../src/config/alert-schema.ts';
import { HealthWatch } from '../../../../src/edge/health/health-watch.ts';
import type { AlertTriggered } from '../../../../src/protocol/payloads.ts';
import type { OutgoingMessage } from '../../../../src/store/store.ts';
import { ApexError } from '../../../../src/system/errors.ts';
import { silentLogger } from '../../../../src/system/logger.ts';
import { camera } from '../../../support/edge-status.ts';

let dataDir: string;
let nowMs: number;
let wallMs: number;
let isFull: boolean;
let stored: AlertTriggered[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'apex-health-'));
  [nowMs, wallMs, isFull, stored] = [1_000_000, 1_700_000_000_000, false, []];
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const clock = {
  monotonicMs: () => nowMs,
  wallMs: () => wallMs,
  setTimeout: () => ({ cancel: () => undefined }),
};

const store = {
  enqueue(messages: readonly OutgoingMessage[]): Promise<void> {
    if (isFull) return Promise.reject(new ApexError('STORE_FULL', 'no room'));
    for (const { data } of messages) stored.push(data as AlertTriggered);
    return Promise.resolve();
  },
};

const open = (bootId = 'boot-1', alerts = {}): Promise<HealthWatch> =>
  HealthWatch.open({
    ...{ dataDir, store, clock, bootId, log: silentLogger },
    alerts: alertsSchema.parse(alerts),
  });

async function pass(
  health: HealthWatch,
  seconds: number,
  cameras: readonly CameraView[],
): Promise<string[]> {
  const before = stored.length;
  for (let each = 0; each < seconds; each++) {
    nowMs += 1000;
    wallMs += 1000;
    health.tick(cameras);
  }
  await health.stop();
  return stored.slice(before).map(({ type }) => type);
}

const cameraView = (change: Partial<CameraView>): CameraView => ({ ...camera, ...change });
const away = [cameraView({ camera_id: 'gate', state: 'backing-off' })];
const back = [cameraView({ camera_id: 'gate', state: 'streaming' })];

describe('an outage', () => {
  test('is told once, over runs of the daemon, and ended by the one that sees it end', async () => {
    expect(await pass(await open(), 50, away)).toEqual(['camera_offline']);
    const second = await open();
    expect(await pass(second, 50, away)).toEqual([]);
    expect(second.open()).toMatchObject([{ type: 'camera_offline', camera_ids: ['gate'] }]);
    expect(await pass(await open(), 10, back)).toEqual(['camera_online']);
    expect(await pass(await open(), 10, back)).toEqual([]);
  });

  test('is as long over a restart of the machine as the wall clock says', async () => {
    await pass(await open(), 45, away);
    [nowMs, wallMs] = [5000, wallMs + 3_600_000];
    expect(await pass(await open('boot-2'), 10, back)).toEqual(['camera_online']);
    const [entry] = (stored.at(-1)?.data.cameras ?? []) as { offline_s: number }[];
    expect(entry?.offline_s).toBeGreaterThan(3600);
    expect(entry?.offline_s).toBeLessThan(3700);
  });

  test('has no length that a clock set back could give it', async () => {
    await pass(await open(), 45, away);
    [nowMs, wallMs] = [5000, 0];
    await pass(await open('boot-2'), 10, back);
    const [entry] = (stored.at(-1)?.data.cameras ?? []) as { offline_s: number }[];
    expect(entry?.offline_s).toBeGreaterThanOrEqual(0);
    expect(entry?.offline_s).toBeLessThan(60);
  });

  test('is not told where that is switched off', async () => {
    const health = await open('boot-1', { camera_offline: { enabled: false } });
    expect(await pass(health, 50, away)).toEqual([]);
  });

  test('of a camera that nobody watches is none', async () => {
    for (const state of ['disabled', 'stopped', 'finished'] as const)
      expect(await pass(await open(), 50, [cameraView({ camera_id: 'gate', state })])).toEqual([]);
  });
});

describe('a store that is full', () => {
  test('gets the alert once it takes it, and not before that is it remembered', async () => {
    isFull = true;
    const health = await open();
    expect(await pass(health, 50, away)).toEqual([]);
    // Killed here, the next run tells it; here it goes on.
    isFull = false;
    expect(await pass(health, 3, away)).toEqual(['camera_offline']);
  });

  test('that stays full leaves it to the next run', async () => {
    isFull = true;
    await pass(await open(), 50, away);
    isFull = false;
    expect(await pass(await open(), 50, away)).toEqual(['camera_offline']);
  });
});

test.each(['{', '[]', '{"version":2}', '\u0000'])(
  'a damaged file (%j) is left out',
  async (text) => {
    await pass(await open(), 50, away);
    const path = join(dataDir, 'health.json');
    expect(JSON.parse(readFileSync(path, 'utf8')).outages).toHaveLength(1);
    writeFileSync(path, text);
    expect(await pass(await open(), 50, away)).toEqual(['camera_offline']);
    expect(JSON.parse(readFileSync(path, 'utf8')).outages).toHaveLength(1);
  },
);
