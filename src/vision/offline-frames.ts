import type { ModelGeometry, StreamInfo } from '../capture/contract.ts';
import { type InputAddress, playArguments } from '../capture/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../capture/ffmpeg-process.ts';
import { ffmpegVersion } from '../capture/ffmpeg-version.ts';
import { FrameAssembly } from '../capture/frame-assembly.ts';
import { probeStream } from '../capture/stream-probe.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';

export interface OfflineClip {
  ffmpegPath: string;
  path: string;
  clock: Clock;
}

export interface OfflinePlay extends OfflineClip {
  stream: StreamInfo;
  geometry: ModelGeometry;
  /** Zero-based numbers in the order of decoding; null for all. */
  frames: readonly number[] | null;
}

/** @throws ApexError VISION_INPUT_UNREADABLE, CAPTURE_FFMPEG_MISSING */
export async function describeClip(clip: OfflineClip): Promise<StreamInfo> {
  const found = await probeStream({
    ffmpegPath: clip.ffmpegPath,
    input: fileInput(clip.path),
    script: null,
    clock: clip.clock,
    signal: new AbortController().signal,
  });
  if (!('fault' in found)) return found;
  throw new ApexError('VISION_INPUT_UNREADABLE', `${clip.path}: ${found.fault.message}`);
}

/**
 * Plays a clip or image as a camera would, and stops for each wanted frame until the next is asked for.
 *
 * @yields pixels in planes G, B, R that are overwritten by the next frame
 * @throws ApexError VISION_INPUT_UNREADABLE
 */
export async function* offlineFrames(
  play: OfflinePlay,
): AsyncGenerator<{ frame: number; pixels: Uint8Array }> {
  const process = await startPlay(play);
  const last = play.frames === null ? Number.POSITIVE_INFINITY : Math.max(...play.frames);
  const wanted = play.frames === null ? null : new Set(play.frames);
  const pixels = new Uint8Array(3 * play.geometry.modelWidth * play.geometry.modelHeight);
  let count = 0;
  let isHeld = false;
  let isOver = false;
  let wake = (): void => {};
  const flow = new FrameAssembly(process.frames, pixels.length, {
    target: () => pixels,
    complete: () => {
      isHeld = wanted === null || wanted.has(count);
      count++;
      if (!isHeld) return 'next';
      wake();
      return 'pause';
    },
  });
  void process.ended.then(() => {
    isOver = true;
    wake();
  });
  try {
    while (isHeld || (count <= last && !isOver)) {
      if (isHeld) {
        yield { frame: count - 1, pixels };
        isHeld = false;
        if (count <= last) flow.resume();
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    if (isOver) await checkEnd(process, play.path, count);
  } finally {
    await process.stop();
  }
}

function startPlay(play: OfflinePlay): Promise<FfmpegProcess> {
  const { ffmpegPath, path, clock, stream, geometry } = play;
  return ffmpegVersion(ffmpegPath).then((version) =>
    FfmpegProcess.start(
      {
        path: ffmpegPath,
        args: playArguments({
          version,
          input: fileInput(path),
          decoder: 'software',
          codec: stream.codec,
          threads: null,
          fps: 'all',
          geometry,
          pictureSize: null,
          ring: null,
        }),
        stdin: null,
        pictures: false,
        onLine: () => {},
      },
      clock,
    ),
  );
}

async function checkEnd(process: FfmpegProcess, path: string, count: number): Promise<void> {
  const { code } = await process.ended;
  if (code === 0) return;
  throw new ApexError('VISION_INPUT_UNREADABLE', `ffmpeg gave up on ${path} after ${count} frames`);
}

function fileInput(path: string): InputAddress {
  return { kind: 'file', path, realtime: false, images: true };
}
