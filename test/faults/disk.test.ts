import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../support/program.ts';
import { DiskSampler } from './support/disk-sampler.ts';
import { diskWithinBudget } from './support/invariants.ts';
import { testWhere } from './support/needs.ts';
import { FaultScene } from './support/scene.ts';
import { IS_LONG } from './support/seed.ts';
import { SmallDisk } from './support/small-disk.ts';
import { straced } from './support/strace.ts';

const MIB = 1024 * 1024;

test('4 storage put back to an older state: no new alert is taken for an old one', async () => {
  const scene = await FaultScene.create();
  const { edge, hub, folder } = scene;
  await hub.open();
  const saved = join(folder, 'saved.db');
  await edge.open();
  await edge.command('burst', { kind: 'alert', count: 20 });
  await scene.drained();
  await edge.stop();
  copyFileSync(edge.databasePath, saved);
  await edge.open();
  await edge.command('burst', { kind: 'alert', count: 30 });
  await scene.drained();
  await edge.kill();
  for (const ending of ['', '-wal']) rmSync(edge.databasePath + ending, { force: true });
  copyFileSync(saved, edge.databasePath);
  await edge.open();
  // Under the numbers that the hub has already acknowledged to the life that the disk forgot.
  await edge.command('burst', { kind: 'alert', count: 40 });
  await scene.recovers();
  const record = await scene.verdict();
  expect(record.events.filter(({ type }) => type === 'alert_triggered')).toHaveLength(91);
});

testWhere('root', 'tmpfs')('12 disk filled by others: alerts are still taken', async () => {
  const scene = await FaultScene.create({ edge: { store: { budgetBytes: 8 * MIB } } });
  const { edge, hub } = scene;
  const disk = new SmallDisk(edge.options.dir, '16m');
  await edge.open();
  await edge.command('burst', { kind: 'detection', count: 6000, group: 100 });
  await waitFor('detections on the disk', async () => {
    const { lanes, disk: room } = await edge.command('queue');
    return lanes.every(({ inMemory }) => inMemory === 0) && room.ballast === 'ready';
  });
  disk.fill();

  const taken = await edge.command('burst', { kind: 'alert', count: 400 }, 60_000);
  expect(taken.refused).toBe(0);
  expect((await edge.command('queue')).disk.ballast).toBe('spent');
  disk.free();
  await edge.command('rates', { rates: { event: 10, status: 2 } });
  await waitFor('the ballast again', async () => {
    const { disk: room, mode } = await edge.command('queue');
    return room.ballast === 'ready' && mode === 'disk';
  });
  await hub.open();
  await scene.recovers();
  await scene.verdict();
});

test('13 more than the budget while the hub is away: detections go first, declared, alerts never', async () => {
  const budgetBytes = (IS_LONG ? 64 : 8) * MIB;
  const detections = IS_LONG ? 20_000_000 : 150_000;
  const scene = await FaultScene.create({
    edge: { store: { budgetBytes }, fillerBytes: { alert: 200, detection: 40 } },
  });
  const { edge, hub } = scene;
  await edge.open();
  const sampler = new DiskSampler(edge.options.dir);
  await edge.command('burst', { kind: 'face', count: 500, group: 50 });
  await edge.command('rates', { rates: { alert: 20, status: 10 } });
  const { refused, slowestMs } = await edge.command(
    'burst',
    { kind: 'detection', count: detections, group: 200 },
    IS_LONG ? 6 * 3_600_000 : 120_000,
  );
  expect(refused).toBe(0);
  expect(slowestMs).toBeLessThan(5000);
  const { lanes } = await edge.command('queue');
  expect(lanes.map(({ evictedCount }) => evictedCount > 0).slice(0, 3)).toEqual([
    false,
    false,
    true,
  ]);
  expect(diskWithinBudget(sampler.stop(), budgetBytes)).toEqual([]);
  await hub.open();
  await scene.recovers({ drainedWithinMs: 60_000 });
  const record = await scene.verdict();
  const reasons = record.events.flatMap(({ gap, lane }) =>
    gap === null || lane !== 2 ? [] : gap.reason,
  );
  expect(new Set(reasons)).toEqual(new Set(['disk_budget']));
});

testWhere('strace')(
  '14 after a failed fsync nothing more is written to that file before it is closed',
  async () => {
    const scene = await FaultScene.create({ edge: { rates: { alert: 100 } } });
    const { edge, hub, folder } = scene;
    await hub.open();
    const calls = join(folder, 'calls');
    const prefix = ['strace', '-f', '-qq', '-o', calls, '-e', 'trace=fsync,pwrite64,close'];
    await edge.open({ prefix: [...prefix, '-e', 'inject=fsync:error=EIO:when=12'] });
    await waitFor('messages after the fault', async () => {
      const { totals } = await edge.command('status');
      return totals.obligated > 100;
    });
    await scene.recovers();
    await scene.verdict();
    const [failed, next] = callsFromFault(readFileSync(calls, 'utf8'));
    expect(failed).toMatch(/^fsync/);
    expect(next).toMatch(/^close/);
  },
);

/** The fsync that was made to fail, and its thread's next write or close of the same file. */
function callsFromFault(trace: string): (string | undefined)[] {
  const lines = trace.split('\n');
  const at = lines.findIndex((line) => line.includes('(INJECTED)'));
  const [, thread = '', file = ''] = /^(\d+) +fsync\((\d+)\)/.exec(lines[at] ?? '') ?? [];
  const isOfFile = new RegExp(`^${thread} +(?:pwrite64|close)\\(${file}[,)]`);
  return [lines[at] ?? '', ...lines.slice(at).filter((line) => isOfFile.test(line))]
    .map((line) => line.replace(/^\d+ +/, ''))
    .slice(0, 2);
}

describe('14 the disk fails', () => {
  const CASES = [
    { injection: 'fsync:error=EIO:when=8', isNoticed: true },
    { injection: 'fsync:error=EIO:when=6..9', isNoticed: true },
    { injection: 'fsync:error=EIO:when=10+', isNoticed: true },
    { injection: 'fsync:error=EIO:when=1+', isNoticed: false },
    { injection: 'pwrite64:error=EIO:when=30', isNoticed: true },
    { injection: 'pwrite64:error=EIO:when=40..90', isNoticed: true },
    // SQLite reads little that is not in its cache: this may or may not strike.
    { injection: 'pread64:error=EIO:when=20+', isNoticed: false },
  ];

  testWhere('strace')(
    '14 alerts are taken all the same, none is lost, the daemon lives',
    async () => {
      const rates = { alert: 60, face: 20, detection: 60 };
      const scene = await FaultScene.create({ edge: { rates } });
      const { edge, hub } = scene;
      await hub.open();
      for (const { injection, isNoticed } of CASES) {
        await edge.open({ prefix: straced(injection) });
        await waitFor(`messages taken under ${injection}`, async () => {
          const { totals } = await edge.command('status');
          return totals.obligated > 150;
        });
        expect(edge.process.hasEnded, injection).toBe(false);
        if (isNoticed) expect(edge.process.stderr, injection).toMatch(/disk fault|kept in memory/);
        await edge.command('rates', { rates: {} });
        await scene.drained();
        await edge.stop();
      }
      await edge.open();
      await scene.recovers();
      await scene.verdict();
    },
  );
});
