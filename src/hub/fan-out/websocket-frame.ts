const FINAL_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * A text as one unfragmented WebSocket frame of a server, which masks nothing (RFC 6455, 5.2): the same bytes for
 * every connection without extensions.
 */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length < LENGTH_16) return filled(Buffer.from([FINAL_TEXT, length]), text, length);
  const header = Buffer.alloc(length < 0x10000 ? 4 : 10);
  header[0] = FINAL_TEXT;
  if (length < 0x10000) {
    header[1] = LENGTH_16;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = LENGTH_64;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return filled(header, text, length);
}

function filled(header: Buffer, text: string, length: number): Buffer {
  const frame = Buffer.allocUnsafe(header.byteLength + length);
  header.copy(frame);
  frame.write(text, header.byteLength, 'utf8');
  return frame;
}
