import { expect, test } from 'vitest';
import { expiryOf, instantOf } from '../../../src/config/expiry.ts';

const NOW = Date.parse('2026-05-01T00:00:00Z');

test.each([
  ['2026-05-02', '2026-05-03T00:00:00Z'],
  ['2026-05-02T12:00Z', '2026-05-02T12:00:00Z'],
  ['2026-05-02T12:00:00+02:00', '2026-05-02T10:00:00Z'],
  ['90d', '2026-07-30T00:00:00Z'],
  ['12h', '2026-05-01T12:00:00Z'],
])('%s is %s', (text, instant) => {
  expect(expiryOf(text, NOW)).toBe(Date.parse(instant));
});

test.each(['2026-04-29', '0d', '', 'never', '2027-02-29', '2027-13-01', '90', '2026-05-02 12:00'])(
  'no time to come: %s',
  (text) => {
    expect(expiryOf(text, NOW)).toBeNull();
  },
);

test('a file says no times from now on', () => {
  expect(instantOf('90d')).toBeNull();
  expect(instantOf('2020-01-31')).toBe(Date.parse('2020-02-01T00:00:00Z'));
});
