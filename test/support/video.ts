import { execFileSync } from 'node:child_process';

/** What ffprobe says of a video file. */
export function probeVideo(path: string): { codec: string; seconds: number } {
  const entries = ['-show_entries', 'stream=codec_name:format=duration', '-of', 'json'];
  const text = execFileSync('ffprobe', ['-v', 'error', ...entries, path], { encoding: 'utf8' });
  const { streams, format } = JSON.parse(text);
  return { codec: streams[0].codec_name, seconds: Number(format.duration) };
}
