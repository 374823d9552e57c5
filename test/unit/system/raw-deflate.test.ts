import { deflateRawSync, deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { deflateText, inflateText } from '../../../src/system/raw-deflate.ts';

const MOST = 1_000_000;

test('gives back the text, whatever it is', () => {
  for (const text of ['', '{}', 'Kamera Süd – 北门 🚪', 'x'.repeat(300_000)])
    expect(inflateText(deflateText(text), MOST)).toEqual({ ok: true, text });
});

test('a text that would grow beyond the bound is too large', () => {
  const bomb = deflateText('0'.repeat(MOST + 1));
  expect(bomb.length).toBeLessThan(50_000);
  expect(inflateText(bomb, MOST)).toEqual({ ok: false, fault: 'too_large' });
  expect(inflateText(deflateText('0'.repeat(MOST)), MOST)).toMatchObject({ ok: true });
});

test.each([
  ['cut short', deflateText('{"type":"heartbeat","data":{"mono_ms":12345}}').subarray(0, -4)],
  ['with a zlib header', deflateSync('with a zlib header')],
  ['plain text', Buffer.from('{"plain":"json"}')],
  ['no UTF-8', deflateRawSync(Buffer.from([0xff, 0xfe, 0x80]))],
])('bytes of another kind are wrong: %s', (_, bytes) => {
  expect(inflateText(bytes, MOST)).toEqual({ ok: false, fault: 'wrong' });
});
