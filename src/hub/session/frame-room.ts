import type { Socket } from 'node:net';

/** What may lie behind a frame's end before the frame is given out: what one read of the socket brings. */
const READ_BYTES = 128 * 1024;
/** Before the data of a client's control frame: header and mask (RFC 6455, 5.2). */
const CONTROL_HEADER_BYTES = 6;

export interface FrameRoomLimits {
  readonly maxBytes: number;
  /** What has come of a frame is more than it may have. */
  readonly onTooLarge: () => void;
  /** It goes on all the same. */
  readonly onFlood: () => void;
}

/**
 * Room for a frame to grow. A WebSocket gives a frame out once it is complete, and would gather one of any client up
 * to what the largest of an edge may have.
 */
export class FrameRoom {
  readonly #socket: Socket;
  readonly #limits: FrameRoomLimits;
  #bytes = 0;

  /** @param socket below the WebSocket */
  constructor(socket: Socket, limits: FrameRoomLimits) {
    this.#socket = socket;
    this.#limits = limits;
    socket.on('data', this.#count);
  }

  /** A frame was given out. */
  frameEnded(): void {
    this.#bytes = 0;
  }

  /** One that may have come between the parts of a frame, which goes on growing. */
  controlFrameEnded(dataBytes: number): void {
    this.#bytes = Math.max(0, this.#bytes - CONTROL_HEADER_BYTES - dataBytes);
  }

  end(): void {
    this.#socket.off('data', this.#count);
  }

  readonly #count = (chunk: Buffer): void => {
    const { maxBytes, onTooLarge, onFlood } = this.#limits;
    this.#bytes += chunk.byteLength;
    const mostBytes = maxBytes + READ_BYTES;
    if (this.#bytes > 2 * mostBytes) onFlood();
    else if (this.#bytes > mostBytes) onTooLarge();
  };
}
