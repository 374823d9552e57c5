import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayOfEvent, makeEventId } from '../../../src/events/event-id.ts';

describe('makeEventId', () => {
  test('is the start in seconds with six decimals, and six characters', () => {
    expect(makeEventId(1_607_123_955_475, 377, () => 0.5)).toBe('1607123955.475377-ssssss');
  });

  test('differs for every track of a camera that begins at the same time, whatever the dice show', () => {
    const ids = Array.from({ length: 1000 }, (_, track) => makeEventId(1e12, track, () => 0));
    expect(new Set(ids).size).toBe(1000);
  });

  test('always has the shape of an event id', () => {
    const dice = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 4e12, noNaN: true }),
        fc.nat(),
        dice,
        (ms, track, value) => {
          const id = makeEventId(ms, track, () => value);
          expect(id).toMatch(/^\d{1,10}\.\d{6}-[a-z0-9]{6}$/);
          expect(dayOfEvent(id)).toBe(
            new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 10),
          );
        },
      ),
    );
  });
});

describe('dayOfEvent', () => {
  test('is null for what is not an event id', () => {
    const others = [
      '',
      '../../etc/passwd',
      '1.5-abc',
      '1607123955.475377-ssssss/..',
      'x1.123456-abcdef',
    ];
    expect(others.map(dayOfEvent)).toEqual(others.map(() => null));
  });
});
