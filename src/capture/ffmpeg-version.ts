import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ApexError } from '../system/errors.ts';

const run = promisify(execFile);

/** The ffmpeg on this machine, as far as its command line depends on it. */
export interface FfmpegVersion {
  /** As it names itself, e.g. `5.1.9-0+deb12u1`. */
  name: string;
  /** libavformat's version decides which options exist. */
  avformat: { major: number; minor: number };
}

const known = new Map<string, Promise<FfmpegVersion>>();

/**
 * Version of the ffmpeg at `path`, asked once per process.
 * @throws ApexError CAPTURE_FFMPEG_MISSING
 */
export function ffmpegVersion(path: string): Promise<FfmpegVersion> {
  let version = known.get(path);
  if (version === undefined) {
    version = askVersion(path);
    known.set(path, version);
    // A later attempt asks again: the package may be installed meanwhile.
    version.catch(() => known.delete(path));
  }
  return version;
}

async function askVersion(path: string): Promise<FfmpegVersion> {
  try {
    const { stdout } = await run(path, ['-hide_banner', '-version'], {
      timeout: 10_000,
      killSignal: 'SIGKILL',
    });
    return parseFfmpegVersion(stdout);
  } catch (error) {
    if (error instanceof ApexError) throw error;
    throw new ApexError('CAPTURE_FFMPEG_MISSING', `ffmpeg does not run from "${path}".`, {
      cause: error,
    });
  }
}

/** @param output of `ffmpeg -version` */
export function parseFfmpegVersion(output: string): FfmpegVersion {
  const name = /^ffmpeg version (\S+)/m.exec(output)?.[1];
  const avformat = /^libavformat\s+(\d+)\.\s*(\d+)\./m.exec(output);
  if (name === undefined || avformat === null) {
    throw new ApexError('CAPTURE_FFMPEG_MISSING', 'The program named as ffmpeg is not ffmpeg.');
  }
  return { name, avformat: { major: Number(avformat[1]), minor: Number(avformat[2]) } };
}

/** Whether `version` is at least libavformat `major.minor`. */
export function avformatAtLeast(version: FfmpegVersion, major: number, minor: number): boolean {
  const { avformat } = version;
  return avformat.major > major || (avformat.major === major && avformat.minor >= minor);
}
