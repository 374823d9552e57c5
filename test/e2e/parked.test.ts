import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import type { AlertTriggered } from '../../src/protocol/payloads.ts';
import { clipPath, testWithAssets } from '../support/assets.ts';
import { waitFor } from '../support/program.ts';
import { Site } from '../support/site.ts';

const CLIP = 'one-by-one-person-detection.mp4';
/** Somebody stands in the middle of the picture. */
const SECOND = 30;
const RULES = { anybody: { labels: ['person'], duration_s: 2, cooldown_s: 1 } };

const run = testWithAssets({ models: 'yolov8n.onnx', media: CLIP });

let site: Site | undefined;
const folder = mkdtempSync(join(tmpdir(), 'apex-parked-'));

afterEach(async () => {
  await site?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A picture that does not change, as a camera sends it. */
function still(): string {
  const path = join(folder, 'still.mp4');
  const input = ['-ss', String(SECOND), '-i', clipPath(CLIP), '-frames:v', '1', '-f', 'image2pipe'];
  const picture = execFileSync('ffmpeg', ['-v', 'error', ...input, '-c:v', 'png', '-']);
  const coded = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '10', '-bf', '0'];
  const shown = ['-loop', '1', '-framerate', '10', '-i', '-', '-t', '8'];
  execFileSync('ffmpeg', ['-v', 'error', ...shown, ...coded, path], { input: picture });
  return path;
}

run('what stands where it stood does not alert again after kill -9', async () => {
  site = await Site.start('parked', { camera: still() }, { loop: true, rules: RULES });
  const alertsOf = async (here: Site) =>
    (await here.messagesAtHub())
      .filter(({ type }) => type === 'alert_triggered')
      .map(({ data }) => data as AlertTriggered);
  const standing = site;
  const seen = (frames: number) =>
    waitFor('frames', async () => {
      const [camera] = (await standing.status())?.cameras ?? [];
      return (camera?.frames_analysed ?? 0) >= frames && camera?.objects.person === 1;
    });
  await waitFor('the alert', async () => (await standing.status())?.cameras[0]?.alerts === 1);
  // Past its cooldown it is told once, and no more.
  await seen(40);
  expect(await alertsOf(site)).toHaveLength(1);
  await site.edge.end('SIGKILL');
  await site.restartEdge();
  // Longer than duration and cooldown together.
  await seen(40);
  expect((await site.status())?.cameras[0]?.alerts).toBe(0);
  const [alert, ...others] = await alertsOf(site);
  expect(others).toEqual([]);
  expect(alert).toMatchObject({ data: { rule: 'anybody', label: 'person' } });
});
