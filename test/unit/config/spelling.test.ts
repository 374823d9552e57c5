import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearestWord } from '../../../src/config/spelling.ts';

describe('editDistance', () => {
  test.each([
    ['fps', 'fps', 0],
    ['fsp', 'fps', 1],
    ['fp', 'fps', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    // The restricted form edits no part twice; the unrestricted distance is 2.
    ['ca', 'abc', 3],
  ])('%j to %j takes %d steps', (a, b, steps) => {
    expect(editDistance(a, b)).toBe(steps);
  });

  test('is the same both ways, and nothing only for equal words', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('nearestWord', () => {
  const keys = ['password', 'password_file', 'path', 'pace'];

  test.each([
    ['pasword', 'password'],
    ['password-file', 'password_file'],
    ['PATH', 'path'],
    ['pth', 'path'],
    ['pacce', 'pace'],
    ['zebra', null],
    ['x', null],
  ])('of %s is %s', (word, expected) => {
    expect(nearestWord(word, keys)).toBe(expected);
  });
});
