import { isUtf8 } from 'node:buffer';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

/** Most that a small frame may grow to: a bound against bombs, and above every frame that is allowed. */
const MAX_INFLATED_BYTES = 8 * 1024 * 1024;

/**
 * The raw-deflated (RFC 1951) UTF-8 of a text.
 *
 * Level 3: on batches of detections higher levels gain a few percent for twice the time. It runs on the event
 * loop, as the frames it is meant for (64 KiB) take less time than handing them to a thread and back.
 */
export function deflateText(text: string): Buffer {
  return deflateRawSync(text, { level: 3 });
}

/**
 * The text of `deflateText`; null for bytes that are no complete raw deflate stream, that are no UTF-8, or that
 * would grow beyond `maxBytes`. Inflating stops at that bound, so time and memory are bounded as well.
 */
export function inflateText(
  bytes: Uint8Array,
  maxBytes: number = MAX_INFLATED_BYTES,
): string | null {
  try {
    const inflated = inflateRawSync(bytes, {
      maxOutputLength: maxBytes,
      // An unfinished stream is an error, not the part of it that came.
      finishFlush: constants.Z_FINISH,
    });
    return isUtf8(inflated) ? inflated.toString('utf8') : null;
  } catch {
    // Whatever zlib found wrong, the sender is told the same: this is not a frame.
    return null;
  }
}
