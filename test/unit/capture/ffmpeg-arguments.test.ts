import { describe, expect, test } from 'vitest';
import {
  decoderProbeArguments,
  describeArguments,
  type PlayCommand,
  playArguments,
} from '../../../src/capture/ffmpeg-arguments.ts';

const live: PlayCommand = {
  version: { name: '5.1', avformat: { major: 59, minor: 27 } },
  input: { kind: 'live' },
  decoder: 'software',
  codec: 'h264',
  threads: 1,
  fps: 5,
  geometry: {
    modelWidth: 640,
    modelHeight: 384,
    contentWidth: 640,
    contentHeight: 360,
    padLeft: 0,
    padTop: 12,
  },
  pictureSize: null,
  ring: null,
};
const SELECT =
  "select='isnan(prev_selected_t)+isnan(t)" +
  '+gt(floor(t*5+0.1),floor(prev_selected_t*5+0.1))*gte(t-prev_selected_t,0.120000)' +
  "+lt(t,prev_selected_t)'";
const MODEL =
  'scale=640:360:flags=bilinear,format=rgb24,format=gbrp,pad=640:384:0:12:color=0x727272[model]';
const QUIET = '-nostdin -hide_banner -nostats -loglevel level+info';
const FILE_FORMATS =
  'mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,ivf,flv,asf,ogg,mxf,mjpeg,nut,dhav,obu';
const LIVE_INPUT = '-protocol_whitelist pipe,rtsp,rtp,rtcp,tcp,udp,tls,crypto -fpsprobesize 0';
const OUTPUT =
  '-map [model] -fps_mode passthrough -f rawvideo -avioflags direct -pix_fmt gbrp pipe:1';

function line(command: Partial<PlayCommand>): string {
  return playArguments({ ...live, ...command }).join(' ');
}

function graphOf(command: Partial<PlayCommand>): string | undefined {
  const args = playArguments({ ...live, ...command });
  return args[args.indexOf('-filter_complex') + 1];
}

describe('playArguments', () => {
  test('a live camera', () => {
    expect(line({})).toBe(
      `${QUIET} ${LIVE_INPUT} -threads 1 -f concat -safe 0 -i pipe:0 -filter_complex_threads 1 -filter_complex [0:v:0]${SELECT},${MODEL} ${OUTPUT}`,
    );
  });

  test('with snapshots: both outputs from one selection', () => {
    expect(line({ pictureSize: { width: 1280, height: 720 } })).toBe(
      `${QUIET} ${LIVE_INPUT} -threads 1 -f concat -safe 0 -i pipe:0 -filter_complex_threads 1 -filter_complex [0:v:0]${SELECT},split=2[a][b];[a]${MODEL};[b]scale=1280:720:flags=bilinear,format=rgb24[picture] ${OUTPUT} -map [picture] -fps_mode passthrough -f rawvideo -avioflags direct -pix_fmt rgb24 pipe:3`,
    );
  });

  test('a file at its own pace, and as fast as possible', () => {
    const path = "/clips/it's -y 1.mp4";
    const input = { kind: 'file', path, realtime: true } as const;
    expect(line({ input })).toBe(
      `${QUIET} -protocol_whitelist file -format_whitelist ${FILE_FORMATS} -re -threads 1 -i file:${path} -filter_complex_threads 1 -filter_complex [0:v:0]fps=5,${MODEL} ${OUTPUT}`,
    );
    const fast = playArguments({ ...live, input: { ...input, realtime: false } });
    expect(fast).not.toContain('-re');
    expect(fast[fast.indexOf('-i') + 1]).toBe(`file:${path}`);
  });

  test('all frames, no limit of threads, no padding', () => {
    const geometry = { ...live.geometry, modelHeight: 360, padTop: 0 };
    expect(line({ fps: 'all', threads: null, geometry })).toBe(
      `${QUIET} ${LIVE_INPUT} -f concat -safe 0 -i pipe:0 -filter_complex [0:v:0]scale=640:360:flags=bilinear,format=rgb24,format=gbrp[model] ${OUTPUT}`,
    );
  });

  test('ffmpeg before 5.1 has no -fps_mode', () => {
    const args = line({ version: { name: '4.4', avformat: { major: 58, minor: 76 } } });
    expect(args).toContain('-vsync passthrough');
    expect(args).not.toContain('-fps_mode');
  });

  test('nvmpi scales in the decoder, to sizes that it can', () => {
    expect(line({ decoder: 'nvmpi' })).toContain('-c:v h264_nvmpi -resize 640x368 -f concat');
    const large = line({
      decoder: 'nvmpi',
      codec: 'hevc',
      pictureSize: { width: 700, height: 394 },
    });
    expect(large).toContain('-c:v hevc_nvmpi -resize 704x400');
  });

  test('nvv4l2dec decodes only', () => {
    expect(line({ decoder: 'nvv4l2dec' })).toContain('-threads 1 -c:v h264_nvv4l2dec -f concat');
    expect(graphOf({ decoder: 'nvv4l2dec' })).toBe(graphOf({}));
  });

  test('cuda scales on the GPU and brings the small picture down', () => {
    expect(line({ decoder: 'cuda' })).toContain(
      '-hwaccel cuda -hwaccel_output_format cuda -f concat',
    );
    expect(graphOf({ decoder: 'cuda' })).toBe(
      `[0:v:0]${SELECT},scale_cuda=640:360,hwdownload,format=nv12,${MODEL}`,
    );
  });
});

test('describeArguments opens the input and no more', () => {
  expect(describeArguments({ kind: 'live' }).join(' ')).toBe(
    `${QUIET} ${LIVE_INPUT} -f concat -safe 0 -i pipe:0`,
  );
});

test('decoderProbeArguments', () => {
  const probe = { codec: 'hevc', frames: 10, size: { width: 160, height: 96 } } as const;
  expect(decoderProbeArguments({ ...probe, decoder: 'cuda' }).join(' ')).toBe(
    `${QUIET} -xerror -protocol_whitelist pipe -hwaccel cuda -hwaccel_output_format cuda -f hevc -i pipe:0 -filter_complex [0:v:0]scale_cuda=160:96,hwdownload,format=nv12,scale=160:96:flags=bilinear,format=gray[probe] -map [probe] -frames:v 10 -f rawvideo pipe:1`,
  );
  expect(decoderProbeArguments({ ...probe, decoder: 'nvmpi' })).toContain('hevc_nvmpi');
});
