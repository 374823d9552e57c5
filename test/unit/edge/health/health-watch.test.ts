import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Create } from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CameraView } from '../../../../src/api/edge-status.ts';
import { alertsSchema } from '../../../../src/config/alert-schema.ts';
import { HealthWatch } from '../../../../src/edge/health/health-watch.ts';
import type { AlertTriggered } from '../../../../src/protocol/payloads.ts';
import type { OutgoingMessage, QueueStatus } from '../../../../src/store/store.ts';
import { ApexError } from '../../../../src/system/errors.ts';
import { silentLogger } from '../../../../src/system/logger.ts';
import type { ProviderReport, SnapshotImage } from '../../../../src/vision/contract.ts';
import { camera } from '../../../support/edge-status.ts';

let dataDir: string;
let nowMs: number;
let wallMs: number;
let isFull: boolean;
let stored: AlertTriggered[];
let thermalDir: string;
let free: number;
let pictures: (frameId: number) => SnapshotImage | null;
let evicted: number;
let mode: 'disk' | 'memory';
let engine: { provider: ProviderReport | null; restarts: number };

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'apex-health-'));
  [nowMs, wallMs, isFull, stored] = [1_000_000, 1_700_000_000_000, false, []];
  [free, evicted, mode, engine] = [50e9, 0, 'disk', { provider: null, restarts: 0 }];
  pictures = () => null;
  thermalDir = join(dataDir, 'thermal');
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const clock = {
  monotonicMs: () => nowMs,
  wallMs: () => wallMs,
  setTimeout: () => ({ cancel: () => undefined }),
};

const LANE = { lane: 0 };
const QUEUE = {
  disk: { used: 0, budget: 0, ballast: 'ready', free: null },
  deadLetters: 0,
  fault: null,
  damagedFiles: 0,
};

const store = {
  enqueue(messages: readonly OutgoingMessage[]): Promise<void> {
    if (isFull) return Promise.reject(new ApexError('STORE_FULL', 'no room'));
    for (const { data } of messages) stored.push(data as AlertTriggered);
    return Promise.resolve();
  },
  queue: () =>
    Promise.resolve({
      ...QUEUE,
      mode,
      lanes: [{ ...LANE, evictedCount: evicted }],
    } as unknown as QueueStatus),
};

const diskOf = () => Promise.resolve({ freeBytes: free, totalBytes: 100e9 });
const vision = {
  snapshot: (_camera: string, frameId: number) => Promise.resolve(pictures(frameId)),
  get status() {
    return engine;
  },
};

const open = (bootId = 'boot-1', alerts = {}): Promise<HealthWatch> =>
  HealthWatch.open({
    ...{ dataDir, thermalDir, store, vision, clock, bootId, log: silentLogger, diskOf },
    provider: 'auto',
    journal: { alert: () => undefined, hasUnstoredAlerts: false },
    live: { publish: () => undefined },
    random: () => 0.5,
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
    // What is read has come by the next second.
    while (health.isLooking) await new Promise((resolve) => setImmediate(resolve));
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

describe('room on the disk', () => {
  test('is told below either limit, worse below one percent, and over well above both', async () => {
    const health = await open();
    expect(await pass(health, 30, back)).toEqual([]);
    free = 4.9e9;
    expect(await pass(health, 30, back)).toEqual(['storage_low']);
    expect(stored.at(-1)).toMatchObject({ severity: 'medium', data: { free_bytes: 4.9e9 } });
    expect(stored.at(-1)).not.toHaveProperty('camera_id');
    expect(stored.at(-1)?.data.why).toBe('only 4900 MB (4.9 %) free where the data is kept');
    free = 5.5e9;
    expect(await pass(health, 30, back), 'a little more is not enough').toEqual([]);
    free = 0.9e9;
    expect(await pass(health, 30, back)).toEqual(['storage_low']);
    expect(stored.at(-1)?.severity).toBe('critical');
    expect(await pass(await open(), 30, back), 'the next run').toEqual([]);
    free = 50e9;
    expect(await pass(await open(), 30, back)).toEqual(['storage_recovered']);
  });

  test('of a small disk goes by megabytes', async () => {
    const health = await open('boot-1', { storage_low: { min_free_mb: 60_000 } });
    expect(await pass(health, 30, back)).toEqual(['storage_low']);
  });

  test('that messages are given up for is told until that has stopped for ten minutes', async () => {
    const health = await open();
    await pass(health, 30, back);
    evicted = 10;
    expect(await pass(health, 30, back)).toEqual(['storage_low']);
    const next = await open();
    expect(await pass(next, 500, back)).toEqual([]);
    expect(await pass(next, 200, back)).toEqual(['storage_recovered']);
  });

  test('does not help where the disk cannot be written', async () => {
    const health = await open();
    mode = 'memory';
    expect(await pass(health, 30, back)).toEqual(['storage_low']);
    expect(stored.at(-1)?.severity).toBe('critical');
    mode = 'disk';
    expect(await pass(health, 30, back)).toEqual(['storage_recovered']);
  });

  test('is not looked after where that is switched off', async () => {
    free = 0;
    const health = await open('boot-1', { storage_low: { enabled: false } });
    expect(await pass(health, 30, back)).toEqual([]);
  });
});

describe('temperatures', () => {
  const heat = (...degrees: (number | string)[]): void => {
    for (const [index, value] of degrees.entries()) {
      const folder = join(thermalDir, `thermal_zone${index}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'type'), `part-${index}\n`);
      writeFileSync(join(folder, 'temp'), typeof value === 'number' ? `${value * 1000}\n` : value);
    }
  };

  test('are told of above the limit, and when they are well below it again', async () => {
    heat(50, 60, -256, 'no number', 1000);
    mkdirSync(join(thermalDir, 'thermal_zone9'));
    mkdirSync(join(thermalDir, 'cooling_device0'));
    const health = await open();
    expect(await pass(health, 30, back)).toEqual([]);
    heat(50, 91);
    expect(await pass(health, 40, back)).toEqual(['engine_degraded']);
    expect(stored.at(-1)?.data).toMatchObject({ sensor: 'part-1', celsius: 91, max_celsius: 90 });
    heat(50, 88);
    expect(await pass(health, 40, back)).toEqual([]);
    heat(50, 92);
    expect(await pass(health, 40, back)).toEqual([]);
    heat(50, 84);
    expect(await pass(health, 40, back)).toEqual(['engine_recovered']);
  });
});

describe('the detector', () => {
  const report = (provider: ProviderReport['provider']): ProviderReport => ({
    ...{ provider, inferenceMs: 10, form: 'prepared', formReason: null },
    refused: provider === 'cpu' ? [{ provider: 'cuda', reason: 'no such library' }] : [],
  });

  test('that fell to the processor is told of, also by the run after', async () => {
    engine = { provider: report('cuda'), restarts: 0 };
    expect(await pass(await open(), 30, back)).toEqual([]);
    engine = { provider: report('cpu'), restarts: 0 };
    expect(await pass(await open(), 30, back)).toEqual(['engine_degraded']);
    expect(stored.at(-1)?.data).toMatchObject({
      why: 'the detector runs on cpu, not on cuda as before or as asked for: no such library',
      provider: 'cpu',
      wanted: 'cuda',
    });
    expect(await pass(await open(), 30, back)).toEqual([]);
    engine = { provider: report('tensorrt'), restarts: 0 };
    expect(await pass(await open(), 30, back)).toEqual(['engine_recovered']);
    engine = { provider: report('cuda'), restarts: 0 };
    expect(await pass(await open(), 30, back)).toEqual(['engine_degraded']);
  });

  test('of a box that never had better is as it should be', async () => {
    engine = { provider: report('cpu'), restarts: 0 };
    expect(await pass(await open(), 100, back)).toEqual([]);
  });

  test('that is started again and again is told of', async () => {
    const health = await open();
    for (engine.restarts = 0; engine.restarts < 2; engine.restarts++)
      expect(await pass(health, 60, back)).toEqual([]);
    engine.restarts = 3;
    expect(await pass(health, 60, back)).toEqual(['engine_degraded']);
    expect(await pass(health, 580, back)).toEqual(['engine_recovered']);
  });

  test('that is too slow for a minute is told of, with the reason', async () => {
    const health = await open();
    const slow = (dropped: number, fps = 2.4) => [
      cameraView({ camera_id: 'gate', state: 'streaming', fps, frames_dropped: dropped }),
    ];
    expect(await pass(health, 50, slow(0))).toEqual([]);
    expect(await pass(health, 10, slow(100, 4))).toEqual([]);
    expect(await pass(health, 55, slow(100))).toEqual([]);
    expect(await pass(health, 10, slow(200))).toEqual(['engine_degraded']);
    expect(stored.at(-1)?.data.why).toBe(
      'gate: 2.4 of 5 frames a second, the detector is too slow',
    );
    expect(await pass(health, 10, slow(200, 3))).toEqual([]);
    expect(await pass(health, 10, slow(200, 4))).toEqual(['engine_recovered']);
  });

  test('has not to be faster than the camera', async () => {
    const stream = { codec: 'h264', width: 640, height: 360, fps: 2, pixelFormat: null };
    const cameras = [cameraView({ state: 'streaming', fps: 2, stream })];
    expect(await pass(await open(), 100, cameras)).toEqual([]);
  });
});

describe('pictures', () => {
  async function jpegOf(create: Create): Promise<SnapshotImage> {
    const jpeg = await sharp({ create }).jpeg().toBuffer();
    return { jpeg, width: create.width, height: create.height };
  }

  test('are looked at every ten seconds, and tell of a camera that sees nothing', async () => {
    const size = { width: 160, height: 90, channels: 3, background: 'black' } as const;
    const black = await jpegOf(size);
    const asked: number[] = [];
    pictures = (frameId) => {
      asked.push(frameId);
      return black;
    };
    const health = await open();
    for (let second = 0; second < 60; second++) {
      nowMs += 1000;
      health.frame('gate', second);
      await expect.poll(() => health.isLooking).toBe(false);
      health.tick(back);
    }
    await health.stop();
    expect(asked).toEqual([0, 10, 20, 30, 40, 50]);
    expect(stored).toMatchObject([{ type: 'camera_obscured', camera_id: 'gate' }]);
    expect(health.open()).toMatchObject([{ type: 'camera_obscured', camera_ids: ['gate'] }]);
  });

  test('that cannot be had, or are none, tell nothing', async () => {
    const health = await open();
    health.frame('gate', 1);
    pictures = () => ({ jpeg: new Uint8Array(10), width: 1, height: 1 });
    nowMs += 20_000;
    await expect.poll(() => health.isLooking).toBe(false);
    health.frame('gate', 2);
    await expect.poll(() => health.isLooking).toBe(false);
    expect(await pass(health, 30, back)).toEqual([]);
  });

  test('are not asked for where nobody wants to know', async () => {
    const off = { camera_obscured: { enabled: false }, scene_changed: { enabled: false } };
    const health = await open('boot-1', off);
    pictures = () => expect.fail('nobody wants a picture');
    health.frame('gate', 1);
    expect(await pass(health, 10, back)).toEqual([]);
  });
});
