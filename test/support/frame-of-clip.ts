import { execFileSync } from 'node:child_process';

interface Size {
  width: number;
  height: number;
}

/** ffmpeg filter that letterboxes a picture in the middle of a grey frame. */
function letterbox({ width, height }: Size): string {
  return (
    `scale=${width}:${height}:force_original_aspect_ratio=decrease:flags=bilinear,` +
    `format=gbrp,pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2:color=0x727272`
  );
}

function decode(path: string, size: Size, cut: { before: string[]; after: string[] }): Uint8Array {
  const input = ['-loglevel', 'error', ...cut.before, '-i', path];
  const args = [...input, '-vf', letterbox(size), ...cut.after];
  const maxBuffer = 2 ** 31 - 1;
  return execFileSync('ffmpeg', [...args, '-f', 'rawvideo', '-'], { maxBuffer });
}

/** One frame of a clip as planar G, B, R bytes, letterboxed. */
export function frameOfClip(path: string, seconds: number, size: Size): Uint8Array {
  const frame = decode(path, size, {
    before: ['-ss', String(seconds)],
    after: ['-frames:v', '1'],
  });
  return Uint8Array.from(frame);
}

/** All frames of a clip, each as planar G, B, R bytes, letterboxed. */
export function framesOfClip(path: string, size: Size): Uint8Array[] {
  const bytes = decode(path, size, { before: [], after: [] });
  const length = 3 * size.width * size.height;
  return Array.from({ length: bytes.length / length }, (_, i) =>
    Uint8Array.from(bytes.subarray(i * length, (i + 1) * length)),
  );
}
