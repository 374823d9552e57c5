import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { type ConfigProblem, formatProblem } from '../../../src/config/problem.ts';
import { ApexError } from '../../../src/system/errors.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apex-config-'));
  file = join(folder, 'edge.yaml');
});

afterEach(() => rmSync(folder, { recursive: true }));

function load(text: string, env: NodeJS.ProcessEnv = {}) {
  writeFileSync(file, text);
  return loadConfig(file, env);
}

function failure(text: string | Uint8Array, env: NodeJS.ProcessEnv = {}): ApexError {
  writeFileSync(file, text);
  try {
    loadConfig(file, env);
  } catch (error) {
    if (error instanceof ApexError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

function problemsOf(error: ApexError): ConfigProblem[] {
  return error.details.problems as ConfigProblem[];
}

const FRONT = 'cameras:\n  front:\n    url: rtsp://192.0.2.10/live\n';

describe('a correct file', () => {
  test('gets the defaults of everything it does not name', () => {
    const { config, problems, cameraFaults } = load(FRONT);
    expect(problems).toEqual([]);
    expect(cameraFaults.size).toBe(0);
    expect(config.cameras.front).toMatchObject({ transport: 'tcp', detect: { fps: 5 } });
    expect(config.log.level).toBe('info');
  });

  test('may name sections that hold nothing', () => {
    const { config } = load('uplink:\ncameras:\nhub:\n  tokens:\nlog:\n');
    expect(config.cameras).toEqual({});
    expect(config.hub.tokens).toEqual([]);
  });

  test('may look for all labels', () => {
    const { config } = load(`${FRONT}    detect: {labels: null}\n`);
    expect(config.cameras.front?.detect.labels).toBeNull();
  });

  test('may share sections by anchors, which overrides then part', () => {
    const text =
      'cameras:\n  a: &a\n    path: /clips/a\n    detect: &d {fps: 7}\n' +
      '  b: {<<: *a, path: /clips/b}\n  c: {path: /clips/c, detect: *d}\n';
    const { config } = load(text, { APEX_EDGE__cameras__a__detect__fps: '9' });
    const fps = Object.values(config.cameras).map((camera) => camera.detect.fps);
    expect(fps).toEqual([9, 7, 7]);
  });
});

describe('a mistake', () => {
  test('is told with line, key, what was found and what is allowed', () => {
    const error = failure(`detector:\n  workers: 99\nlog:\n  level: inof\n${FRONT}`);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(problemsOf(error)).toEqual([
      {
        severity: 'error',
        line: 2,
        column: 3,
        variable: null,
        key: 'detector.workers',
        found: '99',
        allowed: 'a whole number from 1 to 16',
        suggestion: null,
        message: 'detector.workers is 99; allowed: a whole number from 1 to 16',
        cameraId: null,
      },
      {
        severity: 'error',
        line: 4,
        column: 3,
        variable: null,
        key: 'log.level',
        found: '"inof"',
        allowed: 'one of debug, info, warn, error',
        suggestion: 'info',
        message:
          'log.level is "inof"; allowed: one of debug, info, warn, error; did you mean "info"?',
        cameraId: null,
      },
    ]);
    expect(error.message).toContain(`${file}:2:3: detector.workers is 99`);
    expect(error.message).toContain(`${file}:4:3: log.level`);
  });

  test.each([
    ['uplnk: {}', 'uplnk', 'uplink'],
    ['detector: {modle: x}', 'detector.modle', 'model'],
    ['snapshots: {max-width: 3}', 'snapshots.max-width', 'max_width'],
    ['fps: 3', 'fps', 'cameras.<name>.detect.fps'],
    ['level: info', 'level', 'log.level'],
    ['zebra: 1', 'zebra', null],
  ])('in a key, %s, leads to the right one', (text, key, suggestion) => {
    const [problem] = problemsOf(failure(`${text}\n`));
    expect(problem).toMatchObject({ key, suggestion, line: 1 });
    expect(problem?.allowed).toMatch(/, /);
  });

  test.each([
    ['detector: 5', 'detector', '5', 'a section with model, provider'],
    ['cameras: [a]', 'cameras', 'a list', 'a section'],
    ['hub: {port: 1.5}', 'hub.port', '1.5', 'a whole number from 0 to 65535'],
    ['edge: {id: 12}', 'edge.id', '12', 'put quotes around it'],
    ['edge: {data_dir: data}', 'edge.data_dir', '"data"', 'an absolute path'],
    ['ffmpeg: {path: -version}', 'ffmpeg.path', '"-version"', 'a command name'],
    ['snapshots: {enabled: yes}', 'snapshots.enabled', '"yes"', 'true or false'],
    ['uplink: {url: "https://hub"}', 'uplink.url', '"https://hub"', 'wss://'],
    ['uplink: {url: "wss://a:b@hub"}', 'uplink.url', '"wss://***@hub"', 'without user name'],
    ['uplink: {token: abcd, token_file: x}', 'uplink.token_file', '"x"', 'only one of `token`'],
    ['uplink: {token_file: ../x}', 'uplink.token_file', '"../x"', 'systemd credential'],
    ['hub: {tokens: [{name: a}]}', 'hub.tokens.0.type', 'nothing', 'one of ai_engine'],
    ['hub: {tokens: {a: 1}}', 'hub.tokens', 'a section', 'a list'],
  ])('in a value, %s, says so', (text, key, found, allowed) => {
    const problem = problemsOf(failure(`${text}\n`)).find((each) => each.key === key);
    expect(problem).toMatchObject({ found, line: 1, cameraId: null });
    expect(problem?.allowed).toContain(allowed);
  });

  test('in the tokens of the hub is found in each entry', () => {
    const text =
      'hub:\n  tokens:\n    - {name: a, type: frontend}\n' +
      '    - {name: a, type: frontend, token: abcdef, token_sha256: zz}\n';
    const problems = problemsOf(failure(text));
    expect(problems.map(({ key, line }) => [key, line])).toEqual([
      ['hub.tokens.0.token_file', 3],
      ['hub.tokens.1.name', 4],
      ['hub.tokens.1.token_sha256', 4],
      ['hub.tokens.1.token_sha256', 4],
    ]);
  });

  test('never shows a secret, not even one of the wrong kind', () => {
    const text =
      'uplink: {token: 8812345}\ncameras:\n  a: {url: "http://u:tr0ub4dor@cam/"}\n' +
      '  b: {url: "rtsp://cam", password: [correct-horse]}\nhub: {port: tr0ub4dor}\n';
    const error = failure(text);
    const shown = JSON.stringify(error.details) + error.message;
    for (const secret of ['8812345', 'tr0ub4dor', 'correct-horse'])
      expect(shown).not.toContain(secret);
    expect(shown).toContain('put quotes around it');
  });

  test('in names that JavaScript knows does no harm', () => {
    const problems = problemsOf(failure('__proto__: {log: 1}\nconstructor: 2\n'));
    expect(problems.map(({ key }) => key).sort()).toEqual(['__proto__', 'constructor']);
    const { config } = load('cameras:\n  constructor: {path: /clips/a}\n');
    expect(Object.keys(config.cameras)).toEqual(['constructor']);
  });
});

describe('a mistake in a camera', () => {
  test('leaves out that camera and no other', () => {
    const { config, problems, cameraFaults } = load(
      `${FRONT}  back:\n    url: rtsp://192.0.2.11/live\n    detect:\n      fps: 100\n      fsp: 1\n`,
    );
    expect(Object.keys(config.cameras)).toEqual(['front']);
    expect(problems.map(({ cameraId, key, line }) => [cameraId, key, line])).toEqual([
      ['back', 'cameras.back.detect.fps', 7],
      ['back', 'cameras.back.detect.fsp', 8],
    ]);
    expect(problems[0]).toMatchObject({
      found: '100',
      allowed: 'a number above 0 to 60, or "all"',
    });
    expect(problems[1]?.suggestion).toBe('fps');
    const fault = cameraFaults.get('back');
    expect(fault?.toJSON()).toMatchObject({ code: 'CONFIG_CAMERA_INVALID' });
    expect(fault?.message).toContain('edge.yaml:7:7: cameras.back.detect.fps is 100');
  });

  test('is told beside those that stop everything', () => {
    const error = failure('log: {level: x}\ncameras:\n  a: {}\n');
    expect(problemsOf(error).map(({ key, cameraId }) => [key, cameraId])).toEqual([
      ['log.level', null],
      ['cameras.a.url', 'a'],
    ]);
  });

  test.each([
    ['{}', 'url', '`path` with a file'],
    ['{url: "rtsp://cam", path: /a}', 'path', 'either `url` or `path`'],
    ['{url: "http://cam"}', 'url', 'rtsp:// or rtsps://'],
    ['{url: "file:///etc/passwd"}', 'url', 'clips are given with `path`'],
    ['{url: "concat:rtsp://a|/etc/passwd"}', 'url', 'rtsp:// or rtsps://'],
    ['{url: "rtsp://"}', 'url', 'an address like'],
    ['{url: "rtsp://u:12/3@cam/x"}', 'url', 'belong in `username` and `password`'],
    ['{url: "rtsp://u:pa/ss@cam/x"}', 'url', 'belong in `username` and `password`'],
    ['{url: "rtsp://cam/\\n-i"}', 'url', 'an address like'],
    ['{path: clips/a.mp4}', 'path', 'an absolute path'],
    ['{path: /a, username: u, password: abcd}', 'username', 'only with `url`'],
    ['{url: "rtsp://cam", password: abcd}', 'password', '`username` beside'],
    [
      '{url: "rtsp://cam", username: u, password: abcd, password_file: x}',
      'password_file',
      'one of',
    ],
    ['{url: "rtsp://u:abcd@cam", username: u, password: abcd}', 'username', 'not in both'],
    ['{url: "rtsp://u:abcd@cam", password_file: x}', 'password', 'not in both'],
    ['{url: "rtsps://cam", transport: udp}', 'transport', '`tcp`'],
    ['{url: "rtsp://cam", decoder: nvmip}', 'decoder', 'nvmpi'],
    ['{url: "rtsp://cam", detect: {labels: []}}', 'detect.labels', 'a list of at least 1'],
    ['{url: "rtsp://cam", fps: 3}', 'fps', 'detect'],
  ])('%s is found', (camera, key, allowed) => {
    const { config, problems } = load(`cameras:\n  a: ${camera}\n`);
    expect(config.cameras).toEqual({});
    const problem = problems.find((each) => each.key === `cameras.a.${key}`);
    expect(problem).toMatchObject({ cameraId: 'a', line: 2 });
    expect(problem?.allowed).toContain(allowed);
  });

  test.each([
    'rtsp://192.0.2.1:554/a@b',
    'rtsp://[2001:db8::1]:554/live',
    'RTSP://cam.example.org/live?channel=1&subtype=0',
    'rtsps://user:p%2Fss@cam/live',
  ])('is not %s', (url) => {
    expect(load(`cameras:\n  a: {url: "${url}"}\n`).problems).toEqual([]);
  });

  test('in its name comes with a name that is allowed', () => {
    const { problems } = load('cameras:\n  Front Door: {path: /a}\n');
    expect(problems).toMatchObject([
      { key: 'cameras.Front Door', cameraId: 'Front Door', suggestion: 'front-door', line: 2 },
    ]);
  });

  test('is a camera that stands there twice', () => {
    const { config, problems } = load(
      'cameras:\n  a: {path: /a}\n  b: {path: /b}\n  a: {path: /c}\n',
    );
    expect(Object.keys(config.cameras)).toEqual(['b']);
    expect(problems[0]?.message).toContain('the first is in line 2');
    expect(problems[0]).toMatchObject({ line: 4, key: 'cameras.a' });
  });
});

describe('a file that is not to be understood', () => {
  test.each([
    ['a: "x\n', 1],
    ['log:\n\tlevel: info\n', 2],
    ['log:\n  level: info\n edge: {}\n', 3],
    ['uplink:\n  token: @hunter22\n', 2],
    ['uplink:\n  token: *hunter22\n', 2],
    ['uplink:\n  token: !hunter22\n', 2],
    ['log: {}\n---\nlog: {}\n', 2],
    ['cameras: &a\n  b: *a\n', 2],
  ])('%j is told with its line', (text, line) => {
    const error = failure(text);
    expect(error.code).toBe('CONFIG_INVALID');
    const [problem] = problemsOf(error);
    expect(problem?.line).toBe(line);
    expect(problem?.column).toBeGreaterThan(0);
    expect(JSON.stringify(error.details)).not.toContain('hunter22');
  });

  test('tells of a key that stands there twice', () => {
    const error = failure('log: {level: info}\nedge: {}\nlog: {level: warn}\n');
    expect(problemsOf(error)).toMatchObject([{ key: 'log', line: 3, cameraId: null }]);
    expect(error.message).toContain('the first is in line 1');
  });

  test.each([
    ['', 'the file is empty'],
    ['# nothing but words\n', 'the file is empty'],
    ['- a\n', 'a list'],
    ['hello\n', 'a single value'],
  ])('%j says what it is', (text, message) => {
    expect(failure(text).message).toContain(message);
  });

  test('ends in a word about anchors when they multiply', () => {
    const levels = Array.from(
      { length: 9 },
      (_, n) => `  a${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}, *a${n}]`,
    );
    const text = `x:\n  a0: &a0 [1]\n${levels.join('\n')}\n`;
    expect(failure(text).message).toContain('anchors');
  });

  test('has codes of its own when it cannot be read', () => {
    expect(() => loadConfig(join(folder, 'none.yaml'), {})).toThrow(
      expect.objectContaining({ code: 'CONFIG_NOT_FOUND' }),
    );
    expect(() => loadConfig(folder, {})).toThrow(
      expect.objectContaining({
        code: 'CONFIG_UNREADABLE',
        message: expect.stringContaining('folder'),
      }),
    );
    writeFileSync(file, FRONT);
    expect(() => loadConfig(join(file, 'x'), {})).toThrow(/not a folder/);
    expect(failure(Uint8Array.of(0x61, 0xff, 0xfe))).toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: expect.stringContaining('UTF-8'),
    });
  });
});

describe('environment variables', () => {
  test('set keys over those of the file, and make sections', () => {
    const { config, problems } = load(FRONT, {
      APEX_EDGE__uplink__url: 'ws://127.0.0.1:8080/',
      APEX_EDGE__uplink__token: '12345678: #x',
      APEX_EDGE__cameras__front__detect__fps: '10',
      APEX_EDGE__CAMERAS__FRONT__DETECT__LABELS: '[person, dog]',
      APEX_EDGE__cameras__gate__path: '/clips/gate.mp4',
      APEX_EDGE__hub__tokens__0__name: 'gate',
      APEX_EDGE__hub__tokens__0__type: 'ai_engine',
      APEX_EDGE__hub__tokens__0__token_file: 'gate',
      APEX_EDGE_CONFIG: 'not one of them',
    });
    expect(problems).toEqual([]);
    expect(config.uplink).toMatchObject({ url: 'ws://127.0.0.1:8080/', token: '12345678: #x' });
    expect(config.cameras.front?.detect).toMatchObject({ fps: 10, labels: ['person', 'dog'] });
    expect(config.cameras.gate?.path).toBe('/clips/gate.mp4');
    expect(config.hub.tokens).toMatchObject([
      { name: 'gate', type: 'ai_engine', token_file: 'gate' },
    ]);
  });

  test('with no value take a key away', () => {
    const { config } = load('log: {level: debug}\nedge: {id: box-1}\n', {
      APEX_EDGE__log__level: '',
      APEX_EDGE__edge__id: '',
    });
    expect(config.log.level).toBe('info');
    expect(config.edge.id).toBeUndefined();
  });

  test('are named in place of a line', () => {
    const error = failure('log: {level: info}\n', {
      APEX_EDGE__log__level: 'loud',
      APEX_EDGE__uplnk__url: 'ws://x',
      APEX_EDGE__cameras__a__detect__fps: 'fast',
    });
    const problems = problemsOf(error).map(({ key, variable, line }) => [key, variable, line]);
    expect(problems).toContainEqual(['log.level', 'APEX_EDGE__log__level', null]);
    expect(problems).toContainEqual(['uplnk', 'APEX_EDGE__uplnk__url', null]);
    expect(problems).toContainEqual([
      'cameras.a.detect.fps',
      'APEX_EDGE__cameras__a__detect__fps',
      null,
    ]);
    expect(error.message).toContain('APEX_EDGE__log__level: log.level is "loud"');
  });

  test.each([
    ['APEX_EDGE__log__level__x', '1', 'not a section'],
    ['APEX_EDGE__', '1', 'is not a key'],
    ['APEX_EDGE__log____level', '1', 'is not a key'],
    ['APEX_EDGE__hub__port', '[1', 'not a YAML value'],
    ['APEX_EDGE__hub__port', '*a', 'not a YAML value'],
    ['APEX_EDGE__hub__tokens__length', '7', 'not an entry of the list'],
    ['APEX_EDGE__hub__tokens__5__name', 'x', 'not an entry of the list'],
    ['APEX_EDGE____proto____x', '1', 'is not a key'],
  ])('%s=%s is refused', (variable, value, message) => {
    const error = failure('log: {level: info}\nhub: {tokens: []}\n', { [variable]: value });
    const problem = problemsOf(error).find((each) => each.variable === variable);
    expect(problem?.message).toContain(message);
  });

  test('of a bad camera disable that camera only', () => {
    const { config, problems } = load(FRONT, { APEX_EDGE__cameras__gate__fps: '3' });
    expect(Object.keys(config.cameras)).toEqual(['front']);
    expect(new Set(problems.map(({ cameraId }) => cameraId))).toEqual(new Set(['gate']));
  });
});

test('formatProblem tells place and weight', () => {
  const { problems } = load('cameras:\n  a: {}\n');
  const [problem] = problems;
  expect(formatProblem(problem!, 'x.yaml')).toMatch(/^x\.yaml:2:3: cameras\.a\.url is missing;/);
  expect(formatProblem({ ...problem!, severity: 'warning' }, 'x.yaml')).toContain(': warning: ');
});
