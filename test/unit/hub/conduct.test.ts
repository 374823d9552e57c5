import { expect, test } from 'vitest';
import { Conduct, type Measure } from '../../../src/hub/door/conduct.ts';
import { RefusalBudgets } from '../../../src/hub/door/refusal-budgets.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';

const VIEWER = { isEdge: false, isLegacy: false };
const EDGE = { isEdge: true, isLegacy: false };
/** What comes behind any refused frame waits for so long. */
const TURN = { kind: 'pause', forMs: 5 };

function conductOf(
  kind: typeof VIEWER,
  budgets = new RefusalBudgets(DEFAULT_HUB_LIMITS.refusals),
  nowMs = 0,
): Conduct {
  return new Conduct(kind, DEFAULT_HUB_LIMITS, budgets.of('token', nowMs), nowMs);
}

function refusals(conduct: Conduct, count: number, nowMs: number, bytes = 0): Measure | undefined {
  return Array.from({ length: count }, () => conduct.onRefusal(nowMs, bytes)).at(-1);
}

test('a client with few mistakes lets the others have their turn, and is left alone', () => {
  expect(refusals(conductOf(VIEWER), 200, 0)).toEqual(TURN);
});

test('where refusals are not limited, none holds up its client', () => {
  const limits = { ...DEFAULT_HUB_LIMITS, refusals: { perS: 1e9, burst: 1e9 } };
  const budgets = new RefusalBudgets(limits.refusals);
  const conduct = new Conduct(VIEWER, limits, budgets.of('token', 0), 0);
  expect(refusals(conduct, 1000, 0)).toEqual({ kind: 'none' });
});

test('one with more is not read from until its debt is paid, and then goes on', () => {
  const conduct = conductOf(VIEWER);
  expect(refusals(conduct, 250, 0)).toEqual({ kind: 'pause', forMs: 1000 });
  expect(conduct.onRefusal(1020, 0)).toEqual(TURN);
});

test('one with twice its allowance at once is closed', () => {
  const conduct = conductOf(VIEWER);
  expect(refusals(conduct, 399, 0)?.kind).toBe('pause');
  expect(conduct.onRefusal(0, 0)).toEqual({ kind: 'close' });
});

test('a large frame that is refused counts for more: one of 1 MiB as 257', () => {
  expect(refusals(conductOf(EDGE), 1, 0, 1024 * 1024)?.kind).toBe('pause');
  expect(refusals(conductOf(EDGE), 2, 0, 1024 * 1024)?.kind).toBe('close');
});

test('who comes again with the same token does not begin anew', () => {
  const budgets = new RefusalBudgets(DEFAULT_HUB_LIMITS.refusals);
  refusals(conductOf(VIEWER, budgets), 399, 0);
  refusals(conductOf(VIEWER, budgets), 201, 0);
  const next = conductOf(VIEWER, budgets);
  expect(next.onFrame(0, 100), 'nothing is held against it').toEqual({ kind: 'none' });
  expect(next.onRefusal(0, 0)).toEqual({ kind: 'pause', forMs: 2010 });
  const other = new Conduct(VIEWER, DEFAULT_HUB_LIMITS, budgets.of('another token', 0), 0);
  expect(other.onRefusal(0, 0)).toEqual(TURN);
});

test('what others of its token did holds a client up for a heartbeat at most', () => {
  const budgets = new RefusalBudgets(DEFAULT_HUB_LIMITS.refusals);
  for (let client = 0; client < 20; client++) refusals(conductOf(VIEWER, budgets), 300, 0);
  expect(conductOf(VIEWER, budgets).onRefusal(0, 0)).toEqual({ kind: 'pause', forMs: 5000 });
});

test('a token whose clients behave is forgotten', () => {
  const budgets = new RefusalBudgets(DEFAULT_HUB_LIMITS.refusals);
  const budget = budgets.of('token', 0);
  refusals(conductOf(VIEWER, budgets), 100, 0);
  budgets.sweep(900);
  expect(budgets.of('token', 900)).toBe(budget);
  budgets.sweep(1000);
  expect(budgets.of('token', 1000)).not.toBe(budget);
});

test('an edge at the rate of its limit, each message in a frame of its own, is never held up', () => {
  const { messagesPerS, burstMessages } = DEFAULT_HUB_LIMITS;
  const conduct = conductOf(EDGE);
  for (let sent = 0; sent < burstMessages; sent++)
    expect(conduct.onFrame(0, 200)).toEqual({ kind: 'none' });
  for (let sent = 1; sent <= 10_000; sent++)
    expect(conduct.onFrame((1000 * sent) / messagesPerS, 900)).toEqual({ kind: 'none' });
});

test('a viewer that asks without end is slowed', () => {
  const conduct = conductOf(VIEWER);
  const measures = Array.from({ length: 2001 }, () => conduct.onFrame(0, 200));
  expect(measures.at(1999)).toEqual({ kind: 'none' });
  expect(measures.at(2000)).toEqual({ kind: 'pause', forMs: 20 });
});

test('large frames count for more: a batch of 64 KiB as 5, one of 1 MiB as 1025', () => {
  const conduct = conductOf(VIEWER);
  const batches = Array.from({ length: 400 }, () => conduct.onFrame(0, 64 * 1024));
  expect(batches.at(-1)).toEqual({ kind: 'none' });
  expect(conduct.onFrame(0, 64 * 1024).kind).toBe('pause');
  const large = conductOf(EDGE);
  const frames = Array.from({ length: 20 }, () => large.onFrame(0, 1024 * 1024));
  expect(frames.at(18)).toEqual({ kind: 'none' });
  expect(frames.at(19)?.kind).toBe('pause');
});

test('a client of the original protocol is slowed and never closed', () => {
  const conduct = conductOf({ isEdge: true, isLegacy: true });
  expect(refusals(conduct, 5000, 0)?.kind).toBe('pause');
});
