import { Readable } from 'node:stream';
import type { LivePicture } from '../live-pictures.ts';

const BOUNDARY = 'apex-frame';
export const STREAM_TYPE = `multipart/x-mixed-replace; boundary=${BOUNDARY}`;

/**
 * Pictures one after the other (multipart, RFC 2046), as browsers and recorders take them. A reader who is slow gets
 * the newest picture of each camera, and none that waited.
 */
export class PictureStream extends Readable {
  readonly #waiting = new Map<string, LivePicture>();
  readonly #onRead: () => void;
  #isWanted = false;

  /** @param onRead the reader has taken what there was */
  constructor(onRead: () => void) {
    super({ highWaterMark: 1 });
    this.#onRead = onRead;
    // So that the head of the answer goes out before the first picture.
    this.push(`--${BOUNDARY}\r\n`);
  }

  picture(picture: LivePicture): void {
    this.#waiting.set(picture.cameraId, picture);
    if (this.#isWanted) this.#give();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#onRead();
    this.#give();
  }

  #give(): void {
    const [next] = this.#waiting.values();
    if (next === undefined) return;
    this.#waiting.delete(next.cameraId);
    this.#isWanted = false;
    this.push(partOf(next));
  }
}

/** The delimiter of the next part comes with this one: browsers show a picture when they see its end. */
function partOf({ cameraId, frameId, wallMs, jpeg, objects }: LivePicture): Buffer {
  const head = [
    'Content-Type: image/jpeg',
    `Content-Length: ${jpeg.byteLength}`,
    `X-Apex-Camera-Id: ${cameraId}`,
    `X-Apex-Frame-Id: ${frameId}`,
    `X-Apex-Timestamp: ${Math.round(wallMs)}`,
    `X-Apex-Objects: ${inAscii(JSON.stringify(objects))}`,
  ].join('\r\n');
  return Buffer.concat([
    Buffer.from(`${head}\r\n\r\n`, 'latin1'),
    jpeg,
    Buffer.from(`\r\n--${BOUNDARY}\r\n`, 'latin1'),
  ]);
}

/** JSON whose every other character is escaped: headers hold nothing else. */
function inAscii(json: string): string {
  return json.replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
