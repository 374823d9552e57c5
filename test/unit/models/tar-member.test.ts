import { expect, test } from 'vitest';
import { tarMember } from '../../../src/models/fetch/tar-member.ts';
import { tarArchive } from '../../support/tar-archive.ts';

async function* pieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function read(archive: Buffer, path: string, length: number): Promise<Buffer> {
  const out: Buffer[] = [];
  for await (const piece of tarMember(pieces(archive, length), path)) out.push(Buffer.from(piece));
  return Buffer.concat(out);
}

const model = Buffer.from(Array.from({ length: 1500 }, (_, i) => i % 251));
const archive = tarArchive({
  'package/LICENSE': Buffer.from('text'),
  'package/model/a.onnx': model,
  'package/empty': Buffer.alloc(0),
  'package/model/b.onnx': Buffer.alloc(1024, 7),
});

test.each([1, 100, 512, 513, 10_000])(
  'finds a file in an archive that comes in pieces of %i',
  async (length) => {
    expect((await read(archive, 'package/model/a.onnx', length)).equals(model)).toBe(true);
    expect(await read(archive, 'package/model/b.onnx', length)).toHaveLength(1024);
    expect(await read(archive, 'package/empty', length)).toHaveLength(0);
  },
);

test('refuses an archive that is cut, damaged or without the file', async () => {
  await expect(read(archive, 'package/other', 512)).rejects.toThrow('does not hold package/other');
  await expect(read(archive.subarray(0, 1600), 'package/model/a.onnx', 512)).rejects.toThrow(
    'ends early',
  );
  await expect(read(Buffer.alloc(600, 0x39), 'x', 512)).rejects.toThrow();
});
