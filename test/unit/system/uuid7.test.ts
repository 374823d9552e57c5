import { expect, test } from 'vitest';
import { uuid7 } from '../../../src/system/uuid7.ts';

test('is the example of RFC 9562, A.6', () => {
  const random = Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
  expect(uuid7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
});

test('ascends with time and differs within one millisecond', () => {
  expect(uuid7(2) > uuid7(1)).toBe(true);
  expect(new Set(Array.from({ length: 1000 }, () => uuid7(1))).size).toBe(1000);
});
