import { expect, test } from 'vitest';
import { PictureStream } from '../../../src/api/http/picture-stream.ts';
import { type LivePicture, LivePictures } from '../../../src/api/live-pictures.ts';

function begin() {
  const asked: string[] = [];
  const open: (() => void)[] = [];
  const timers: (() => void)[] = [];
  const pictures = new LivePictures({
    take: (cameraId, frameId, maxWidth) => {
      asked.push(`${cameraId} ${frameId} ${maxWidth}`);
      return new Promise((resolve) =>
        open.push(() => resolve({ jpeg: Buffer.from(`${frameId}`) })),
      );
    },
    clock: {
      setTimeout: (callback) => {
        timers.push(callback);
        return { cancel: () => undefined };
      },
    },
  });
  const frame = (cameraId: string, frameId: number): void =>
    pictures.frame(cameraId, { frameId, wallMs: frameId, objects: [] });
  const encoded = async (): Promise<void> => {
    for (const done of open.splice(0)) done();
    await new Promise(setImmediate);
  };
  return { pictures, asked, frame, encoded, timers };
}

test('nothing is encoded that nobody looks at, and once for all who do', async () => {
  const { pictures, asked, frame, encoded } = begin();
  frame('hall', 1);
  expect(asked).toEqual([]);
  const seen: string[] = [];
  const note =
    (who: string) =>
    ({ frameId }: LivePicture) =>
      seen.push(`${who} ${frameId}`);
  const end = pictures.watch('hall', 640, note('a'));
  pictures.watch('hall', 700, note('b'));
  frame('hall', 2);
  await encoded();
  expect([asked, seen]).toEqual([['hall 2 640'], ['a 2', 'b 2']]);
  end();
  frame('hall', 3);
  await encoded();
  expect(seen).toEqual(['a 2', 'b 2', 'b 3']);
});

test('what comes faster than it is encoded is left out, but for the newest', async () => {
  const { pictures, asked, frame, encoded } = begin();
  const seen: number[] = [];
  pictures.watch('hall', 320, ({ frameId }) => seen.push(frameId));
  for (let frameId = 1; frameId <= 5; frameId++) frame('hall', frameId);
  await encoded();
  await encoded();
  expect(asked).toEqual(['hall 1 320', 'hall 5 320']);
  expect(seen).toEqual([1, 5]);
});

test('who wants one picture gets the newest, or none after a while', async () => {
  const { pictures, frame, encoded, timers } = begin();
  const none = pictures.latest('hall', 640);
  for (const late of timers) late();
  expect(await none).toBeNull();
  frame('hall', 7);
  const one = pictures.latest('hall', 640);
  await encoded();
  expect((await one)?.frameId).toBe(7);
});

test('a slow reader gets the newest of each camera', async () => {
  const stream = new PictureStream(() => undefined);
  const picture = (cameraId: string, frameId: number): LivePicture => ({
    ...{ cameraId, frameId, wallMs: 1, jpeg: Buffer.from('J'), objects: [] },
  });
  for (let frameId = 1; frameId <= 100; frameId++) {
    stream.picture(picture('hall', frameId));
    stream.picture(picture('yard', frameId));
  }
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  await new Promise(setImmediate);
  expect(text.match(/X-Apex-Frame-Id: \d+/g)).toEqual([
    'X-Apex-Frame-Id: 100',
    'X-Apex-Frame-Id: 100',
  ]);
  stream.destroy();
});

test('names of people go through a header as they are', async () => {
  const stream = new PictureStream(() => undefined);
  const objects = [
    {
      track_id: 1,
      event_id: 'e',
      label: 'person',
      score: 1,
      box: { x: 0, y: 0, width: 1, height: 1 },
      name: 'Zoë 李',
    },
  ];
  stream.picture({ cameraId: 'hall', frameId: 1, wallMs: 1, jpeg: Buffer.from('J'), objects });
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  await new Promise(setImmediate);
  const [, header = ''] = /X-Apex-Objects: (.*)\r/.exec(text) ?? [];
  expect(header).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(header)).toEqual(objects);
  stream.destroy();
});
