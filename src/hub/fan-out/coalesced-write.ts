import type { Writable } from 'node:stream';

/** Nothing more is held back for the end of the turn than this. */
const MAX_HELD_BYTES = 64 * 1024;

/**
 * Writes to a socket so that what one turn of the event loop has for it goes out as one system call. A commit brings
 * many events at once, and a call for each of them costs the hub more than all else that it does with them.
 *
 * What others write to the socket meanwhile keeps its place.
 */
export function writeCoalesced(socket: Writable, bytes: Buffer): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  socket.write(bytes);
  if (socket.writableLength > MAX_HELD_BYTES) socket.uncork();
}
