import { deflateRawSync, deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { deflateText, inflateText } from '../../../src/system/raw-deflate.ts';

test('gives back the text, whatever it is', () => {
  for (const text of ['', '{}', 'Kamera Süd – 北门 🚪', 'x'.repeat(300_000)])
    expect(inflateText(deflateText(text))).toBe(text);
});

test('a text that would grow beyond the bound is refused', () => {
  const bomb = deflateText('0'.repeat(4_000_000));
  expect(bomb.length).toBeLessThan(50_000);
  expect(inflateText(bomb, 1_000_000)).toBeNull();
  expect(inflateText(deflateText('0'.repeat(1_000)), 1_000)).toHaveLength(1_000);
});

test('bytes of another kind are refused', () => {
  const whole = deflateText('{"type":"heartbeat","data":{"mono_ms":12345}}');
  expect(inflateText(whole.subarray(0, whole.length - 4))).toBeNull();
  expect(inflateText(deflateSync('with a zlib header'))).toBeNull();
  expect(inflateText(Buffer.from('{"plain":"json"}'))).toBeNull();
  expect(inflateText(deflateRawSync(Buffer.from([0xff, 0xfe, 0x80])))).toBeNull();
});
