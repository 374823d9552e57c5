import { expect, test } from 'vitest';
import { rangeOf } from '../../../../src/api/http/byte-range.ts';

test.each([
  ['bytes=0-99', { first: 0, last: 99 }],
  ['bytes=900-', { first: 900, last: 999 }],
  ['bytes=-100', { first: 900, last: 999 }],
  ['bytes=-5000', { first: 0, last: 999 }],
  ['bytes=990-5000', { first: 990, last: 999 }],
  ['bytes=1000-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-2', null],
  ['bytes=0-1,5-6', null],
  ['bytes=-', null],
  ['lines=1-2', null],
  ['bytes=a-b', null],
])('%s of 1000 bytes', (header, range) => {
  expect(rangeOf(header, 1000)).toEqual(range);
});

test('an empty file has no part', () => {
  expect(rangeOf('bytes=0-', 0)).toBe('unsatisfiable');
});
