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
    void this.#child.start({
      kind: 'start',
      detector: detectorSpec(preparedDir),
      cameras: [clipCamera('walk', clipPath(CLIP), { loop: true })],
      ffmpegPath: 'ffmpeg',
      hints: [],
      excluded: [],
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  stop(): void {
    this.#child.stop();
  }
}

describe('the vision process', () => {
  real(
    'ends well every time that it is asked to, in the middle of inference',
    async () => {
      const ends: (string | null)[] = [];
      let slowest = 0;
      for (let round = 0; round < STOPS; round++) {
        const vision = new Process();
        // At a different place of its work each time, also before the first result.
        await waitFor('work', () => vision.isUp && vision.results >= (round % 5) * 2);
        const asked = performance.now();
        if (round % 2 === 0) vision.stop();
        else process.kill(vision.pid, 'SIGTERM');
        await waitFor('the end', () => vision.ended !== null, 5000);
        slowest = Math.max(slowest, performance.now() - asked);
        ends.push(vision.ended);
      }
      expect(ends).toEqual(new Array(STOPS).fill('it exited with code 0'));
      expect(slowest).toBeLessThan(2000);
      await waitFor('no process is left', () => childProcesses().length === 0, 5000);
    },
    60_000,
  );
});
