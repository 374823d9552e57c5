import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApexError } from '../../../src/system/errors.ts';
import {
  redact,
  redactText,
  redactUrl,
  registerSecret,
  registerUrlSecrets,
} from '../../../src/system/redact.ts';

describe('redactText', () => {
  test.each([
    ['rtsp://admin:hunter2@cam.local/live', 'rtsp://***@cam.local/live'],
    ['rtsp://admin:p@ss:w/rd@10.0.0.5:554/live?x=1', 'rtsp://***@10.0.0.5:554/live?x=1'],
    ['open rtsp://admin:my pass@cam/live', 'open rtsp://***@cam/live'],
    ['rtsp://admin:12/3@cam/live', 'rtsp://***@cam/live'],
    ['wss://u:p%40ss@hub.example.org/', 'wss://***@hub.example.org/'],
    ['https://user:pa/ss@host/', 'https://***@host/'],
    ['a rtsp://a:b@h1/x b rtsp://c:d@h2/y c', 'a rtsp://***@h1/x b rtsp://***@h2/y c'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic ***'],
    ['Digest username="admin", response="abc"', 'Digest ***'],
    ['http://cam/cgi?user=admin&password=abc&x=1', 'http://cam/cgi?user=admin&password=***&x=1'],
    ['{"token":"abc","name":"front"}', '{"token":***,"name":"front"}'],
  ])('%s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  test.each([
    'rtsp://10.0.0.5:554/live: Connection refused',
    'rtsp://cam.local/live at 12:30, see root@localhost'.replace('root@', 'root at '),
    'https://registry.example.org/@scope/name/-/name-1.0.0.tgz',
    'listening on ws://[::1]:8080/ and ws://127.0.0.1:8080/',
    '[rtsp @ 0x55d0c0] method DESCRIBE failed: 404 Not Found',
    'cameras.front.password is missing; allowed: text',
    'password_file=/run/credentials/front',
    'Basic settings and Bearer of bad news',
  ])('leaves alone: %s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  test('takes time in proportion to the length of hostile text', () => {
    const start = process.hrtime.bigint();
    redactText('a'.repeat(200_000));
    redactText(`rtsp://${'a'.repeat(200_000)}`);
    redactText('password '.repeat(20_000));
    expect(Number(process.hrtime.bigint() - start) / 1e6).toBeLessThan(2_000);
  });

  test('no random password without white space survives in an address', () => {
    const password = fc
      .stringMatching(/^[!-~]{4,24}$/)
      .filter(
        (text) =>
          !text.includes('://') &&
          !'connecting to rtsp://admin:***@10.0.0.5:554/live now'.includes(text),
      );
    fc.assert(
      fc.property(password, fc.constantFrom('rtsp', 'rtsps'), (secret, scheme) => {
        const text = `connecting to ${scheme}://admin:${secret}@10.0.0.5:554/live now`;
        expect(redactText(text)).not.toContain(secret);
        expect(redactText(text)).toContain('10.0.0.5:554/live now');
      }),
      { numRuns: 500 },
    );
  });
});

describe('redactUrl', () => {
  test('no random password survives, whatever it is made of', () => {
    const password = fc
      .string({ minLength: 4, maxLength: 24, unit: 'binary' })
      .filter((text) => !'rtsp://***@10.0.0.5:554/live'.includes(text));
    fc.assert(
      fc.property(password, (secret) => {
        expect(redactUrl(`rtsp://admin:${secret}@10.0.0.5:554/live`)).toBe(
          'rtsp://***@10.0.0.5:554/live',
        );
      }),
      { numRuns: 150 },
    );
  });
});

describe('registerSecret', () => {
  test('no registered secret survives, plain, percent-encoded or JSON-escaped', () => {
    const surroundings = 'cannot log in to *** with [] please';
    const secretText = fc
      .string({ minLength: 4, maxLength: 24, unit: 'grapheme' })
      .filter((text) => !surroundings.includes(text) && !text.includes('*'));
    fc.assert(
      fc.property(secretText, (secret) => {
        registerSecret(secret);
        const encoded = encodeURIComponent(secret);
        for (const form of [
          secret,
          encoded,
          encoded.toLowerCase(),
          JSON.stringify(secret).slice(1, -1),
        ]) {
          const shown = redactText(`cannot log in to * with [${form}] please`);
          expect(shown).not.toContain(secret);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('hides the longer of two secrets where one begins the other', () => {
    registerSecret('tangerine');
    registerSecret('tangerine-dream');
    expect(redactText('x tangerine-dream y')).toBe('x *** y');
  });

  test('ignores what is too short to be one', () => {
    registerSecret('cam');
    expect(redactText('cam 1')).toBe('cam 1');
  });

  test('takes the password of an address, as it stands and decoded', () => {
    registerUrlSecrets('rtsp://admin:k%40rl-q@cam/live');
    expect(redactText('got k@rl-q and k%40rl-q')).toBe('got *** and ***');
  });
});

describe('redact', () => {
  test('hides values by the names of their keys, deep in objects', () => {
    const shown = redact({
      cameras: { front: { username: 'admin', password: 'x1', password_file: 'front', url: null } },
      headers: [{ Authorization: 'Custom abc', 'x-api-key': 'k' }],
      accessToken: 42,
      token: '',
      hasToken: true,
      tokens: [{ name: 'box', token_sha256: 'ab' }, 'plain'],
      tokenize: 'words',
      bypass: 'lane',
    });
    expect(shown).toEqual({
      cameras: { front: { username: 'admin', password: '***', password_file: 'front', url: null } },
      headers: [{ Authorization: '***', 'x-api-key': '***' }],
      accessToken: '***',
      token: '',
      hasToken: true,
      tokens: [{ name: 'box', token_sha256: '***' }, '***'],
      tokenize: 'words',
      bypass: 'lane',
    });
  });

  test('shows errors with code, remedy and the chain of causes', () => {
    const root = new Error('rtsp://u:secret@cam refused');
    const shown = redact(
      new ApexError('INTERNAL', 'it broke', { cause: root, remedy: 'mend it', details: { n: 1 } }),
    );
    expect(shown).toMatchObject({
      name: 'ApexError',
      code: 'INTERNAL',
      message: 'it broke',
      remedy: 'mend it',
      details: { n: 1 },
      cause: { name: 'Error', message: 'rtsp://***@cam refused' },
    });
    expect(JSON.stringify(shown)).not.toContain('secret');
  });

  test('copes with whatever it is handed', () => {
    const circle: Record<string, unknown> = { bytes: new Uint8Array(3), big: 5n, run() {} };
    circle.self = circle;
    circle.map = new Map([['password', 'abc']]);
    circle.when = new Date(0);
    expect(redact(circle)).toEqual({
      bytes: '[3 bytes]',
      big: '5',
      run: undefined,
      self: '[circular]',
      map: { password: '***' },
      when: '1970-01-01T00:00:00.000Z',
    });
    let deep: unknown = 'end';
    for (let level = 0; level < 100; level++) deep = { deep };
    expect(JSON.stringify(redact(deep))).toContain('[too deep]');
  });
});
