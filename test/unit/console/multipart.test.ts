import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PictureStream } from '../../../src/api/http/picture-stream.ts';
import { PartReader } from '../../../src/console/live/multipart.ts';

/** Bytes as the box sends them. */
async function sent(
  pictures: readonly { frameId: number; jpeg: Uint8Array; name: string }[],
): Promise<Buffer> {
  const stream = new PictureStream(() => undefined);
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const { frameId, jpeg, name } of pictures) {
    const object = { track_id: 1, event_id: 'e', label: 'person', score: 0.9, name };
    const objects = [{ ...object, box: { x: 0.1, y: 0.2, width: 0.3, height: 0.4 } }];
    stream.picture({ cameraId: 'hall', frameId, wallMs: 5, jpeg, objects });
    await new Promise(setImmediate);
  }
  stream.destroy();
  return Buffer.concat(chunks);
}

const picture = fc.record({
  frameId: fc.nat(),
  // A picture may hold what looks like the end of a head, or of a part.
  jpeg: fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.constant(Buffer.from('\r\n--apex-frame\r\nContent-Length: 5\r\n\r\n')),
  ),
  name: fc.string({ maxLength: 10 }),
});

test('pictures come out as they went in, however the network cuts them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(picture, { maxLength: 4 }),
      fc.integer({ min: 1, max: 50 }),
      async (pictures, step) => {
        const bytes = await sent(pictures);
        const reader = new PartReader();
        const parts = [];
        for (let at = 0; at < bytes.length; at += step)
          parts.push(...reader.push(bytes.subarray(at, at + step)));
        expect(
          parts.map(({ frameId, jpeg, objects }) => [frameId, [...jpeg], objects[0]?.name]),
        ).toEqual(pictures.map(({ frameId, jpeg, name }) => [frameId, [...jpeg], name]));
      },
    ),
    { numRuns: 60 },
  );
});

test('what is no such stream is refused, and fills no memory', () => {
  const reader = new PartReader();
  expect(() =>
    reader.push(new TextEncoder().encode('--x\r\nContent-Type: image/jpeg\r\n\r\n')),
  ).toThrow(/length/);
  const endless = new PartReader();
  expect(() => {
    for (let count = 0; count < 10; count++) endless.push(new Uint8Array(100_000));
  }).toThrow(/no head/);
});
