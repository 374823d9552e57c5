import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileAddress, liveScript } from '../../../src/capture/ffconcat.ts';

const ffmpeg5 = { name: '5.1', avformat: { major: 59, minor: 27 } };
const ffmpeg4 = { name: '4.4.2', avformat: { major: 58, minor: 76 } };

function scriptOf(url: string, transport: 'tcp' | 'udp' = 'tcp', version = ffmpeg5): string[] {
  return liveScript({ url, transport, timeoutMs: 5000 }, version).split('\n');
}

/** What libavutil's av_get_token makes of a quoted word. */
function unquoted(word: string): string {
  let text = '';
  let quoted = false;
  for (let i = 0; i < word.length; i++) {
    const character = word[i] ?? '';
    if (character === "'") quoted = !quoted;
    else if (!quoted && character === '\\') text += word[++i] ?? '';
    else if (!quoted && /\s/.test(character)) return text;
    else text += character;
  }
  return text;
}

describe('liveScript', () => {
  test('names the camera and how to reach it', () => {
    expect(scriptOf('rtsp://u:p@host/path')).toEqual([
      'ffconcat version 1.0',
      "file 'rtsp://u:p@host/path'",
      'option rtsp_transport tcp',
      'option timeout 5000000',
      'option allowed_media_types video',
      'option fpsprobesize 0',
      'option probesize 2000000',
      'option analyzeduration 5000000',
      'option fflags +genpts+discardcorrupt',
      '',
    ]);
  });

  test('UDP by choice, but never under TLS', () => {
    expect(scriptOf('rtsp://host/', 'udp')).toContain('option rtsp_transport udp');
    expect(scriptOf('rtsps://host/', 'udp')).toContain('option rtsp_transport tcp');
  });

  test('the timeout has another name before libavformat 59', () => {
    expect(scriptOf('rtsp://host/', 'tcp', ffmpeg4)).toContain('option stimeout 5000000');
  });

  test('refuses an ffmpeg whose scripts know no options', () => {
    const old = { name: '4.2.7', avformat: { major: 58, minor: 29 } };
    expect(() => scriptOf('rtsp://host/', 'tcp', old)).toThrow(
      expect.objectContaining({ code: 'CAPTURE_FFMPEG_TOO_OLD' }),
    );
  });

  test('whatever is in the address stays one word of one line', () => {
    const rest = fc.string({ unit: 'binary-ascii' });
    fc.assert(
      fc.property(rest, (text) => {
        const url = `rtsp://host/${text}`;
        let script: string[];
        try {
          script = scriptOf(url);
        } catch (error) {
          expect(error).toMatchObject({ code: 'CAPTURE_ADDRESS_REFUSED' });
          expect(text).toMatch(/[\p{Cc} ]/u);
          return;
        }
        expect(script).toHaveLength(10);
        expect(unquoted((script[1] ?? '').slice('file '.length))).toBe(url);
      }),
    );
  });

  const refused = [
    'http://host/',
    'file:///etc/passwd',
    'rtsp:///path',
    'rtmp://host/',
    'concat:rtsp://host',
    '-i',
    '',
    'rtsp://host/\noption x y',
    'rtsp://host/\u0085',
    'rtsp://host/\u2028',
  ];
  for (const url of refused) {
    test(`refuses ${JSON.stringify(url)}`, () => {
      expect(() => scriptOf(url)).toThrow(
        expect.objectContaining({ code: 'CAPTURE_ADDRESS_REFUSED' }),
      );
    });
  }

  test('a refusal does not repeat the address', () => {
    expect(() => scriptOf('http://user:password@host/')).toThrow(/^(?!.*password)/);
  });
});

describe('fileAddress', () => {
  test('takes absolute paths literally', () => {
    expect(fileAddress("/a/it's: 100%/-x.mp4")).toBe("file:/a/it's: 100%/-x.mp4");
  });

  for (const path of ['clip.mp4', '-y', 'http://host/x', 'file:/x', '/a\nb', '/a\u0000b', '']) {
    test(`refuses ${JSON.stringify(path)}`, () => {
      expect(() => fileAddress(path)).toThrow(
        expect.objectContaining({ code: 'CAPTURE_ADDRESS_REFUSED' }),
      );
    });
  }
});
