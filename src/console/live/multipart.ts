import type { LiveObject } from '../../protocol/local-api/live-picture.ts';

/** A picture of a live stream, with what was seen in it. */
export interface PicturePart {
  readonly cameraId: string;
  readonly frameId: number;
  /** Unix milliseconds, by the box. */
  readonly wallMs: number;
  readonly objects: readonly LiveObject[];
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

const HEAD_END = [13, 10, 13, 10];
/** More is no head of a part. */
const LONGEST_HEAD = 256 * 1024;

/** Takes the bytes of `multipart/x-mixed-replace` as they come, and gives its parts. */
export class PartReader {
  #bytes = new Uint8Array(0);

  /** @throws Error on what is no such stream */
  push(chunk: Uint8Array): PicturePart[] {
    this.#bytes = joined(this.#bytes, chunk);
    const parts: PicturePart[] = [];
    for (;;) {
      const part = this.#next();
      if (part === null) return parts;
      parts.push(part);
    }
  }

  #next(): PicturePart | null {
    const headEnd = indexOf(this.#bytes, HEAD_END);
    if (headEnd === -1) {
      if (this.#bytes.length > LONGEST_HEAD) throw new Error('no head of a picture');
      return null;
    }
    const head = new TextDecoder('latin1').decode(this.#bytes.subarray(0, headEnd));
    const length = Number(field(head, 'content-length') ?? Number.NaN);
    if (!Number.isSafeInteger(length) || length < 0) throw new Error('a picture without a length');
    const begin = headEnd + HEAD_END.length;
    if (this.#bytes.length < begin + length) return null;
    const jpeg = this.#bytes.slice(begin, begin + length);
    this.#bytes = this.#bytes.slice(begin + length);
    return {
      cameraId: field(head, 'x-apex-camera-id') ?? '',
      frameId: Number(field(head, 'x-apex-frame-id')),
      wallMs: Number(field(head, 'x-apex-timestamp')),
      objects: JSON.parse(field(head, 'x-apex-objects') ?? '[]') as LiveObject[],
      jpeg,
    };
  }
}

function field(head: string, name: string): string | null {
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (line.slice(0, colon).toLowerCase() === name) return line.slice(colon + 1).trim();
  }
  return null;
}

function joined(one: Uint8Array<ArrayBuffer>, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

function indexOf(bytes: Uint8Array, sought: readonly number[]): number {
  for (
    let at = bytes.indexOf(sought[0] ?? 0);
    at !== -1;
    at = bytes.indexOf(sought[0] ?? 0, at + 1)
  )
    if (sought.every((byte, index) => bytes[at + index] === byte)) return at;
  return -1;
}
