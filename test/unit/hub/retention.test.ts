import { describe, expect, test } from 'vitest';
import { type RetentionState, retentionStep } from '../../../src/hub/store/retention.ts';

const DAY = 24 * 3600 * 1000;
const MIB = 1024 * 1024;
const RULES = { maxAgeDays: 90, alertsMaxAgeDays: 365, maxBytes: 100 * MIB };
const NOW = 1000 * DAY;

function state(change: Partial<RetentionState> = {}): RetentionState {
  return {
    nowMs: NOW,
    usedBytes: 10 * MIB,
    fileBytes: 10 * MIB,
    canShrink: true,
    oldAlerts: { count: 5, oldestMs: NOW - 200 * DAY },
    rest: { count: 50, oldestMs: NOW - 10 * DAY },
    ...change,
  };
}
const step = (change: Partial<RetentionState>) => retentionStep(RULES, state(change));

describe('retention by age', () => {
  test('deletes nothing that is young enough', () => {
    expect(step({})).toEqual({ do: 'nothing' });
    expect(step({ rest: { count: 9, oldestMs: NOW - 90 * DAY } })).toEqual({ do: 'nothing' });
    const none = { count: 0, oldestMs: null };
    expect(step({ oldAlerts: none, rest: none })).toEqual({ do: 'nothing' });
  });

  test('has one age for alerts and one for the rest', () => {
    const old = { count: 9, oldestMs: NOW - 366 * DAY };
    expect(step({ rest: old })).toEqual({ do: 'delete', what: 'rest', beforeMs: NOW - 90 * DAY });
    expect(step({ oldAlerts: old })).toEqual({
      do: 'delete',
      what: 'old_alerts',
      beforeMs: NOW - 365 * DAY,
    });
  });
});

describe('retention by size', () => {
  const full = { usedBytes: 96 * MIB, fileBytes: 96 * MIB };

  test('begins before the bound, with the oldest of the rest', () => {
    expect(step({ usedBytes: 95 * MIB })).toEqual({ do: 'nothing' });
    expect(step(full)).toMatchObject({ do: 'delete', what: 'rest' });
  });

  test('takes alerts when they are the larger number', () => {
    const rest = { count: 4, oldestMs: NOW };
    expect(step({ ...full, rest })).toMatchObject({ do: 'delete', what: 'old_alerts' });
  });

  test('leaves the newest event, whatever its size', () => {
    const none = { count: 0, oldestMs: null };
    expect(step({ ...full, oldAlerts: none, rest: none })).toEqual({ do: 'nothing' });
  });

  test('gives free pages back only where the file is over the bound', () => {
    const lowered = { usedBytes: 10 * MIB, fileBytes: 101 * MIB };
    expect(step(lowered)).toEqual({ do: 'shrink' });
    expect(step({ ...lowered, canShrink: false })).toEqual({ do: 'nothing' });
    expect(step({ ...lowered, fileBytes: 99 * MIB })).toEqual({ do: 'nothing' });
  });
});
