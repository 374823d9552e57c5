import { afterAll, beforeAll, describe, expect } from 'vitest';
import { treeProcesses, treeUsage } from '../../scripts/bench/process-tree.mjs';
import type { EdgeStatus } from '../../src/api/edge-status.ts';
import { assets, clipPath, testWithAssets } from '../support/assets.ts';
import { Site } from '../support/site.ts';

/** Four cameras at once; `npm run test:soak` is the ten-minute form of the same test. */
const SECONDS = Number(process.env.APEX_SOAK_SECONDS ?? 40);
const CLIPS = {
  entrance: 'one-by-one-person-detection.mp4',
  walkway: 'people-walking.mp4',
  'car-park': 'car-detection.mp4',
  street: 'street.mp4',
};

const run = testWithAssets(
  { models: 'yolov8n.onnx' },
  ...Object.values(CLIPS).map((media) => ({ media })),
);

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe(`four RTSP cameras for ${SECONDS} s`, () => {
  let site: Site;
  let first: EdgeStatus;
  let last: EdgeStatus;
  const rssMb: number[] = [];
  let processesAtEnd: { name: string; state: string }[] = [];

  beforeAll(
    async () => {
      if (assets().media === null || assets().models === null) return;
      const clips = Object.fromEntries(
        Object.entries(CLIPS).map(([id, file]) => [id, clipPath(file)]),
      );
      site = await Site.start('four-cameras', clips, { fps: 5, loop: true });
      const begin = (Date.now() - site.clipStartMs) / 1000 + 5;
      await site.at(begin, async () => {
        first = (await site.status())!;
      });
      for (let second = 1; second <= SECONDS; second++) {
        await site.at(begin + second, async () => {
          rssMb.push(treeUsage(site.edge.pid).rssMb);
        });
      }
      last = (await site.status())!;
      processesAtEnd = treeProcesses(site.edge.pid);
    },
    (SECONDS + 90) * 1000,
  );

  afterAll(async () => {
    await site?.stop();
  });

  run('analyses all four fairly', () => {
    const fps = last.cameras.map((camera, index) => {
      const before = first.cameras[index]!;
      return (camera.frames_analysed - before.frames_analysed) / (last.uptime_s - first.uptime_s);
    });
    console.log(`analysed frames/s: ${fps.map((value) => value.toFixed(2)).join(', ')}`);
    expect(fps.length).toBe(4);
    expect(Math.min(...fps)).toBeGreaterThan(0);
    expect(Math.min(...fps) / Math.max(...fps)).toBeGreaterThanOrEqual(0.8);
  });

  run('does not grow', () => {
    const third = Math.floor(rssMb.length / 3);
    const middle = mean(rssMb.slice(third, 2 * third));
    const end = mean(rssMb.slice(2 * third));
    console.log(
      `resident memory of all processes: ${middle.toFixed(0)} MB, then ${end.toFixed(0)} MB`,
    );
    expect(end / middle).toBeLessThanOrEqual(1.05);
  });

  run('leaves no zombie and runs one ffmpeg for each camera', () => {
    expect(processesAtEnd.filter(({ state }) => state === 'Z')).toEqual([]);
    expect(processesAtEnd.filter(({ name }) => name === 'ffmpeg').length).toBe(4);
    expect(last.cameras.map(({ state }) => state)).toEqual(Array(4).fill('streaming'));
    expect(last.cameras.map(({ reconnects }) => reconnects)).toEqual([0, 0, 0, 0]);
  });
});
