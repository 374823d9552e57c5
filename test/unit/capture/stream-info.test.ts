import { describe, expect, test } from 'vitest';
import { parseFfmpegVersion } from '../../../src/capture/ffmpeg-version.ts';
import { fitPicture } from '../../../src/capture/picture-size.ts';
import { StreamInfoReader } from '../../../src/capture/stream-info.ts';

function read(...lines: string[]): StreamInfoReader {
  const reader = new StreamInfoReader();
  for (const line of lines) reader.read(line);
  return reader;
}

describe('StreamInfoReader', () => {
  const cases: [string, object | null][] = [
    [
      '[info]   Stream #0:0: Video: h264 (Main), yuv420p(tv, smpte170m, progressive), 768x432, 10 fps, 10 tbr, 90k tbn',
      { codec: 'h264', width: 768, height: 432, fps: 10, pixelFormat: 'yuv420p' },
    ],
    [
      '[info]   Stream #0:0[0x1](und): Video: hevc (Main) (hev1 / 0x31766568), yuvj420p(pc, bt709/bt709/iec61966), 2560x1440 [SAR 1:1 DAR 16:9], 422 kb/s, 29.97 fps, 29.97 tbr, 11988 tbn (default)',
      { codec: 'hevc', width: 2560, height: 1440, fps: 29.97, pixelFormat: 'yuvj420p' },
    ],
    [
      '[info]   Stream #0:1(eng): Video: mpeg4 (Simple Profile) (FMP4 / 0x34504D46), yuv420p, 320x320 [SAR 1:1 DAR 1:1], 5 tbr, 5 tbn, 5 tbc',
      { codec: 'mpeg4', width: 320, height: 320, fps: 5, pixelFormat: 'yuv420p' },
    ],
    [
      '[info]   Stream #0:0: Video: h264 (High), yuv420p(progressive), 640x480, 90k tbr, 90k tbn',
      { codec: 'h264', width: 640, height: 480, fps: null, pixelFormat: 'yuv420p' },
    ],
    ['[info]   Stream #0:0: Video: h264, none, 90k tbr, 90k tbn', null],
    ['[info]   Stream #0:0: Audio: aac (LC), 44100 Hz, stereo, fltp, 95 kb/s', null],
  ];
  for (const [line, stream] of cases) {
    test(line.slice(0, 60), () => {
      expect(read(line).stream).toEqual(stream);
    });
  }

  test('takes the first video, and is complete when the input has been described', () => {
    const [first = '', second = ''] = cases.map(([line]) => line);
    const reader = read(first, second);
    expect(reader.complete).toBe(false);
    expect(reader.read('[info] Stream mapping:')).toBe(true);
    expect(reader.complete).toBe(true);
    expect(reader.stream).toMatchObject({ width: 768 });
    expect(reader.read('[info] Stream mapping:')).toBe(false);
  });

  test('a picture filmed upright is as wide as it is high', () => {
    const rotation = '[info]       displaymatrix: rotation of -90.00 degrees';
    expect(read(cases[0]![0], rotation).stream).toMatchObject({ width: 432, height: 768 });
    const upsideDown = '[info]       displaymatrix: rotation of 180.00 degrees';
    expect(read(cases[0]![0], upsideDown).stream).toMatchObject({ width: 768, height: 432 });
  });
});

describe('parseFfmpegVersion', () => {
  test('reads the versions of ffmpeg and libavformat', () => {
    const output =
      'ffmpeg version 5.1.9-0+deb12u1 Copyright (c)\nlibavformat    59. 27.100 / 59. 27.100';
    const avformat = { major: 59, minor: 27 };
    expect(parseFfmpegVersion(output)).toEqual({ name: '5.1.9-0+deb12u1', avformat });
  });

  test('refuses what is not ffmpeg', () => {
    expect(() => parseFfmpegVersion('GNU bash, version 5.2')).toThrow(
      expect.objectContaining({ code: 'CAPTURE_FFMPEG_MISSING' }),
    );
  });
});

describe('fitPicture', () => {
  const limits = { maxWidth: 1280, maxHeight: 720 };
  const cases = [
    [
      { width: 1920, height: 1080 },
      { width: 1280, height: 720 },
    ],
    [
      { width: 768, height: 432 },
      { width: 768, height: 432 },
    ],
    [
      { width: 1080, height: 1920 },
      { width: 404, height: 720 },
    ],
    [
      { width: 641, height: 361 },
      { width: 640, height: 360 },
    ],
    [
      { width: 5000, height: 3 },
      { width: 1280, height: 2 },
    ],
  ] as const;
  for (const [picture, size] of cases) {
    test(`${picture.width}x${picture.height}`, () => {
      expect(fitPicture(picture, limits)).toEqual(size);
    });
  }
});
