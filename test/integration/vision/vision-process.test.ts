import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect } from 'vitest';
import type { FromVision } from '../../../src/vision/contract.ts';
import { VisionChild } from '../../../src/vision/vision-child.ts';
import { clipPath, testWithAssets } from '../../support/assets.ts';
import { childProcesses } from '../../support/capture.ts';
import { temporaryFolder, waitFor } from '../../support/program.ts';
import { clipCamera, detectorSpec } from '../../support/vision.ts';

const CLIP = 'people-walking.mp4';
const STOPS = 20;
const preparedDir = temporaryFolder('prepared');
const real = testWithAssets({ models: 'yolov8n.onnx', media: CLIP });

/** A vision process in the middle of its work. */
class Process {
  readonly #child: VisionChild;
  /** It has spoken, so it also listens. */
  isUp = false;
  results = 0;
  ended: string | null = null;

  constructor() {
    this.#child = new VisionChild({
      onMessage: (message: FromVision) => {
        this.isUp = true;
        if (message.kind === 'result') this.results++;
      },
      onLine: () => {},
      onEnd: (how) => {
        this.ended = how;
      },
    });
    void this.#child.start(() => ({
      kind: 'start',
      detector: detectorSpec(preparedDir),
      cameras: [clipCamera('walk', clipPath(CLIP), { loop: true })],
      faces: null,
      ffmpegPath: 'ffmpeg',
      hints: [],
      excluded: [],
    }));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  stop(): void {
    this.#child.stop();
  }
}

async function endOf(round: number): Promise<{ end: string | null; tookMs: number }> {
  const vision = new Process();
  // At a different place of its work each time, also before the first result.
  await waitFor('work', () => vision.isUp && vision.results >= (round % 5) * 2);
  const asked = performance.now();
  if (round % 2 === 0) vision.stop();
  else process.kill(vision.pid, 'SIGTERM');
  await waitFor('the end', () => vision.ended !== null, 5000);
  return { end: vision.ended, tookMs: performance.now() - asked };
}

/** A daemon of which nothing is left but the vision process that it started. */
const DAEMON = `
  const { VisionHandle } = await import(process.env.HANDLE);
  const { systemClock } = await import(process.env.CLOCK);
  const { silentLogger } = await import(process.env.LOGGER);
  const handle = new VisionHandle({ clock: systemClock, random: Math.random, log: silentLogger });
  handle.start(JSON.parse(process.env.SPEC));
`;

describe('the vision process', () => {
  real('ends well every time that it is asked to, in the middle of inference', async () => {
    const ends: Awaited<ReturnType<typeof endOf>>[] = [];
    for (let round = 0; round < STOPS; round += 2) {
      ends.push(...(await Promise.all([endOf(round), endOf(round + 1)])));
    }
    expect(ends.map(({ end }) => end)).toEqual(new Array(STOPS).fill('it exited with code 0'));
    // What the daemon has for its own end.
    expect(Math.max(...ends.map(({ tookMs }) => tookMs))).toBeLessThan(5000);
    await waitFor('no process is left', () => childProcesses().length === 0, 5000);
  });

  real('does not outlive the daemon', async () => {
    const compiled = (path: string): string => pathToFileURL(`dist/${path}`).href;
    const spec = {
      detector: detectorSpec(preparedDir),
      cameras: [clipCamera('walk', clipPath(CLIP), { loop: true })],
      ffmpegPath: 'ffmpeg',
    };
    const daemon = spawn(process.execPath, ['--input-type=module', '-e', DAEMON], {
      env: {
        ...process.env,
        HANDLE: compiled('vision/handle.js'),
        CLOCK: compiled('system/clock.js'),
        LOGGER: compiled('system/logger.js'),
        SPEC: JSON.stringify(spec),
      },
      stdio: 'ignore',
    });
    const family = await waitFor('its processes', () => {
      const all = childProcesses().filter(({ pid }) => pid !== daemon.pid);
      return all.some(({ commandLine }) => commandLine.includes('-filter_complex')) && all;
    });
    daemon.kill('SIGKILL');
    await waitFor(
      'none is left',
      () => family.every(({ pid }) => !existsSync(`/proc/${pid}`)),
      5000,
    );
  });
});
