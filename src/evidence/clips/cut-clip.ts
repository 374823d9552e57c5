import { spawn } from 'node:child_process';
import { ApexError } from '../../system/errors.ts';
import type { RingSegment } from './packet-ring.ts';

/** Copying packets of a minute takes less than a second; a disk that hangs must not keep ffmpeg for ever. */
const LIMIT_MS = 30_000;
const KEPT_TEXT = 2000;

/**
 * Joins segments into one mp4 without touching a packet.
 * @param segments of one form, in their order
 * @throws ApexError EVIDENCE_CLIP_FAILED
 */
export async function cutClip(
  ffmpegPath: string,
  segments: readonly RingSegment[],
  target: string,
): Promise<void> {
  const input = ['-protocol_whitelist', 'file,pipe', '-f', 'concat', '-safe', '0', '-i', 'pipe:0'];
  // Under its other name, `hev1`, browsers on Apple's systems refuse it.
  const tag = segments[0]?.form.startsWith('hevc_') ? ['-tag:v', 'hvc1'] : [];
  const copied = ['-map', '0:v:0', '-c', 'copy', ...tag];
  const output = [...copied, '-movflags', '+faststart', '-f', 'mp4', target];
  const args = ['-hide_banner', '-loglevel', 'error', '-y', ...input, ...output];
  const child = spawn(ffmpegPath, args, {
    stdio: ['pipe', 'ignore', 'pipe'],
    signal: AbortSignal.timeout(LIMIT_MS),
    killSignal: 'SIGKILL',
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-KEPT_TEXT);
  });
  // The exit code tells why nobody reads the list.
  child.stdin.on('error', () => {});
  // An address: a bare path would be taken as one of the pipe's.
  const lines = segments.map(({ path }) => `file 'file:${path.replaceAll("'", "'\\''")}'\n`);
  child.stdin.end(lines.join(''));
  const failure = await new Promise<string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? null : `ffmpeg ended with code ${code}`));
  });
  if (failure === null) return;
  throw new ApexError('EVIDENCE_CLIP_FAILED', [failure, text.trim()].filter(Boolean).join(': '));
}
