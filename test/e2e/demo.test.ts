import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { treeProcesses } from '../../scripts/bench/process-tree.mjs';
import { assets, testWithAssets } from '../support/assets.ts';
import { waitFor } from '../support/program.ts';

const DEMO = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
const withFootage = testWithAssets(
  { models: 'yolov8n.onnx' },
  { media: 'one-by-one-person-detection.mp4' },
);

async function demo(
  args: readonly string[],
  until: (output: string) => boolean,
): Promise<{ output: string; code: number | null; left: number[] }> {
  const child = spawn(process.execPath, [DEMO, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      APEX_MODELS_MIRROR: assets().models ?? '',
      APEX_TEST_MEDIA: assets().media ?? '',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  const ended = once(child, 'exit');
  await waitFor(
    'the demo shows what it should',
    () => until(output) || child.exitCode !== null,
    90_000,
  );
  const processes = treeProcesses(child.pid!).map(({ pid }) => pid);
  child.kill('SIGINT');
  await ended;
  const alive = new Set(treeProcesses(1).map(({ pid }) => pid));
  return { output, code: child.exitCode, left: processes.filter((pid) => alive.has(pid)) };
}

describe('scripts/demo', () => {
  withFootage('shows real cameras at the hub and ends everything at Ctrl-C', async () => {
    const { output, code, left } = await demo([], (text) => /object_event +new/.test(text));
    expect(output).toMatch(/yolov8n on cpu, \d+ ms a frame/);
    for (const camera of ['entrance', 'walkway', 'car-park', 'street']) {
      expect(output).toMatch(new RegExp(`^${camera} +streaming`, 'm'));
      expect(output).toContain(`rtsp://127.0.0.1:`);
    }
    expect(output).toMatch(/uplink +connected to/);
    expect(output).toMatch(/^console +http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}$/m);
    expect(output).not.toContain('TEST');
    expect(code).toBe(0);
    expect(left).toEqual([]);
  });

  test('runs the generated scene with the test detector, and calls it that', async () => {
    const { output, code, left } = await demo(['--test-scene'], (text) =>
      /object_event +new test-object/.test(text),
    );
    expect(output).toContain('TEST SCENE with the built-in test detector');
    expect(output).toContain('TEST DETECTOR on a generated scene');
    expect(code).toBe(0);
    expect(left).toEqual([]);
  });
});
