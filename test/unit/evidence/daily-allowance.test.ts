import { describe, expect, test } from 'vitest';
import { DailyAllowance, type SentBytes } from '../../../src/evidence/upstream/daily-allowance.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const DAY_MS = 24 * 3600_000;

function allowance(bytesPerDay: number, sent: SentBytes = {}) {
  const time = { ms: NOON };
  const saved: SentBytes[] = [];
  const clock = { wallMs: () => time.ms };
  const save = (state: SentBytes) => saved.push(state);
  return { time, saved, daily: new DailyAllowance({ bytesPerDay, sent, clock, save }) };
}

describe('the daily allowance', () => {
  test('is taken whole or not at all', () => {
    const { daily } = allowance(100);
    expect([daily.take(60), daily.take(41), daily.take(40), daily.take(1)]).toEqual([
      ...[true, false, true, false],
    ]);
    expect(daily.taken).toBe(100);
  });

  test('is renewed at midnight, UTC', () => {
    const { daily, time } = allowance(100);
    daily.take(100);
    expect(daily.renewsAtMs).toBe(Date.parse('2026-03-02T00:00:00Z'));
    time.ms = daily.renewsAtMs - 1;
    expect(daily.take(1)).toBe(false);
    time.ms += 1;
    expect(daily.take(100)).toBe(true);
  });

  test('gets back what was not sent', () => {
    const { daily } = allowance(100);
    daily.take(100);
    daily.giveBack(30);
    expect([daily.take(31), daily.take(30)]).toEqual([false, true]);
    daily.giveBack(1000);
    expect(daily.taken).toBe(0);
  });

  test('outlives the program', () => {
    const first = allowance(100);
    first.daily.take(90);
    const second = allowance(100, first.saved.at(-1));
    expect([second.daily.take(11), second.daily.take(10)]).toEqual([false, true]);
  });

  test('a clock that is wrong after each start gives no new bytes', () => {
    const { daily, time } = allowance(100);
    daily.take(100);
    time.ms = 0;
    daily.take(10);
    time.ms = NOON;
    expect(daily.take(1)).toBe(false);
  });

  test('remembers few days', () => {
    const { daily, time, saved } = allowance(100);
    for (let day = 0; day < 30; day++, time.ms += DAY_MS) daily.take(day);
    expect(Object.keys(saved.at(-1) ?? {})).toHaveLength(8);
    time.ms -= DAY_MS;
    expect(daily.taken).toBe(29);
  });
});
