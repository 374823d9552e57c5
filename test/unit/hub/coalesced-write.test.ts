import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { writeCoalesced } from '../../../src/hub/fan-out/coalesced-write.ts';

/** A socket that notes what each call to the system would carry. */
class NotingSocket extends Writable {
  readonly calls: string[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.calls.push(chunk.toString());
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.calls.push(Buffer.concat(chunks.map(({ chunk }) => chunk)).toString());
    done();
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('writes of one turn', () => {
  test('go out as one call at its end, in their order', async () => {
    const socket = new NotingSocket();
    for (const text of ['a', 'b', 'c']) writeCoalesced(socket, Buffer.from(text));
    expect(socket.calls).toEqual([]);
    expect(socket.writableLength).toBe(3);
    await nextTurn();
    expect(socket.calls).toEqual(['abc']);
    writeCoalesced(socket, Buffer.from('d'));
    await nextTurn();
    expect(socket.calls).toEqual(['abc', 'd']);
    expect(socket.writableCorked).toBe(0);
  });

  test('also where promises that settle in that turn make them', async () => {
    const socket = new NotingSocket();
    const settled = ['a', 'b', 'c'].map(async (text) => {
      await undefined;
      writeCoalesced(socket, Buffer.from(text));
    });
    await Promise.all(settled);
    await nextTurn();
    expect(socket.calls).toEqual(['abc']);
  });

  test('keep their place among what others write', async () => {
    const socket = new NotingSocket();
    writeCoalesced(socket, Buffer.from('a'));
    // As ws does for a frame of its own.
    socket.cork();
    socket.write('b');
    socket.uncork();
    writeCoalesced(socket, Buffer.from('c'));
    await nextTurn();
    expect(socket.calls.join('')).toBe('abc');
  });

  test('do not wait once there is much of it', async () => {
    const socket = new NotingSocket();
    const event = Buffer.alloc(30 * 1024, 'x');
    for (let count = 0; count < 4; count++) writeCoalesced(socket, event);
    expect(socket.calls.map(({ length }) => length)).toEqual([3 * event.length]);
    await nextTurn();
    expect(socket.calls.map(({ length }) => length)).toEqual([3 * event.length, event.length]);
  });

  test('end with the socket', async () => {
    const socket = new NotingSocket();
    writeCoalesced(socket, Buffer.from('a'));
    socket.destroy();
    await nextTurn();
    expect(socket.calls).toEqual([]);
  });
});
