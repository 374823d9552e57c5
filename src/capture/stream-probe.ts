import type { Clock } from '../system/clock.ts';
import type { StreamInfo } from './contract.ts';
import { type Diagnosis, diagnose, diagnosis } from './diagnosis.ts';
import { describeArguments, type InputAddress } from './ffmpeg-arguments.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { StreamInfoReader } from './stream-info.ts';

const PROBE_LIMIT_MS = 15_000;
/** What ffmpeg says when it has described its input and finds nothing to do with it. */
const NO_OUTPUT_WANTED = /At least one output file must be specified/;

export interface StreamProbe {
  ffmpegPath: string;
  input: InputAddress;
  /** The ffconcat script of a live input. */
  script: string | null;
  clock: Clock;
  /** Ends the probe early; its result then means nothing. */
  signal: AbortSignal;
}

/** Opens a camera or clip just long enough to learn its codec, size and rate. */
export async function probeStream(probe: StreamProbe): Promise<StreamInfo | Diagnosis> {
  const reader = new StreamInfoReader();
  const lines: string[] = [];
  const process = await FfmpegProcess.start(
    {
      path: probe.ffmpegPath,
      args: describeArguments(probe.input),
      stdin: probe.script,
      pictures: false,
      onLine: (line) => {
        lines.push(line);
        reader.read(line);
      },
    },
    probe.clock,
  );
  let isLate = false;
  const stop = (): void => void process.stop();
  const limit = probe.clock.setTimeout(() => {
    isLate = true;
    stop();
  }, PROBE_LIMIT_MS);
  probe.signal.addEventListener('abort', stop);
  if (probe.signal.aborted) stop();
  const end = await process.ended;
  limit.cancel();
  probe.signal.removeEventListener('abort', stop);
  if (reader.stream !== null) return reader.stream;
  if (isLate) {
    return {
      ...diagnosis('CAPTURE_TIMEOUT', 'soon', 'no description of the stream'),
      certain: false,
    };
  }
  if (lines.some((line) => NO_OUTPUT_WANTED.test(line))) return videolessCause(lines);
  const kind = probe.input.kind === 'file' ? 'file' : 'rtsp';
  return diagnose({ kind, end, lines, frames: 0, decoder: 'software' });
}

/** The input could be opened, and no video stream of a known size is in it. */
function videolessCause(lines: readonly string[]): Diagnosis {
  const video = lines.map((line) => /Stream #0:\d+.*?: Video: (\w+)/.exec(line)?.[1]);
  const codec = video.find((name) => name !== undefined);
  if (codec === undefined) return diagnosis('CAPTURE_NO_VIDEO', 'later');
  if (codec === 'none') return diagnosis('CAPTURE_CODEC_UNSUPPORTED', 'never');
  return diagnosis('CAPTURE_STALLED', 'soon', `${codec} video without a single key frame`);
}
