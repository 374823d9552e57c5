import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configJsonSchema, redactConfig } from '../../../src/config/json-schema.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { type CameraConfig, type Config, configSchema } from '../../../src/config/schema.ts';
import { checkSecrets } from '../../../src/config/secret-problems.ts';
import {
  cameraUrlWithCredentials,
  hubTokens,
  uplinkTls,
  uplinkToken,
} from '../../../src/config/secrets.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { redactText } from '../../../src/system/redact.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apex-secrets-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function secretFile(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

function parsed(raw: unknown): Config {
  return configSchema.parse(raw);
}

function camera(raw: unknown): CameraConfig {
  return parsed({ cameras: { front: raw } }).cameras.front!;
}

function addressOf(raw: unknown, env: NodeJS.ProcessEnv = {}): string {
  return cameraUrlWithCredentials('front', camera(raw), env);
}

describe('cameraUrlWithCredentials', () => {
  test('leaves an address without credentials as it is', () => {
    expect(addressOf({ url: 'rtsp://cam:554/live?x=1' })).toBe('rtsp://cam:554/live?x=1');
  });

  test.each([
    ['rtsp://u:p%40ss@cam/1', 'rtsp://u:p%40ss@cam/1'],
    ['rtsp://u:p@ss@cam/1', 'rtsp://u:p%40ss@cam/1'],
    ['rtsp://u:100%@cam/1', 'rtsp://u:100%25@cam/1'],
    ["rtsp://u:it's(1)!@cam/1", 'rtsp://u:it%27s%281%29%21@cam/1'],
    ['rtsp://u@cam/1', 'rtsp://u:@cam/1'],
  ])('encodes %s', (url, expected) => {
    expect(addressOf({ url })).toBe(expected);
  });

  test('adds the password to the user name, wherever that stands', () => {
    const expected = 'rtsp://a%20b:c%2Fd%40e@cam/1';
    const password = 'c/d@e';
    expect(addressOf({ url: 'rtsp://cam/1', username: 'a b', password })).toBe(expected);
    expect(addressOf({ url: 'rtsp://a%20b@cam/1', password })).toBe(expected);
  });

  test('carries any user name and password to the other side', () => {
    const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, (username, password) => {
        const url = new URL(addressOf({ url: 'rtsp://cam:554/live', username, password }));
        expect(decodeURIComponent(url.username)).toBe(username);
        expect(decodeURIComponent(url.password)).toBe(password);
        expect(url.host).toBe('cam:554');
      }),
      { numRuns: 100 },
    );
  });

  test('registers what it reads with the redactor', () => {
    const file = secretFile('pw', 'mellifluous 1\n');
    addressOf({ url: 'rtsp://cam', username: 'u', password_file: file });
    expect(redactText('got mellifluous 1, or mellifluous%201')).toBe('got ***, or ***');
  });
});

describe('certificates of the uplink', () => {
  const PIN = 'A'.repeat(43);
  const raw = (tls: object) => ({ uplink: { url: 'wss://hub', tls } });
  const problemsOf = (tls: object) =>
    (configSchema.safeParse(raw(tls)).error?.issues ?? []).map(({ path }) => path.join('.'));

  test('are read from their files, also from credentials of systemd', () => {
    const ca_file = secretFile('ca.pem', 'authority\n');
    secretFile('box-cert', 'certificate');
    secretFile('box-key', 'key');
    const tls = { ca_file, cert_file: 'box-cert', key_file: 'box-key', pin_sha256: [`${PIN}=`] };
    expect(uplinkTls(parsed(raw(tls)), { CREDENTIALS_DIRECTORY: folder })).toEqual({
      ca: 'authority\n',
      cert: 'certificate',
      key: 'key',
      pins: [`${PIN}=`],
    });
    expect(uplinkTls(parsed({}), {})).toEqual({ pins: [] });
  });

  test('that are not there are told with key and path', () => {
    const ca_file = join(folder, 'none');
    const message = `uplink.tls.ca_file: ${ca_file} is not there`;
    expect(() => uplinkTls(parsed(raw({ ca_file })), {})).toThrow(message);
  });

  test('a certificate without its key, and a pin of another form, are refused', () => {
    expect(problemsOf({ cert_file: '/a' })).toEqual(['uplink.tls.cert_file']);
    expect(problemsOf({ key_file: '/a' })).toEqual(['uplink.tls.key_file']);
    expect(problemsOf({ pin_sha256: ['sha256//x'] })).toEqual(['uplink.tls.pin_sha256.0']);
  });

  test('a key that everyone can read, and a file that is missing, are problems of the configuration', () => {
    const cert_file = secretFile('cert.pem', 'certificate', 0o644);
    const key_file = secretFile('key.pem', 'key', 0o644);
    const found = (tls: object) => {
      const text = JSON.stringify({ uplink: { ...raw(tls).uplink, token: 'x'.repeat(20) } });
      const loaded = loadConfig(secretFile('config.yaml', text), {});
      return checkSecrets(loaded, {}).map(({ key, severity }) => `${severity} ${key}`);
    };
    expect(found({ cert_file, key_file })).toEqual(['warning uplink.tls.key_file']);
    expect(found({ ca_file: join(folder, 'none') })).toEqual(['error uplink.tls.ca_file']);
  });
});

describe('secrets in files', () => {
  const raw = (file: string) => ({ uplink: { url: 'ws://hub', token_file: file } });

  test('lose one line break at their end, and nothing else', () => {
    expect(uplinkToken(parsed(raw(secretFile('a', ' tok en \n'))), {})).toBe(' tok en ');
    expect(uplinkToken(parsed(raw(secretFile('b', 'token-b\r\n'))), {})).toBe('token-b');
    expect(uplinkToken(parsed(raw(secretFile('c', 'token-c'))), {})).toBe('token-c');
  });

  test('are credentials of systemd when named without a folder', () => {
    secretFile('hub-token', 'from-systemd\n');
    const env = { CREDENTIALS_DIRECTORY: folder };
    expect(uplinkToken(parsed(raw('hub-token')), env)).toBe('from-systemd');
    expect(() => uplinkToken(parsed(raw('hub-token')), {})).toThrow(
      expect.objectContaining({
        code: 'CONFIG_SECRET_UNREADABLE',
        message: expect.stringContaining('uplink.token_file names the systemd credential'),
      }),
    );
  });

  test.each([
    ['', 'is empty'],
    ['\n', 'is empty'],
    ['one\ntwo\n', 'more than one line'],
  ])('with %j are refused', (text, message) => {
    const path = secretFile('bad', text);
    expect(() => uplinkToken(parsed(raw(path)), {})).toThrow(message);
  });

  test('that are not there are told with key and path', () => {
    const path = join(folder, 'none');
    expect(() => uplinkToken(parsed(raw(path)), {})).toThrow(
      `uplink.token_file: ${path} is not there`,
    );
  });

  test('are not needed', () => {
    expect(uplinkToken(parsed({}), {})).toBeNull();
  });
});

describe('hubTokens', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  test('gives digests, whichever way the tokens are written', () => {
    const config = parsed({
      hub: {
        tokens: [
          { name: 'a', type: 'ai_engine', token: 'plain-token' },
          { name: 'b', type: 'frontend', token_file: secretFile('b', 'file-token\n') },
          { name: 'c', type: 'mobile_app', token_sha256: sha256('digest-token') },
        ],
      },
    });
    expect(hubTokens(config, {})).toEqual([
      { name: 'a', type: 'ai_engine', scopes: USUAL_SCOPES, sha256: sha256('plain-token') },
      { name: 'b', type: 'frontend', scopes: USUAL_SCOPES, sha256: sha256('file-token') },
      { name: 'c', type: 'mobile_app', scopes: USUAL_SCOPES, sha256: sha256('digest-token') },
    ]);
  });

  test('refuses one token for two clients', () => {
    const config = parsed({
      hub: {
        tokens: [
          { name: 'a', type: 'ai_engine', token: 'the-same' },
          { name: 'b', type: 'frontend', token_sha256: sha256('the-same') },
        ],
      },
    });
    expect(() => hubTokens(config, {})).toThrow('the hub tokens of a and b are the same');
  });
});

describe('checkSecrets', () => {
  function check(text: string, mode = 0o600, env: NodeJS.ProcessEnv = {}) {
    const file = secretFile('edge.yaml', text, mode);
    return checkSecrets(loadConfig(file, env), env).map(
      ({ severity, key, line, variable, cameraId, message }) => ({
        severity,
        key,
        line,
        variable,
        cameraId,
        message,
      }),
    );
  }

  test('is content with secrets that only their reader can read', () => {
    const password = secretFile('pw', 'abcdef\n');
    expect(
      check(`cameras:\n  a: {url: "rtsp://cam", username: u, password_file: ${password}}\n`),
    ).toEqual([]);
  });

  test('warns of a key of the gallery that everyone can read; one that is not there yet is fine', () => {
    const key = secretFile('people.key', 'x'.repeat(32), 0o644);
    expect(check(`people: {key_file: ${key}}\n`)).toMatchObject([
      {
        severity: 'warning',
        key: 'people.key_file',
        message: expect.stringContaining('chmod o-r'),
      },
    ]);
    expect(check(`people: {key_file: ${key}.none}\n`)).toEqual([]);
    expect(check('people: {key_file: people-key}\n')).toMatchObject([
      { severity: 'error', key: 'people.key_file' },
    ]);
  });

  test('warns of files and a configuration that everyone can read', () => {
    const token = secretFile('token', 'a-long-enough-token\n', 0o644);
    const text =
      `uplink: {url: "ws://hub", token_file: ${token}}\ncameras:\n` +
      '  a: {url: "rtsp://u:hidden-1@cam"}\n  b: {url: "rtsp://cam", username: u, password: hidden-2}\n';
    const problems = check(text, 0o644);
    expect(problems.map(({ severity, key, line }) => [severity, key, line])).toEqual([
      ['warning', 'cameras.b.password', 4],
      ['warning', 'uplink.token_file', 1],
      ['warning', 'cameras.a.url', 3],
    ]);
    expect(problems[1]?.message).toContain(`chmod o-r ${token}`);
  });

  test('tells which camera misses its password', () => {
    const problems = check('cameras:\n  a: {url: "rtsp://cam", username: u, password_file: pw}\n');
    expect(problems).toMatchObject([
      { severity: 'error', key: 'cameras.a.password_file', line: 2, cameraId: 'a' },
    ]);
  });

  test('warns of short tokens, and of an uplink without one', () => {
    const env = { APEX_EDGE__hub__tokens__0__token: 'short' };
    const text = 'uplink: {url: "ws://hub"}\nhub: {tokens: [{name: a, type: frontend}]}\n';
    expect(check(text, 0o644, env)).toMatchObject([
      {
        severity: 'warning',
        key: 'hub.tokens.0.token',
        variable: 'APEX_EDGE__hub__tokens__0__token',
      },
      { severity: 'warning', key: 'uplink.url', line: 1 },
    ]);
  });
});

test('redactConfig shows everything but secrets', () => {
  const shown = redactConfig(
    parsed({
      cameras: {
        front: { url: 'rtsp://u:secret-1@cam/1' },
        back: { url: 'rtsp://cam/2', username: 'u', password_file: 'pw' },
      },
      uplink: { url: 'ws://hub', token: 'secret-2' },
      hub: { tokens: [{ name: 'a', type: 'frontend', token_sha256: 'a'.repeat(64) }] },
    }),
  );
  expect(shown).toMatchObject({
    cameras: {
      front: { url: 'rtsp://***@cam/1', transport: 'tcp' },
      back: { username: 'u', password_file: 'pw' },
    },
    uplink: { url: 'ws://hub', token: '***' },
    hub: { tokens: [{ name: 'a', token_sha256: '***' }] },
  });
});

test('the JSON Schema has a title and a description for every key', () => {
  const bare: string[] = [];
  const visit = (shape: Record<string, unknown>, path: string): void => {
    for (const [key, child] of Object.entries((shape.properties ?? {}) as object)) {
      if (!child.title || !child.description) bare.push(`${path}${key}`);
      visit(child, `${path}${key}.`);
    }
    for (const inner of [shape.additionalProperties, shape.items])
      if (typeof inner === 'object' && inner !== null)
        visit(inner as Record<string, unknown>, `${path}*.`);
  };
  visit(configJsonSchema() as Record<string, unknown>, '');
  expect(bare).toEqual([]);
});
