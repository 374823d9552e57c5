import { isUtf8 } from 'node:buffer';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

/**
 * The raw-deflated (RFC 1951) UTF-8 of a text.
 *
 * Level 3: on batches of detections higher levels gain a few percent for twice the time. It runs on the event
 * loop, as the frames it is meant for (64 KiB) take less time than handing them to a thread and back.
 */
export function deflateText(text: string): Buffer {
  return deflateRawSync(text, { level: 3 });
}

export type Inflated =
  | { readonly ok: true; readonly text: string }
  /** `wrong` for bytes that are no complete raw deflate stream, or no UTF-8. */
  | { readonly ok: false; readonly fault: 'wrong' | 'too_large' };

/** The text of `deflateText`. Inflating stops behind `maxBytes`, so time and memory are bounded as well. */
export function inflateText(bytes: Uint8Array, maxBytes: number): Inflated {
  try {
    const inflated = inflateRawSync(bytes, {
      maxOutputLength: maxBytes,
      // An unfinished stream is an error, not the part of it that came.
      finishFlush: constants.Z_FINISH,
    });
    return isUtf8(inflated) ? { ok: true, text: inflated.toString('utf8') } : WRONG;
  } catch (error) {
    // Whatever else zlib found wrong, the sender is told the same: this is not a frame.
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? TOO_LARGE : WRONG;
  }
}

const WRONG: Inflated = { ok: false, fault: 'wrong' };
const TOO_LARGE: Inflated = { ok: false, fault: 'too_large' };
