import type { Clock } from '../system/clock.ts';
import { asApexError } from '../system/errors.ts';
import { DECODERS, type DecoderChoice, type DecoderName } from './contract.ts';
import { type AcceleratedCodec, decoderProbeArguments } from './ffmpeg-arguments.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { H264_PROBE_CLIP } from './probe-clips/h264.ts';
import { HEVC_PROBE_CLIP } from './probe-clips/hevc.ts';

const CLIPS: Readonly<Record<AcceleratedCodec, string>> = {
  h264: H264_PROBE_CLIP,
  hevc: HEVC_PROBE_CLIP,
};
const PROBE_FRAMES = 10;
/** Half of the clip's size, so that scaling in the decoder is tried too; multiples of 16 for every decoder. */
const PROBE_SIZE = { width: 160, height: 96 };
const PROBE_BYTES = PROBE_SIZE.width * PROBE_SIZE.height * PROBE_FRAMES;
const PROBE_LIMIT_MS = 10_000;
/**
 * Mean difference of brightness, 0..255, up to which two decodes show the same pictures. Scalers differ by 1
 * to 3; a grey, green or shifted picture is 20 and more away.
 */
const CLOSE_ENOUGH = 8;

type Outcome = { pixels: Buffer } | { refusal: string };

const probed = new Map<string, Promise<Outcome>>();

/**
 * The best decoder for a codec: the first of the ladder that decodes a known clip to the right pictures.
 * What `ffmpeg -decoders` lists says little, as decoders are listed whose hardware or library is missing.
 * Each decoder is tried once per process.
 *
 * @param wanted `auto`, or the only one to try; software decoding stands in for one that is refused
 */
export async function chooseDecoder(
  wanted: 'auto' | DecoderName,
  codec: string,
  ffmpegPath: string,
  clock: Clock,
): Promise<DecoderChoice> {
  const ladder = (wanted === 'auto' ? DECODERS : [wanted]).filter((name) => name !== 'software');
  const refused: { decoder: DecoderName; reason: string }[] = [];
  for (const decoder of ladder) {
    const reason = isAccelerated(codec)
      ? await refusalOf(decoder, codec, ffmpegPath, clock)
      : `it decodes H.264 and H.265 only, and this is ${codec}`;
    if (reason === null) return { decoder, refused };
    refused.push({ decoder, reason });
  }
  return { decoder: 'software', refused };
}

function isAccelerated(codec: string): codec is AcceleratedCodec {
  return codec in CLIPS;
}

/** Why `decoder` is not to be used; null when it works. */
async function refusalOf(
  decoder: DecoderName,
  codec: AcceleratedCodec,
  ffmpegPath: string,
  clock: Clock,
): Promise<string | null> {
  const own = await decodeOnce(decoder, codec, ffmpegPath, clock);
  if ('refusal' in own) return own.refusal;
  const reference = await decodeOnce('software', codec, ffmpegPath, clock);
  if ('refusal' in reference) return `nothing to compare it with: ${reference.refusal}`;
  const difference = meanDifference(own.pixels, reference.pixels);
  if (difference <= CLOSE_ENOUGH) return null;
  return `its pictures are wrong (mean difference ${difference.toFixed(0)} of 255)`;
}

function decodeOnce(
  decoder: DecoderName,
  codec: AcceleratedCodec,
  ffmpegPath: string,
  clock: Clock,
): Promise<Outcome> {
  const key = JSON.stringify([ffmpegPath, codec, decoder]);
  let outcome = probed.get(key);
  if (outcome === undefined) {
    outcome = decode(decoder, codec, ffmpegPath, clock);
    probed.set(key, outcome);
  }
  return outcome;
}

async function decode(
  decoder: DecoderName,
  codec: AcceleratedCodec,
  ffmpegPath: string,
  clock: Clock,
): Promise<Outcome> {
  const lines: string[] = [];
  const process = await FfmpegProcess.start(
    {
      path: ffmpegPath,
      args: decoderProbeArguments({ decoder, codec, frames: PROBE_FRAMES, size: PROBE_SIZE }),
      stdin: Buffer.from(CLIPS[codec], 'base64'),
      pictures: false,
      onLine: (line) => lines.push(line),
    },
    clock,
  );
  let isLate = false;
  const limit = clock.setTimeout(() => {
    isLate = true;
    void process.stop();
  }, PROBE_LIMIT_MS);
  const chunks: Buffer[] = [];
  process.frames.on('data', (chunk: Buffer) => chunks.push(chunk));
  const end = await process.ended;
  limit.cancel();
  const pixels = Buffer.concat(chunks);
  if (isLate) return { refusal: `it did not finish the probe within ${PROBE_LIMIT_MS / 1000} s` };
  if (end.error) return { refusal: asApexError(end.error, 'CAPTURE_FFMPEG_MISSING').message };
  if (end.code !== 0)
    return { refusal: reasonIn(lines) ?? `ffmpeg ended with ${end.signal ?? `code ${end.code}`}` };
  if (pixels.length !== PROBE_BYTES) {
    return { refusal: `it delivered ${pixels.length} of ${PROBE_BYTES} bytes` };
  }
  return { pixels };
}

const KNOWN_REASONS: readonly [RegExp, (match: RegExpExecArray) => string][] = [
  [/Unknown decoder '([^']+)'/, (match) => `this ffmpeg has no ${match[1]}`],
  [/Cannot load (lib\S+)/, (match) => `${match[1]} is not installed`],
  [/Could not dynamically load CUDA/, () => 'the CUDA driver (libcuda) is not installed'],
  [/No such filter: '([^']+)'/, (match) => `this ffmpeg has no filter ${match[1]}`],
  [/Unrecognized hwaccel: (\S+)/, (match) => `this ffmpeg has no hwaccel ${match[1]}`],
  [/(no CUDA-capable device[^:]*)/i, (match) => `${match[1]}`],
];

/** The cause of a failed decode in words: a known one, else the first line that ffmpeg marks as an error. */
function reasonIn(lines: readonly string[]): string | null {
  for (const [pattern, describe] of KNOWN_REASONS) {
    const match = lines.map((line) => pattern.exec(line)).find((found) => found !== null);
    if (match) return describe(match);
  }
  const error = lines.find((line) => /\[(?:error|fatal)\]/.test(line));
  return error?.replace(/^.*\[(?:error|fatal)\] /, '') ?? null;
}

function meanDifference(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}
