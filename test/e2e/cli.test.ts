import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { assets, clipPath, modelPath, testWithAssets } from '../support/assets.ts';
import { Program, temporaryFolder, waitFor } from '../support/program.ts';

const EXAMPLE = fileURLToPath(new URL('../../config.example.yaml', import.meta.url));
const withModel = testWithAssets({ models: 'yolov8n.onnx' });
const withClip = testWithAssets({ models: 'yolov8n.onnx', media: 'street.mp4' });

async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const program = Program.start(args, env);
  const code = await program.closed();
  return { code, stdout: program.stdout, stderr: program.stderr };
}

describe('apex-edge', () => {
  test('lists its commands, and suggests the one that was meant', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    for (const command of [
      'run',
      'hub',
      'tail',
      'detect',
      'models',
      'config',
      'status',
      'queue',
      'metrics',
    ]) {
      expect(help.stdout).toMatch(new RegExp(`^  ${command}`, 'm'));
    }
    const wrong = await run(['detcet']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('Did you mean detect?');
  });

  test('says what to do when there is no configuration', async () => {
    const { code, stderr } = await run(['run', '--config', '/nonexistent/config.yaml']);
    expect(code).toBe(1);
    expect(stderr).toContain('CONFIG_NOT_FOUND');
    expect(stderr).toMatch(/What to do: \S/);
  });

  test('accepts its own example configuration', async () => {
    const { code, stdout } = await run(['config', 'check', '--config', EXAMPLE]);
    expect(stdout).toMatch(/cameras can run, 0 are disabled/);
    // Secrets that the example names are not on this machine, and that is a problem worth an exit code.
    expect([0, 1]).toContain(code);
  });

  test('names line, key and the right word of a mistake', async () => {
    const file = join(temporaryFolder('config'), 'config.yaml');
    writeFileSync(file, 'cameras:\n  gate:\n    url: rtsp://10.0.0.2/s\n    detct: { fps: 5 }\n');
    const { code, stdout } = await run(['config', 'check', '--config', file]);
    expect(code).toBe(1);
    expect(stdout).toContain(`${file}:4:5: cameras.gate has no key "detct"`);
    expect(stdout).toContain('did you mean "detect"?');
  });

  test('prints a JSON Schema', async () => {
    const { stdout } = await run(['config', 'schema']);
    const schema = JSON.parse(stdout) as { properties: object };
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['edge', 'uplink', 'cameras', 'hub']),
    );
  });

  test('makes tokens that differ, with the hash that the hub wants', async () => {
    const make = () => run(['tokens', 'generate']);
    const [one, other] = await Promise.all([make(), make()]);
    expect(one.stdout).toMatch(/token_sha256.*: [0-9a-f]{64}/);
    expect(one.stdout).not.toBe(other.stdout);
  });

  test('keeps the list of tokens of a hub', async () => {
    const folder = temporaryFolder('tokens');
    const file = join(folder, 'hub.yaml');
    const written = { name: 'gate', type: 'ai_engine', token_sha256: '0'.repeat(64) };
    writeFileSync(file, JSON.stringify({ hub: { data_dir: folder, tokens: [written] } }));
    const tokens = (...words: string[]) => run(['tokens', ...words, '--config', file]);
    const scopes = ['--camera', 'gate', '--camera', 'yard', '--receive', 'alert_triggered'];
    const created = await tokens('create', 'desk', '--type', 'frontend', ...scopes);
    expect(created.code).toBe(0);
    expect(created.stdout).toMatch(/^[\w-]{43}\n$/);
    await tokens('revoke', 'desk');
    await tokens('create', 'wall', '--type', 'desktop_app', '--admin', '--expires', '90d');
    const listed = await tokens('list', '--json');
    expect(listed.stdout).not.toContain(created.stdout.trim());
    expect(JSON.parse(listed.stdout)).toMatchObject([
      {
        name: 'desk',
        state: 'revoked',
        scopes: { cameras: ['gate', 'yard'], send: ['*'], receive: ['alert_triggered'] },
        expires: null,
      },
      { name: 'wall', state: 'in force', scopes: { admin: true }, expires: expect.any(String) },
    ]);
    expect((await tokens('list')).stdout).toMatch(/^wall .*in force .*admin/m);
    const faults = [
      [['create', 'wall', '--type', 'frontend'], 'HUB_TOKEN_NAME'],
      [['create', 'gate', '--type', 'frontend'], 'HUB_TOKEN_NAME'],
      [['create', 'door', '--type', 'frontend', '--expires', '2020-02-30'], 'HUB_TOKEN_OPTION'],
      [['revoke', 'nobody'], 'HUB_TOKEN_UNKNOWN'],
    ] as const;
    for (const [words, code] of faults) expect((await tokens(...words)).stderr).toContain(code);
  });

  test('needs a token to tail a hub', async () => {
    const { code, stderr } = await run(['tail', '--hub', 'ws://127.0.0.1:1/ws'], {
      APEX_TOKEN: '',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('HUB_TOKEN_MISSING');
  });
});

describe('apex-edge queue and metrics', () => {
  test('show what waits and why, from the daemon that runs', async () => {
    const folder = temporaryFolder('queue');
    const edge = Program.startWithConfig('run', folder, {
      edge: { id: 'north-yard', data_dir: join(folder, 'data') },
      uplink: { url: 'ws://127.0.0.1:1/ws', token: 'a-token-that-nobody-asks-for' },
      detector: { model: 'test-detector' },
    });
    const config = ['--config', join(folder, 'run.yaml')];
    try {
      const table = await waitFor('the daemon tells its queue', async () => {
        const { code, stdout } = await run(['queue', ...config]);
        return code === 0 && /NOT CONNECTED .*the next in/.test(stdout) ? stdout : null;
      });
      for (const lane of ['alerts', 'events', 'detections', 'state'])
        expect(table).toMatch(new RegExp(`^${lane} +\\d`, 'm'));
      expect(table).toMatch(/[KM]iB of \d+ MiB used/);
      expect(table).toContain('[UPLINK_UNREACHABLE]');
      const json = JSON.parse((await run(['queue', '--json', ...config])).stdout) as object;
      expect(json).toMatchObject({
        queue: { mode: 'disk' },
        uplink: { state: expect.any(String) },
      });
      const letters = await run(['queue', '--dead-letters', ...config]);
      expect(letters.stdout).toContain('There are no dead letters');
      const metrics = await run(['metrics', ...config]);
      expect(metrics.stdout).toMatch(/^# TYPE apex_edge_queue_messages gauge$/m);
      expect(metrics.stdout).toMatch(/^apex_edge_info\{version=".*",edge_id="north-yard"\} 1$/m);
      expect(metrics.stdout).toMatch(/\n$/);
    } finally {
      await edge.end();
    }
  });

  test('say what to do where no daemon runs', async () => {
    const folder = temporaryFolder('queue');
    const file = join(folder, 'config.yaml');
    writeFileSync(file, `edge: { data_dir: ${folder} }\n`);
    for (const command of ['queue', 'metrics']) {
      const { code, stdout, stderr } = await run([command, '--config', file]);
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toContain('API_NOT_RUNNING');
      expect(stderr).toMatch(/What to do: Start it/);
    }
  });
});

describe('apex-edge models', () => {
  withModel('pulls from the mirror, shows the licence, verifies and finds damage', async () => {
    const dir = temporaryFolder('models');
    const env = { APEX_MODELS_MIRROR: assets().models ?? '' };
    const pulled = await run(['models', 'pull', 'yolov8n', '--dir', dir], env);
    expect(pulled.code).toBe(0);
    expect(pulled.stdout).toContain('AGPL-3.0');
    expect((await run(['models', 'list', '--dir', dir])).stdout).toMatch(/yolov8n +installed/);
    expect((await run(['models', 'verify', '--dir', dir])).code).toBe(0);
    const file = join(dir, readdirSync(dir).find((name) => name.endsWith('.onnx'))!);
    const bytes = readFileSync(file);
    bytes[1000]! ^= 0xff;
    writeFileSync(file, bytes);
    const damaged = await run(['models', 'verify', '--dir', dir]);
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toContain('damaged');
  });

  withModel('imports a user’s own export, and refuses a file that is none', async () => {
    const dir = temporaryFolder('models');
    const model = modelPath('yolov8n.onnx');
    const imported = await run(['models', 'import', model, '--name', 'mine', '--dir', dir]);
    expect(imported.stdout).toContain('mine: 80 classes');
    const refused = await run(['models', 'import', EXAMPLE, '--name', 'none', '--dir', dir]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('MODEL_UNREADABLE');
  });
});

describe('apex-edge detect', () => {
  withClip('prints an array of frames with normalised boxes', async () => {
    const { code, stdout } = await run([
      'detect',
      ...['--model', modelPath('yolov8n.onnx'), '--input', clipPath('street.mp4')],
      ...['--frames', '0,40', '--threshold', '0.4', '--json', '--dir', temporaryFolder('models')],
    ]);
    expect(code).toBe(0);
    const frames = JSON.parse(stdout) as { frame: number; detections: Record<string, number>[] }[];
    expect(frames.map(({ frame }) => frame)).toEqual([0, 40]);
    const detections = frames.flatMap((frame) => frame.detections);
    expect(detections.length).toBeGreaterThan(0);
    for (const detection of detections) {
      expect(Object.keys(detection)).toEqual(['label', 'score', 'x', 'y', 'width', 'height']);
      expect(detection.score).toBeGreaterThanOrEqual(0.4);
      expect(detection.x! + detection.width!).toBeLessThanOrEqual(1);
    }
  });

  withModel('says what is wrong with an input that is no picture', async () => {
    const { code, stderr } = await run([
      'detect',
      ...['--model', modelPath('yolov8n.onnx'), '--input', EXAMPLE, '--json'],
      ...['--dir', temporaryFolder('models')],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('VISION_INPUT_UNREADABLE');
  });
});
