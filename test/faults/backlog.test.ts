import { expect, test } from 'vitest';
import { FaultScene } from './support/scene.ts';

const BACKLOG = 10_000;
/** Generous: the bench measures how fast it is; here a backlog that blocks what is new must be told from one that does not. */
const DRAINED_MS = 30_000;
const ALERT_P99_MS = 3000;

test('19 a backlog of 10,000: it drains, and alerts that happen meanwhile do not wait behind it', async () => {
  const scene = await FaultScene.create({ edge: { fillerBytes: { alert: 200, detection: 300 } } });
  const { edge, hub } = scene;
  await edge.open();
  const { refused } = await edge.command('burst', { kind: 'face', count: BACKLOG, group: 100 });
  expect(refused).toBe(0);
  await hub.open();
  await edge.command('latencies');
  await edge.command('rates', { rates: { alert: 50 } });
  await edge.command('burst', { kind: 'alert', count: 50 });
  await scene.recovers({ drainedWithinMs: DRAINED_MS });
  const latencies = (await edge.command('latencies')).sort((a, b) => a - b);
  expect(latencies.length).toBeGreaterThan(20);
  expect(latencies[Math.floor(latencies.length * 0.99)]).toBeLessThan(ALERT_P99_MS);
  const record = await scene.verdict();
  expect(record.events.filter(({ type }) => type === 'face_detection_result')).toHaveLength(
    BACKLOG,
  );
});
