import { ApexError } from '../system/errors.ts';
import { avformatAtLeast, type FfmpegVersion } from './ffmpeg-version.ts';

/**
 * Addresses of cameras go to ffmpeg through its standard input, inside an ffconcat script
 * (ffmpeg.org/ffmpeg-formats.html#concat): its command line can be read by every user of the machine, and a
 * camera's address holds the password.
 */

const MICROSECONDS = 1000;

/** Control characters would end the line, and with it the quotes. */
const CONTROL_CHARACTERS = /[\p{Cc}\u2028\u2029]/u;

export interface LiveInput {
  url: string;
  transport: 'tcp' | 'udp';
  /** How long ffmpeg waits for the camera's next bytes. */
  timeoutMs: number;
}

/**
 * The script that opens one camera.
 * @throws ApexError CAPTURE_ADDRESS_REFUSED for anything but an rtsp or rtsps address; CAPTURE_FFMPEG_TOO_OLD
 *   before ffmpeg 4.4, whose scripts know no options
 */
export function liveScript(input: LiveInput, version: FfmpegVersion): string {
  const url = checkedAddress(input.url);
  const isTls = /^rtsps:/i.test(url);
  // RTSP over TLS interleaves its media in the one connection.
  const transport = isTls ? 'tcp' : input.transport;
  if (!avformatAtLeast(version, 58, 76)) {
    throw new ApexError('CAPTURE_FFMPEG_TOO_OLD', `ffmpeg ${version.name} is too old for cameras.`);
  }
  // Until libavformat 59 `timeout` meant waiting for someone to connect.
  const timeoutOption = avformatAtLeast(version, 59, 0) ? 'timeout' : 'stimeout';
  const options: [string, string | number][] = [
    ['rtsp_transport', transport],
    [timeoutOption, Math.round(input.timeoutMs * MICROSECONDS)],
    ['allowed_media_types', 'video'],
    // A frame is timed by its arrival here, so the declared rate is enough, and waiting to measure it is lost
    // time. The other two limits only bound the search for the first parameter sets.
    ['fpsprobesize', 0],
    ['probesize', 2_000_000],
    ['analyzeduration', 5_000_000],
    // Packets stay as they come: `nobuffer` would throw away those read while probing, and with them the
    // first key frame.
    ['fflags', '+genpts+discardcorrupt'],
  ];
  return [
    'ffconcat version 1.0',
    `file ${quoted(url)}`,
    ...options.map(([name, value]) => `option ${name} ${value}`),
    '',
  ].join('\n');
}

/** A word of an ffconcat script (ffmpeg.org/ffmpeg-utils.html#Quoting-and-escaping). */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function checkedAddress(url: string): string {
  if (CONTROL_CHARACTERS.test(url)) {
    throw new ApexError('CAPTURE_ADDRESS_REFUSED', 'The address holds a control character.');
  }
  if (!/^rtsps?:\/\/[^/?#]/i.test(url) || url.includes(' ')) {
    throw new ApexError(
      'CAPTURE_ADDRESS_REFUSED',
      'The address is no rtsp:// or rtsps:// address.',
    );
  }
  return url;
}

/**
 * The address of a clip as ffmpeg takes it literally: without the prefix a colon would name a protocol.
 * @throws ApexError CAPTURE_ADDRESS_REFUSED unless the path is absolute and free of control characters
 */
export function fileAddress(path: string): string {
  if (!path.startsWith('/') || CONTROL_CHARACTERS.test(path)) {
    throw new ApexError('CAPTURE_ADDRESS_REFUSED', `"${path}" is no absolute path of a file.`);
  }
  return `file:${path}`;
}
