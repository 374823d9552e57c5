import type { LiveObject } from '../../src/protocol/local-api/live-picture.ts';

/** A part of a live stream of pictures. */
export interface PicturePart {
  readonly cameraId: string;
  readonly frameId: number;
  readonly wallMs: number;
  readonly objects: readonly LiveObject[];
  readonly jpeg: Buffer;
}

/** Reads the parts of `multipart/x-mixed-replace` as they come; ends with the stream. */
export async function* pictureParts(response: Response): AsyncGenerator<PicturePart> {
  const [, boundary = ''] = /boundary=(.+)$/.exec(response.headers.get('content-type') ?? '') ?? [];
  let bytes = Buffer.alloc(0);
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const headEnd = bytes.indexOf('\r\n\r\n');
      if (headEnd === -1) break;
      const head = bytes.subarray(0, headEnd).toString('latin1');
      const field = (name: string): string =>
        new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? '';
      const end = headEnd + 4 + Number(field('Content-Length'));
      if (bytes.length < end) break;
      if (!head.includes(`--${boundary}`)) throw new Error(`no boundary in ${head}`);
      yield {
        cameraId: field('X-Apex-Camera-Id'),
        frameId: Number(field('X-Apex-Frame-Id')),
        wallMs: Number(field('X-Apex-Timestamp')),
        objects: JSON.parse(field('X-Apex-Objects')) as LiveObject[],
        jpeg: bytes.subarray(headEnd + 4, end),
      };
      bytes = bytes.subarray(end);
    }
  }
}
