import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unusedRoom } from '../../../src/store/file/unused-room.ts';

/** A page with the given header; cells are not looked at. */
function page(
  type: number,
  { cells = 0, content = 4096, block = 0 }: { cells?: number; content?: number; block?: number },
): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes[0] = type;
  bytes.writeUInt16BE(block, 1);
  bytes.writeUInt16BE(cells, 3);
  bytes.writeUInt16BE(content, 5);
  return bytes;
}

test('between the pointers and the rows, and within free blocks', () => {
  const bytes = page(0x0d, { cells: 3, content: 3000, block: 3100 });
  bytes.writeUInt16BE(3500, 3100);
  bytes.writeUInt16BE(40, 3102);
  bytes.writeUInt16BE(20, 3502);
  expect(unusedRoom(bytes)).toEqual([
    { begin: 14, end: 3000 },
    { begin: 3104, end: 3140 },
    { begin: 3504, end: 3520 },
  ]);
});

test('none of pages of another kind', () => {
  for (const type of [0, 1, 2, 5, 0x0a])
    expect(unusedRoom(page(type, { cells: 1, content: 4000 }))).toEqual([]);
});

test('none of a page that makes no sense, and never beyond the page', () => {
  expect(unusedRoom(page(0x0d, { cells: 2000, content: 3000 }))).toEqual([]);
  expect(unusedRoom(page(0x0d, { content: 5000 }))).toEqual([]);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), (random) => {
      const bytes = Buffer.from(random);
      bytes[0] = 0x0d;
      for (const { begin, end } of unusedRoom(bytes)) {
        expect(begin).toBeGreaterThanOrEqual(8);
        expect(begin).toBeLessThanOrEqual(end);
        expect(end).toBeLessThanOrEqual(4096);
      }
    }),
  );
});
