import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { FrameRoom } from '../../../src/hub/session/frame-room.ts';

const KIB = 1024;

function roomOf(maxBytes: number) {
  // Of a socket no more is used than that it is a stream.
  const stream = new PassThrough() as unknown as Socket & PassThrough;
  const onTooLarge = vi.fn();
  const onFlood = vi.fn();
  const room = new FrameRoom(stream, { maxBytes, onTooLarge, onFlood });
  return {
    room,
    onTooLarge,
    onFlood,
    receive: (bytes: number) => stream.emit('data', Buffer.alloc(bytes)),
  };
}

test('a frame of the largest size with a full read behind it has room, more has not', () => {
  const { receive, room, onTooLarge, onFlood } = roomOf(64 * KIB);
  for (let round = 0; round < 10; round++) {
    receive(64 * KIB);
    receive(64 * KIB);
    room.frameEnded();
  }
  expect(onTooLarge).not.toHaveBeenCalled();
  for (let read = 0; read < 4; read++) receive(64 * KIB);
  expect(onTooLarge).toHaveBeenCalledTimes(1);
  expect(onFlood).not.toHaveBeenCalled();
  for (let read = 0; read < 4; read++) receive(64 * KIB);
  expect(onFlood).toHaveBeenCalled();
});

test('control frames count for what they are, and give a frame no more room', () => {
  const { receive, room, onTooLarge } = roomOf(64 * KIB);
  for (let beat = 0; beat < 100_000; beat++) {
    receive(10);
    room.controlFrameEnded(4);
  }
  expect(onTooLarge).not.toHaveBeenCalled();
  for (let part = 0; part < 64; part++) {
    receive(30 * KIB);
    receive(6);
    room.controlFrameEnded(0);
  }
  expect(onTooLarge).toHaveBeenCalled();
});

test('nothing is counted after the end', () => {
  const { receive, room, onTooLarge } = roomOf(KIB);
  room.end();
  for (let read = 0; read < 10; read++) receive(64 * KIB);
  expect(onTooLarge).not.toHaveBeenCalled();
});
