import type { StreamInfo } from './contract.ts';

/** More than any camera has: ffmpeg prints a clock's ticks where it knows no rate. */
const HIGHEST_PLAUSIBLE_FPS = 240;

/**
 * Reads the first video stream from what ffmpeg prints of its input, e.g.
 * `Stream #0:0: Video: h264 (Main), yuv420p(tv), 768x432, 10 fps, 10 tbr, 90k tbn`.
 */
export class StreamInfoReader {
  #stream: StreamInfo | null = null;
  #complete = false;

  /** True once the description of the input is over. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Null before the description, or when there is no video with a size. */
  get stream(): StreamInfo | null {
    return this.#stream;
  }

  /** @returns whether this line completed the description */
  read(line: string): boolean {
    if (this.#complete) return false;
    this.#stream ??= parseVideoStream(line);
    if (this.#stream !== null && isQuarterTurn(line)) {
      const { width, height } = this.#stream;
      this.#stream = { ...this.#stream, width: height, height: width };
    }
    this.#complete = /^(?:\[info\] )?(?:Stream mapping:|Output #0)/.test(line);
    return this.#complete;
  }
}

function parseVideoStream(line: string): StreamInfo | null {
  const description = /\bStream #0:\d+.*?: Video: (.*)$/.exec(line)?.[1];
  if (description === undefined) return null;
  // Commas inside parentheses do not separate.
  const parts = description.replace(/\([^()]*(?:\([^()]*\)[^()]*)*\)/g, '').split(',');
  const size = parts.map((part) => /^\s*(\d+)x(\d+)\b/.exec(part)).find((match) => match !== null);
  if (!size) return null;
  const codec = /^\s*(\w+)/.exec(parts[0] ?? '')?.[1] ?? '';
  const pixelFormat = /^\s*([a-z]\w*)/.exec(parts[1] ?? '')?.[1] ?? null;
  const width = Number(size[1]);
  const height = Number(size[2]);
  if (width === 0 || height === 0) return null;
  return { codec, width, height, fps: rate(parts, 'fps') ?? rate(parts, 'tbr'), pixelFormat };
}

/** ffmpeg turns such pictures upright before anything else sees them. */
function isQuarterTurn(line: string): boolean {
  const degrees = /displaymatrix: rotation of (-?[\d.]+) degrees/.exec(line)?.[1];
  return degrees !== undefined && Math.abs(Math.round(Number(degrees)) % 180) === 90;
}

function rate(parts: readonly string[], unit: 'fps' | 'tbr'): number | null {
  const found = parts.map((part) => new RegExp(`^\\s*([\\d.]+) ${unit}\\b`).exec(part)?.[1]);
  const value = Number(found.find((text) => text !== undefined) ?? Number.NaN);
  return value > 0 && value <= HIGHEST_PLAUSIBLE_FPS ? value : null;
}

/** Whether frames of both look the same to whoever reads them. */
export function sameVideo(a: StreamInfo, b: StreamInfo): boolean {
  return a.codec === b.codec && a.width === b.width && a.height === b.height;
}
