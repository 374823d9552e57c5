import { describe, expect, test } from 'vitest';
import { Doorman } from '../../../src/hub/door/doorman.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';

describe('doorman', () => {
  test('counts strangers in all and by address', () => {
    const doorman = new Doorman({
      ...DEFAULT_HUB_LIMITS,
      unidentified: 3,
      unidentifiedPerAddress: 2,
      sessionsPerToken: 1024,
      streamRequestTimeoutMs: 20_000,
    });
    const taken = ['a', 'a', 'a', 'b', 'c'].map((address) => doorman.admit(address));
    expect(taken).toEqual([true, true, false, true, false]);
    doorman.leave('a');
    expect(doorman.admit('c')).toBe(true);
    expect(doorman.waiting).toBe(3);
  });

  test('a thousand edges behind one address come in at once', () => {
    const doorman = new Doorman(DEFAULT_HUB_LIMITS);
    for (let edge = 0; edge < 1000; edge++) expect(doorman.admit('nat')).toBe(true);
  });

  test('who guesses tokens waits longer and longer for the answers, others do not', () => {
    const doorman = new Doorman(DEFAULT_HUB_LIMITS);
    const holds = Array.from({ length: 24 }, () => doorman.holdRefusal('guesser', 0));
    expect(holds.slice(0, 20)).toEqual(new Array(20).fill(0));
    expect(holds.slice(20)).toEqual([3000, 4000, 4000, 4000]);
    expect(doorman.holdRefusal('other', 0)).toBe(0);
    doorman.sweep(120_000);
    expect(doorman.holdRefusal('guesser', 120_000)).toBe(0);
  });
});
