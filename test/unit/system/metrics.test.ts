import { expect, test } from 'vitest';
import { MetricRegistry } from '../../../src/system/metrics.ts';

test('writes help, type and samples as the text format wants them', () => {
  const registry = new MetricRegistry();
  const depth = registry.gauge({
    name: 'depth',
    help: 'Messages\nthat "wait" \\.',
    labels: ['lane'],
  });
  depth.set(3, { lane: 'alerts' });
  depth.set(0.5, { lane: 'a"b\\c\nd' });
  registry.counter({ name: 'sent_total', help: 'Sent.' }).set(12);
  expect(registry.render()).toBe(
    [
      '# HELP depth Messages\\nthat "wait" \\\\.',
      '# TYPE depth gauge',
      'depth{lane="alerts"} 3',
      'depth{lane="a\\"b\\\\c\\nd"} 0.5',
      '# HELP sent_total Sent.',
      '# TYPE sent_total counter',
      'sent_total 12',
      '',
    ].join('\n'),
  );
});

test('the buckets of a histogram add up', () => {
  const registry = new MetricRegistry();
  const took = registry.histogram(
    { name: 'took_seconds', help: 'Time.', labels: ['camera'] },
    [0.1, 1],
  );
  for (const value of [0.05, 0.1, 0.5, 7]) took.observe(value, { camera: 'gate' });
  expect(registry.render().split('\n').slice(2)).toEqual([
    'took_seconds_bucket{camera="gate",le="0.1"} 2',
    'took_seconds_bucket{camera="gate",le="1"} 3',
    'took_seconds_bucket{camera="gate",le="+Inf"} 4',
    'took_seconds_sum{camera="gate"} 7.65',
    'took_seconds_count{camera="gate"} 4',
    '',
  ]);
});

test('leaves out what has nothing to tell, and what no longer exists', () => {
  const registry = new MetricRegistry();
  const gauge = registry.gauge({ name: 'age_seconds', help: 'Age.', labels: ['lane'] });
  gauge.set(null, { lane: 'alerts' });
  expect(registry.render()).toBe('');
  gauge.set(1, { lane: 'alerts' });
  gauge.clear();
  expect(registry.render()).toBe('');
});

test('writes numbers that are none as Prometheus reads them', () => {
  const registry = new MetricRegistry();
  const gauge = registry.gauge({ name: 'x', help: 'X.', labels: ['of'] });
  for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])
    gauge.set(value, { of: String(value) });
  const text = registry.render();
  expect(text).toMatch(/\} \+Inf\n.*\} -Inf\n.*\} NaN\n/);
});

test('refuses names that Prometheus would, names that are there twice, and wrong labels', () => {
  const registry = new MetricRegistry();
  const gauge = registry.gauge({ name: 'x', help: 'X.', labels: ['lane'] });
  expect(() => registry.gauge({ name: 'x', help: 'X.' })).toThrow(/twice/);
  expect(() => registry.gauge({ name: 'two words', help: 'X.' })).toThrow(/name of a metric/);
  expect(() => registry.gauge({ name: 'y', help: 'Y.', labels: ['a-b'] })).toThrow(
    /name of a metric/,
  );
  expect(() => registry.counter({ name: 'sent', help: 'Sent.' })).toThrow(/_total/);
  expect(() => gauge.set(1)).toThrow(/labels/);
  expect(() => gauge.set(1, { camera: 'gate' })).toThrow(/labels/);
});
