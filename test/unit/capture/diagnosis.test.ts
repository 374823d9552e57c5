import { describe, expect, test } from 'vitest';
import { type Diagnosis, diagnose, type EndedRun } from '../../../src/capture/diagnosis.ts';
import { ERROR_CATALOGUE } from '../../../src/system/error-catalogue.ts';

/** What ffmpeg 5.1 writes; the last entries are of other versions and of hardware. */
interface Case {
  name: string;
  run?: Partial<EndedRun>;
  lines: string;
  code: string;
  retry: Diagnosis['retry'];
  message?: RegExp;
}

const OPEN_FAILED =
  "[concat @ 0x55fb691c39c0] [error] Impossible to open 'rtsp://u:secret@camera/cam'";

const cases: Case[] = [
  {
    name: 'wrong password',
    lines: `[rtsp @ 0x55fb691d5900] [error] method DESCRIBE failed: 401 Unauthorized
${OPEN_FAILED}
[error] pipe:0: Server returned 401 Unauthorized (authorization failed)`,
    code: 'CAPTURE_AUTH_FAILED',
    retry: 'account',
    message: /\(401 Unauthorized\)/,
  },
  {
    name: 'no right to watch',
    lines: `[rtsp @ 0x560ac1be2900] [error] method OPTIONS failed: 403 Forbidden
${OPEN_FAILED}
[error] pipe:0: Server returned 403 Forbidden (access denied)`,
    code: 'CAPTURE_AUTH_FAILED',
    retry: 'account',
  },
  {
    name: 'unknown path',
    lines: `[rtsp @ 0x55572baa4900] [error] method DESCRIBE failed: 404 Not Found
${OPEN_FAILED}
[error] pipe:0: Server returned 404 Not Found`,
    code: 'CAPTURE_PATH_UNKNOWN',
    retry: 'later',
    message: /\(404 Not Found\)/,
  },
  {
    name: 'no bandwidth left',
    lines: `[rtsp @ 0x561c6dc80900] [error] method OPTIONS failed: 453 Not Enough Bandwidth
${OPEN_FAILED}
[error] pipe:0: Server returned 4XX Client Error, but not one of 40{0,1,3,4}`,
    code: 'CAPTURE_TOO_MANY_SESSIONS',
    retry: 'soon',
  },
  {
    name: 'service unavailable',
    lines: `[rtsp @ 0x55cbdb613900] [error] method SETUP failed: 503 Service Unavailable
${OPEN_FAILED}
[error] pipe:0: Server returned 5XX Server Error reply`,
    code: 'CAPTURE_TOO_MANY_SESSIONS',
    retry: 'soon',
  },
  {
    name: 'no TCP',
    lines: `[rtsp @ 0x55911a229900] [error] method SETUP failed: 461 Unsupported Transport
${OPEN_FAILED}
[error] pipe:0: Server returned 4XX Client Error, but not one of 40{0,1,3,4}`,
    code: 'CAPTURE_TRANSPORT_REFUSED',
    retry: 'later',
  },
  {
    name: 'an error of the camera',
    lines: `[rtsp @ 0x55b2992d1900] [error] method PLAY failed: 500 Internal Server Error
${OPEN_FAILED}
[error] pipe:0: Server returned 5XX Server Error reply`,
    code: 'CAPTURE_CAMERA_ERROR',
    retry: 'soon',
    message: /500 Internal Server Error/,
  },
  {
    name: 'a bad request',
    lines: `${OPEN_FAILED}\n[error] pipe:0: Server returned 400 Bad Request`,
    code: 'CAPTURE_CAMERA_ERROR',
    retry: 'soon',
  },
  {
    name: 'closed port',
    lines: `[tcp @ 0x55d8269a3000] [error] Connection to tcp://127.0.0.1:9?timeout=2000000 failed: Connection refused
${OPEN_FAILED}
[error] pipe:0: Connection refused`,
    code: 'CAPTURE_REFUSED',
    retry: 'soon',
  },
  {
    name: 'unknown host',
    lines: `[tcp @ 0x5579e52e7c00] [error] Failed to resolve hostname nosuchcamera.invalid: Name or service not known
${OPEN_FAILED}
[error] pipe:0: Input/output error`,
    code: 'CAPTURE_DNS',
    retry: 'soon',
    message: /nosuchcamera\.invalid/,
  },
  {
    name: 'no route',
    lines: `[tcp @ 0x5579e52e7c00] [error] Connection to tcp://10.9.8.7:554?timeout=5000000 failed: No route to host
${OPEN_FAILED}
[error] pipe:0: No route to host`,
    code: 'CAPTURE_NO_ROUTE',
    retry: 'soon',
  },
  {
    name: 'no TLS',
    lines: `[tls @ 0x55a259c72000] [error] Error in the pull function.
[tls @ 0x55a259c72000] [error] IO error: Connection timed out
${OPEN_FAILED}
[error] pipe:0: Connection timed out`,
    code: 'CAPTURE_TLS',
    retry: 'soon',
  },
  {
    name: 'silence after a while',
    run: { frames: 80, end: { code: 255, signal: null, error: null } },
    lines: `[info] Stream mapping:
[error] pipe:0: Connection timed out
[error] pipe:0: Connection timed out`,
    code: 'CAPTURE_TIMEOUT',
    retry: 'soon',
  },
  {
    name: 'the camera hangs up',
    run: { frames: 80, end: { code: 0, signal: null, error: null } },
    lines: '[info] video:33840kB audio:0kB subtitle:0kB other streams:0kB',
    code: 'CAPTURE_STREAM_ENDED',
    retry: 'soon',
  },
  {
    name: 'damaged packets are not the cause of an end',
    run: { frames: 80, end: { code: 0, signal: null, error: null } },
    lines: `[h264 @ 0x563a47b77500] [error] illegal modification_of_pic_nums_idc 32
[h264 @ 0x563a47b77500] [error] decode_slice_header error
[error] Error while decoding stream #0:0: Invalid data found when processing input
[warning] pipe:0: corrupt decoded frame in stream 0`,
    code: 'CAPTURE_STREAM_ENDED',
    retry: 'soon',
  },
  {
    name: 'missing file',
    run: { kind: 'file' },
    lines: '[error] file:/clips/nope.mp4: No such file or directory',
    code: 'CAPTURE_FILE_MISSING',
    retry: 'later',
  },
  {
    name: 'file of text',
    run: { kind: 'file' },
    lines: `[mov,mp4,m4a,3gp,3g2,mj2 @ 0x56536e3b3940] [error] moov atom not found
[error] file:/clips/text.mp4: Invalid data found when processing input`,
    code: 'CAPTURE_FILE_UNREADABLE',
    retry: 'never',
    message: /moov atom not found/,
  },
  {
    name: 'file of somebody else',
    run: { kind: 'file' },
    lines: '[error] file:/clips/perm.mp4: Permission denied',
    code: 'CAPTURE_FILE_UNREADABLE',
    retry: 'never',
    message: /Permission denied/,
  },
  {
    name: 'sound only',
    run: { kind: 'file' },
    lines:
      "[fatal] Stream specifier ':v:0' in filtergraph description [0:v:0]fps=5[model] matches no streams.",
    code: 'CAPTURE_NO_VIDEO',
    retry: 'later',
  },
  {
    name: 'empty video',
    run: { kind: 'file', end: { code: 0, signal: null, error: null } },
    lines: '[info] video:0kB audio:0kB',
    code: 'CAPTURE_NO_VIDEO',
    retry: 'never',
  },
  {
    name: 'no decoder for the codec',
    lines: '[error] Decoding requested, but no decoder found for: vvc',
    code: 'CAPTURE_CODEC_UNSUPPORTED',
    retry: 'never',
    message: /vvc/,
  },
  {
    name: 'no CUDA',
    run: { decoder: 'cuda' },
    lines: `[AVHWDeviceContext @ 0x557f8f7e1f40] [error] Cannot load libcuda.so.1
[h264 @ 0x557f8f7f1000] [error] No device available for decoder: device type cuda needed for codec h264.
[error] Device setup failed for decoder on input stream #0:0 : Operation not permitted`,
    code: 'CAPTURE_DECODER_FAILED',
    retry: 'soon',
  },
  {
    name: 'ffmpeg without the decoder',
    run: { decoder: 'nvmpi' },
    lines: "[fatal] Unknown decoder 'h264_nvmpi'",
    code: 'CAPTURE_DECODER_FAILED',
    retry: 'soon',
    message: /h264_nvmpi/,
  },
  {
    name: 'a crash in a hardware decoder',
    run: { decoder: 'nvmpi', end: { code: null, signal: 'SIGSEGV', error: null } },
    lines: '',
    code: 'CAPTURE_DECODER_FAILED',
    retry: 'soon',
    message: /SIGSEGV/,
  },
  {
    name: 'a crash without one',
    run: { end: { code: null, signal: 'SIGSEGV', error: null } },
    lines: '',
    code: 'CAPTURE_FFMPEG_FAILED',
    retry: 'soon',
  },
  {
    name: 'no ffmpeg, behind setpriv',
    lines: 'setpriv: failed to execute /opt/ffmpeg: No such file or directory',
    code: 'CAPTURE_FFMPEG_MISSING',
    retry: 'later',
  },
  {
    name: 'no ffmpeg',
    run: { end: { code: null, signal: null, error: new Error('spawn ffmpeg ENOENT') } },
    lines: '',
    code: 'CAPTURE_FFMPEG_MISSING',
    retry: 'later',
  },
  {
    name: 'something unheard of',
    lines: "[fatal] [x @ 0x1] [error] Frobnication failed for 'rtsp://u:secret@camera/cam'",
    code: 'CAPTURE_FFMPEG_FAILED',
    retry: 'soon',
    message: /Frobnication failed/,
  },
];

function runOf({ run = {}, lines }: Case): EndedRun {
  return {
    kind: 'rtsp',
    end: { code: 1, signal: null, error: null },
    lines: lines.split('\n'),
    frames: 0,
    decoder: 'software',
    ...run,
  };
}

describe('diagnose', () => {
  for (const entry of cases) {
    test(`${entry.name}: ${entry.code}`, () => {
      const { fault, retry, blamesDecoder } = diagnose(runOf(entry));
      expect({ code: fault.code, retry }).toEqual({ code: entry.code, retry: entry.retry });
      expect(blamesDecoder).toBe(entry.code === 'CAPTURE_DECODER_FAILED');
      expect(fault.message).toMatch(entry.message ?? /\.$/);
      expect(fault.remedy).toBe(ERROR_CATALOGUE[entry.code as keyof typeof ERROR_CATALOGUE].remedy);
      expect(JSON.stringify(fault)).not.toContain('secret');
    });
  }

  test('does not pretend to know why a camera gave no answer', () => {
    const lines = [OPEN_FAILED, '[error] pipe:0: Invalid data found when processing input'];
    const silent = diagnose({ ...runOf(cases[0]!), lines });
    expect(silent).toMatchObject({ certain: false, fault: { code: 'CAPTURE_TIMEOUT' } });
  });
});
