import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { HubCounters } from '../../../src/hub/counters.ts';
import { HUB_FIGURES } from '../../../src/hub/http/hub-figures.ts';
import { HubMetrics } from '../../../src/hub/http/hub-metrics.ts';
import type { HubStats } from '../../../src/hub/hub-stats.ts';
import { parseExposition } from '../../support/prometheus-text.ts';

const NUMBERS = Object.fromEntries(Object.keys(HUB_FIGURES).map((key, index) => [key, index]));
const STATS = {
  ...NUMBERS,
  storeId: 'hub-1',
  clients: { ai_engine: 2, frontend: 3, desktop_app: 0, mobile_app: 0 },
} as unknown as HubStats;

test('every counter of the hub is shown', () => {
  const counters = Object.entries(new HubCounters())
    .filter(([, value]) => typeof value === 'number')
    .map(([key]) => key);
  expect(Object.keys(HUB_FIGURES)).toEqual(expect.arrayContaining(counters));
});

test('the exposition is in the text format, in seconds, with histograms', () => {
  const metrics = new HubMetrics();
  metrics.committed(3);
  metrics.committed(30_000);
  metrics.acknowledged(7);
  const process = { rssBytes: 1e8, cpuSeconds: 2, eventLoopDelay: { mean: 0, p99: 0.01, max: 0 } };
  const families = parseExposition(metrics.render({ stats: STATS, process, version: '1.2.3' }));
  expect([...families.keys()]).toEqual(metrics.descriptions().map(({ name }) => name));
  const sample = (family: string, name: string, le?: string) =>
    families.get(family)?.samples.find(({ name: own, labels }) => own === name && labels.le === le)
      ?.value;
  expect(sample('apex_hub_average_commit_seconds', 'apex_hub_average_commit_seconds')).toBeCloseTo(
    (NUMBERS.averageCommitMs ?? 0) / 1000,
    9,
  );
  expect(sample('apex_hub_commit_seconds', 'apex_hub_commit_seconds_bucket', '0.005')).toBe(1);
  expect(sample('apex_hub_commit_seconds', 'apex_hub_commit_seconds_bucket', '+Inf')).toBe(2);
  expect(sample('apex_hub_ack_seconds', 'apex_hub_ack_seconds_count')).toBe(1);
});

test.each([
  ['a counter by another name', '# HELP a b\n# TYPE a counter\na 1\n'],
  ['no end of line', '# HELP a b\n# TYPE a gauge\na 1'],
  ['no help', '# TYPE a gauge\na 1\n'],
  ['a sample twice', '# HELP a b\n# TYPE a gauge\na 1\na 2\n'],
  ['an unquoted label', '# HELP a b\n# TYPE a gauge\na{b=c} 1\n'],
  ['a number that is none', '# HELP a b\n# TYPE a gauge\na one\n'],
  [
    'buckets that fall',
    '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  ],
])('the check of the format finds %s', (_, text) => {
  expect(() => parseExposition(text)).toThrow();
});

test('docs/hub-api.md is what the program tells', () => {
  const script = fileURLToPath(new URL('../../../scripts/hub-api-reference.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
