import { ERROR_CATALOGUE, type ErrorCode } from '../system/error-catalogue.ts';
import { redactText } from '../system/redact.ts';
import type { CameraFault, DecoderName } from './contract.ts';
import type { ProcessEnd } from './ffmpeg-process.ts';

/**
 * When to try again. `later`: not within half a minute, as nothing will have changed. `account`: slower and
 * slower, because wrong passwords make cameras lock the account. `never`: it cannot get better by itself.
 */
export type RetryPace = 'soon' | 'later' | 'account' | 'never';

/** Why a stream ended, in words for people, free of secrets. */
export interface Diagnosis {
  fault: CameraFault;
  retry: RetryPace;
  /** True when another decoder might do better. */
  blamesDecoder: boolean;
  /** False when ffmpeg did not say why; then there may be better knowledge elsewhere. */
  certain: boolean;
}

/** One run of ffmpeg, as far as it tells of its end. */
export interface EndedRun {
  kind: 'rtsp' | 'file';
  end: ProcessEnd;
  /** The last lines of its standard error. */
  lines: readonly string[];
  frames: number;
  decoder: DecoderName;
}

interface Rule {
  pattern: RegExp;
  code: ErrorCode;
  retry: RetryPace;
  only?: EndedRun['kind'] | 'hardware';
  /** A fact from the line that belongs into the message. */
  detail?: (match: RegExpExecArray) => string;
}

const status = (match: RegExpExecArray) => match[1] ?? '';

/** The first rule with a matching line wins: particular causes stand before those that follow from them. */
const RULES: readonly Rule[] = [
  {
    pattern: /(?:failed|returned):? (40[13] [^(]*\w)/,
    code: 'CAPTURE_AUTH_FAILED',
    retry: 'account',
    only: 'rtsp',
    detail: status,
  },
  {
    pattern: /(?:failed|returned):? (404 [^(]*\w)/,
    code: 'CAPTURE_PATH_UNKNOWN',
    retry: 'later',
    only: 'rtsp',
    detail: status,
  },
  {
    pattern: /method \w+ failed: ((?:453|503) .*\w)/,
    code: 'CAPTURE_TOO_MANY_SESSIONS',
    retry: 'soon',
    only: 'rtsp',
    detail: status,
  },
  {
    pattern: /method SETUP failed: (461.*\w)|(Nonmatching transport in server reply)/,
    code: 'CAPTURE_TRANSPORT_REFUSED',
    retry: 'later',
    only: 'rtsp',
    detail: (match) => match[1] ?? match[2] ?? '',
  },
  {
    pattern: /method \w+ failed: ([45]\d\d .*\w)|returned ([45][\dX]{2} [^(,]*\w)/,
    code: 'CAPTURE_CAMERA_ERROR',
    retry: 'soon',
    only: 'rtsp',
    detail: (match) => match[1] ?? match[2] ?? '',
  },
  {
    pattern: /Failed to resolve hostname (\S+):/,
    code: 'CAPTURE_DNS',
    retry: 'soon',
    detail: status,
  },
  { pattern: /Connection refused/, code: 'CAPTURE_REFUSED', retry: 'soon' },
  {
    pattern: /(No route to host|Network is unreachable|Host is unreachable|Network is down)/,
    code: 'CAPTURE_NO_ROUTE',
    retry: 'soon',
    detail: status,
  },
  {
    pattern: /\[tls @ \w+\] \[(?:error|fatal)\] (.*)/,
    code: 'CAPTURE_TLS',
    retry: 'soon',
    detail: status,
  },
  {
    pattern:
      /no decoder found for: (\S+)|Decoder \(codec (\S+)\) not found|Could not find codec parameters for stream \d+ \(Video: (\w+)(?=.*unknown codec)/,
    code: 'CAPTURE_CODEC_UNSUPPORTED',
    retry: 'never',
    detail: (match) => match[1] ?? match[2] ?? match[3] ?? '',
  },
  {
    pattern:
      /(Unknown decoder '\w+'|Device setup failed for decoder[^:]*|No device available for decoder[^:]*|Cannot load lib\S+|Error while opening decoder.*|Failed to get pixel format|hwaccel initialisation returned error|Impossible to convert between the formats supported by the filter[^'"]*|(?:nvmpi|NvMM|nvv4l2dec|cuvid|CUDA)\b.*(?:[Ee]rror|[Ff]ail|timeout).*)/,
    code: 'CAPTURE_DECODER_FAILED',
    retry: 'soon',
    only: 'hardware',
    detail: status,
  },
  {
    pattern: /matches no streams|does not contain any stream/,
    code: 'CAPTURE_NO_VIDEO',
    retry: 'later',
  },
  {
    pattern: /No such file or directory/,
    code: 'CAPTURE_FILE_MISSING',
    retry: 'later',
    only: 'file',
  },
  {
    pattern:
      /(Permission denied|Is a directory|Format not on whitelist|moov atom not found|Invalid data found when processing input)/,
    code: 'CAPTURE_FILE_UNREADABLE',
    retry: 'never',
    only: 'file',
    detail: status,
  },
  { pattern: /Connection timed out/, code: 'CAPTURE_TIMEOUT', retry: 'soon' },
  {
    pattern: /(Connection reset by peer|Broken pipe|End of file)/,
    code: 'CAPTURE_STREAM_ENDED',
    retry: 'soon',
    only: 'rtsp',
    detail: status,
  },
];

/** Signals that end ffmpeg from inside: the fault of a library, most likely of the decoder. */
const CRASHES: readonly string[] = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE'];

/** Finds the cause of the end of a run, which may well have ended with code 0. */
export function diagnose(run: EndedRun): Diagnosis {
  if (run.end.error !== null || cannotBeStarted(run.lines)) {
    return diagnosis('CAPTURE_FFMPEG_MISSING', 'later');
  }
  const isHardware = run.decoder !== 'software';
  if (run.end.signal !== null && CRASHES.includes(run.end.signal)) {
    const code = isHardware ? 'CAPTURE_DECODER_FAILED' : 'CAPTURE_FFMPEG_FAILED';
    return diagnosis(code, 'soon', `ffmpeg ended by ${run.end.signal}`);
  }
  for (const rule of RULES) {
    if (rule.only === 'hardware' ? !isHardware : rule.only && rule.only !== run.kind) continue;
    const match = firstMatch(run.lines, rule.pattern);
    if (match) return diagnosis(rule.code, rule.retry, rule.detail?.(match));
  }
  return unexplained(run);
}

/** A fault with the catalogue's words, and a fact of this time in parentheses. */
export function captureFault(code: ErrorCode, detail?: string): CameraFault {
  const { summary, remedy } = ERROR_CATALOGUE[code];
  const known = detail === undefined || detail === '' ? '' : ` (${redactText(detail.trim())})`;
  return { code, message: `${summary.replace(/\.$/, '')}${known}.`, remedy };
}

export function diagnosis(code: ErrorCode, retry: RetryPace, detail?: string): Diagnosis {
  const blamesDecoder = code === 'CAPTURE_DECODER_FAILED';
  return { fault: captureFault(code, detail), retry, blamesDecoder, certain: true };
}

function unexplained(run: EndedRun): Diagnosis {
  if (run.end.code === 0) {
    if (run.kind === 'file') return diagnosis('CAPTURE_NO_VIDEO', 'never');
    return diagnosis('CAPTURE_STREAM_ENDED', 'soon');
  }
  // The stream was understood, and not one picture came out of it.
  const isDescribed = run.lines.some((line) => line.includes('Stream mapping:'));
  if (isDescribed && run.decoder !== 'software' && run.frames === 0) {
    return diagnosis('CAPTURE_DECODER_FAILED', 'soon', lastWords(run));
  }
  if (run.lines.some((line) => line.includes('Impossible to open'))) {
    return { ...diagnosis('CAPTURE_TIMEOUT', 'soon', 'no answer in RTSP'), certain: false };
  }
  return { ...diagnosis('CAPTURE_FFMPEG_FAILED', 'soon', lastWords(run)), certain: false };
}

function cannotBeStarted(lines: readonly string[]): boolean {
  return lines.some((line) => line.startsWith('setpriv: failed to execute'));
}

function lastWords({ lines, end }: EndedRun): string {
  const error = lines.findLast((line) => /\[(?:error|fatal)\]/.test(line));
  if (error === undefined) return end.signal ?? `code ${end.code}`;
  return error.replace(/^(?:\[[^\]]* @ 0x\w+\] )*\[(?:error|fatal)\] /, '');
}

function firstMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | null {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) return match;
  }
  return null;
}
