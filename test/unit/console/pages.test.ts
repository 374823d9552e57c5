import { describe, expect, test } from 'vitest';
import { problemOf } from '../../../src/console/api/problem.ts';
import { boxOnCanvas, captionOf, colourOf, pointsOf } from '../../../src/console/live/overlay.ts';
import { filterOf, queryOf, searchOf } from '../../../src/console/pages/events-filter.ts';
import { type Sample, withSample } from '../../../src/console/pages/history-ring.ts';
import { bytes, duration } from '../../../src/console/parts/time.tsx';

const object = {
  ...{ track_id: 1, event_id: 'e', label: 'person', score: 0.876 },
  box: { x: 0.25, y: 0.5, width: 0.5, height: 0.25 },
};

test('a box lies on a canvas of any size where it lies in the picture', () => {
  expect(boxOnCanvas(object.box, { width: 640, height: 360 })).toEqual({
    x: 160,
    y: 180,
    width: 320,
    height: 90,
  });
});

test('who is known stands there by name, and threats in their own colour', () => {
  expect([captionOf(object), captionOf({ ...object, name: 'Anna' })]).toEqual([
    'person 88%',
    'Anna 88%',
  ]);
  const colours = [
    object,
    { ...object, name: 'Anna' },
    { ...object, threat_level: 'threat' as const },
    { ...object, label: 'car' },
  ].map(colourOf);
  expect(new Set(colours).size).toBe(4);
});

test('corners are read as the configuration has them', () => {
  expect(pointsOf('0.1,0.2,0.3,0.4')).toEqual([
    { x: 0.1, y: 0.2 },
    { x: 0.3, y: 0.4 },
  ]);
});

describe('filters', () => {
  test('stand in the address, and nothing else of it counts', () => {
    const filter = filterOf('?cameras=hall&reviewed=false&evil=1&labels=');
    expect(filter).toEqual({ cameras: 'hall', reviewed: 'false' });
    expect(filterOf(`?${searchOf(filter)}`)).toEqual(filter);
    expect(searchOf({})).toBe('');
  });

  test('days are those of the browser, the last one to its end', () => {
    const { after, before } = queryOf({ after: '2026-11-24', before: '2026-11-24' });
    expect(Number(after)).toBe(new Date(2026, 10, 24).getTime());
    expect(Number(before) - Number(after)).toBe(86_400_000);
  });
});

test('charts hold half an hour', () => {
  const sample: Sample = { at: 0, queued: 0, fps: 0, inferenceMs: null, latencyMs: null };
  let samples: readonly Sample[] = [];
  for (let at = 0; at < 1000; at++) samples = withSample(samples, { ...sample, at });
  expect([samples.length, samples.at(-1)?.at]).toEqual([900, 999]);
});

test.each([
  [0, '0 s'],
  [75, '1 min 15 s'],
  [3700, '1 h 1 min'],
  [90_000, '1 d 1 h'],
])('%i seconds are %s', (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1536, '1.5 kB'],
  [250_000_000, '250 MB'],
  [5e15, '5000 TB'],
])('%i bytes are %s', (count, words) => {
  expect(bytes(count)).toBe(words);
});

test('a failure is told in the words of the box, or of the network', async () => {
  const body = {
    title: 'no',
    detail: 'not now',
    code: 'JOURNAL_BUSY',
    remedy: 'Wait.',
    status: 503,
  };
  expect(await problemOf(new Response(JSON.stringify(body), { status: 503 }))).toMatchObject({
    ...{ code: 'JOURNAL_BUSY', status: 503, message: 'not now', remedy: 'Wait.' },
  });
  const odd = await problemOf(new Response('<html>', { status: 502, statusText: 'Bad Gateway' }));
  expect(odd).toMatchObject({ code: 'http_502', message: 'Bad Gateway', remedy: null });
});
