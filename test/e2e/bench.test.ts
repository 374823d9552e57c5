import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const BENCH = fileURLToPath(new URL('../../scripts/bench.mjs', import.meta.url));

test('the hub’s benchmark gives one object, and has counted what it acknowledged', () => {
  const output = execFileSync(process.execPath, [BENCH, 'hub', '--quick', '--json'], {
    encoding: 'utf8',
  });
  expect(output.trim().split('\n')).toHaveLength(1);
  const report = JSON.parse(output) as Record<string, unknown>;
  for (const key of [
    'durable_batched_per_s',
    'durable_batched_p99_ms',
    'durable_unbatched_per_s',
    'durable_unbatched_p99_ms',
    'ws_echo_per_s',
    'socketio_ack_per_s',
    'batched_vs_ws_echo',
    'hub_rss_mb',
    'messages_acknowledged',
  ])
    expect(report[key], key).toBeGreaterThan(0);
  // Null where mosquitto is not installed.
  expect(report).toHaveProperty('mosquitto_qos1_per_s');
  expect(report.rows_in_database).toBe(report.messages_acknowledged);
  expect(report).toMatchObject({
    validation: true,
    fsync_before_ack: true,
    restart: {
      sigterm: { p99_ms: expect.any(Number) },
      sigkill: { p99_ms: expect.any(Number) },
    },
  });
});

test('the fan-out benchmark loses nothing, keeps the order, and closes nobody', () => {
  const options = ['fanout', '--quick', '--seconds', '8', '--json'];
  const output = execFileSync(process.execPath, [BENCH, ...options], { encoding: 'utf8' });
  const report = JSON.parse(output) as Record<string, number>;
  // It throws itself where a frontend did not see exactly what the table holds for it.
  expect(report).toMatchObject({ lost: 0, duplicates: 0, disorders: 0, ended_early: 0 });
  expect(report.deliveries).toBe((report.events ?? 0) * (report.perEvent ?? 0));
  expect(report.deliveries).toBeGreaterThan(0);
});
