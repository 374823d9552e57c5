import { expect, test } from 'vitest';
import { Conduct, type Measure } from '../../../src/hub/door/conduct.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';

function refusals(conduct: Conduct, count: number, nowMs: number): Measure | undefined {
  return Array.from({ length: count }, () => conduct.onRefusal(nowMs)).at(-1);
}

const VIEWER = { isEdge: false, isLegacy: false };
const EDGE = { isEdge: true, isLegacy: false };

test('a client with few mistakes is left alone', () => {
  const conduct = new Conduct(VIEWER, DEFAULT_HUB_LIMITS, 0);
  expect(refusals(conduct, 500, 0)).toEqual({ kind: 'none' });
});

test('one with more is not read from until its debt is paid, and then goes on', () => {
  const conduct = new Conduct(VIEWER, DEFAULT_HUB_LIMITS, 0);
  expect(refusals(conduct, 600, 0)).toEqual({ kind: 'pause', forMs: 1000 });
  expect(conduct.onRefusal(1010)).toEqual({ kind: 'none' });
});

test('one with twice its allowance at once is closed', () => {
  const conduct = new Conduct(VIEWER, DEFAULT_HUB_LIMITS, 0);
  expect(refusals(conduct, 999, 0)?.kind).toBe('pause');
  expect(conduct.onRefusal(0)).toEqual({ kind: 'close' });
});

test('an edge at the rate of its limit, each message in a frame of its own, is never held up', () => {
  const { messagesPerS, burstMessages } = DEFAULT_HUB_LIMITS;
  const conduct = new Conduct(EDGE, DEFAULT_HUB_LIMITS, 0);
  for (let sent = 0; sent < burstMessages; sent++)
    expect(conduct.onFrame(0, 200)).toEqual({ kind: 'none' });
  for (let sent = 1; sent <= 10_000; sent++)
    expect(conduct.onFrame((1000 * sent) / messagesPerS, 900)).toEqual({ kind: 'none' });
});

test('a viewer that asks without end is slowed', () => {
  const conduct = new Conduct(VIEWER, DEFAULT_HUB_LIMITS, 0);
  const measures = Array.from({ length: 2001 }, () => conduct.onFrame(0, 200));
  expect(measures.at(1999)).toEqual({ kind: 'none' });
  expect(measures.at(2000)).toEqual({ kind: 'pause', forMs: 20 });
});

test('large frames count for more: one of 1 MiB as 65', () => {
  const conduct = new Conduct(VIEWER, DEFAULT_HUB_LIMITS, 0);
  const measures = Array.from({ length: 31 }, () => conduct.onFrame(0, 1024 * 1024));
  expect(measures.at(29)).toEqual({ kind: 'none' });
  expect(measures.at(30)?.kind).toBe('pause');
});

test('a client of the original protocol is slowed and never closed', () => {
  const conduct = new Conduct({ isEdge: true, isLegacy: true }, DEFAULT_HUB_LIMITS, 0);
  expect(refusals(conduct, 5000, 0)?.kind).toBe('pause');
});
