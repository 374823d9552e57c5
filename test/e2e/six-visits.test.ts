import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { EdgeStatus } from '../../src/api/edge-status.ts';
import { assets, clipPath, testWithAssets } from '../support/assets.ts';
import { Site } from '../support/site.ts';

/**
 * The main job on real footage, in real time: a clip with six visits by one person each arrives over RTSP, and
 * exactly six person events arrive at the hub, each where the reference says. Three sites run side by side:
 * nothing broken, the camera server killed between visits, the hub killed for 20 s in the middle.
 */
const CLIP = 'one-by-one-person-detection.mp4';
const CLIP_S = 139;
const TOLERANCE_S = 1;
/** For all three sites to be up before anything happens in the clip. */
const LEAD_MS = 20_000;

const run = testWithAssets({ models: 'yolov8n.onnx', media: CLIP });

interface Visit {
  enter_s: number;
  leave_s: number;
}

function referenceVisits(): Visit[] {
  const expected = JSON.parse(readFileSync(clipPath('expected.json'), 'utf8')) as {
    timeline: { clip: string; visits: Visit[] }[];
  };
  return expected.timeline.find(({ clip }) => clip === CLIP)?.visits ?? [];
}

async function expectSixVisits(site: Site): Promise<void> {
  const messages = await site.objectEventsAtHub('camera');
  const ended = messages.filter(({ phase }) => phase === 'end');
  const visits = ended.map(({ start_time, end_time }) => ({
    enter_s: (start_time - site.clipStartMs) / 1000,
    leave_s: ((end_time ?? Number.NaN) - site.clipStartMs) / 1000,
  }));
  const reference = referenceVisits();
  const told = `events at ${JSON.stringify(visits)}`;
  expect(visits.length, told).toBe(reference.length);
  for (const [index, { enter_s, leave_s }] of reference.entries()) {
    expect(Math.abs(visits[index]!.enter_s - enter_s), told).toBeLessThanOrEqual(TOLERANCE_S);
    expect(Math.abs(visits[index]!.leave_s - leave_s), told).toBeLessThanOrEqual(TOLERANCE_S);
  }
  expect(ended.every(({ label }) => label === 'person')).toBe(true);
  // Exactly one beginning and one end for each, and no event that is not among the six.
  const ids = new Set(ended.map(({ event_id }) => event_id));
  expect(ids.size).toBe(reference.length);
  expect(messages.every(({ event_id }) => ids.has(event_id))).toBe(true);
  expect(messages.filter(({ phase }) => phase === 'new').length).toBe(reference.length);
}

describe('one pass of one-by-one over RTSP', () => {
  const sites: Site[] = [];

  async function startSite(name: string): Promise<Site> {
    const site = await Site.start(
      name,
      { camera: clipPath(CLIP) },
      {
        fps: 5,
        leadMs: LEAD_MS,
      },
    );
    sites.push(site);
    return site;
  }

  let undisturbed: Site;
  let cameraKilled: Site;
  let hubKilled: Site;

  beforeAll(async () => {
    if (assets().media === null || assets().models === null) return;
    [undisturbed, cameraKilled, hubKilled] = await Promise.all([
      startSite('undisturbed'),
      startSite('camera-killed'),
      startSite('hub-killed'),
    ]);
    for (const { clipStartMs } of sites) expect(Date.now()).toBeLessThan(clipStartMs);
    const plan: [Site, number, (site: Site) => Promise<unknown>][] = [
      [cameraKilled, 46.2, (site) => site.stopCameras()],
      [cameraKilled, 46.9, (site) => site.restartCameras()],
      [cameraKilled, 88.2, (site) => site.stopCameras()],
      [cameraKilled, 88.9, (site) => site.restartCameras()],
      [hubKilled, 60, (site) => site.killHub()],
      [hubKilled, 80, (site) => site.restartHub()],
    ];
    await Promise.all(plan.map(([site, second, act]) => site.at(second, () => act(site))));
    await Promise.all(sites.map((site) => site.at(CLIP_S + 1, () => site.drained())));
  }, 240_000);

  afterAll(async () => {
    await Promise.all(sites.map((site) => site.stop()));
  });

  run('gives exactly six person events at the hub', async () => {
    await expectSixVisits(undisturbed);
  });

  run('gives the same six when the camera server dies and returns between visits', async () => {
    await expectSixVisits(cameraKilled);
    const status = (await cameraKilled.status()) as EdgeStatus;
    expect(status.cameras[0]?.reconnects).toBeGreaterThanOrEqual(2);
  });

  run(
    'gives the same six when the hub is killed for 20 s, nothing lost and nothing twice',
    async () => {
      await expectSixVisits(hubKilled);
      const results = await hubKilled.messagesAtHub();
      const during = results.filter(({ timestamp }) => {
        const second = (timestamp - hubKilled.clipStartMs) / 1000;
        return second > 61 && second < 79;
      });
      expect(during.length, 'messages made while the hub was dead').toBeGreaterThan(10);
      const ids = results.map(({ event_id }) => event_id);
      expect(new Set(ids).size).toBe(ids.length);
    },
  );
});
