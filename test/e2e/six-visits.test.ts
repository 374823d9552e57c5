import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { EdgeStatus } from '../../src/api/edge-status.ts';
import { dayOfEvent } from '../../src/events/event-id.ts';
import type { AlertThumbnail, AlertTriggered, ObjectEvent } from '../../src/protocol/payloads.ts';
import { assets, clipPath, testWithAssets } from '../support/assets.ts';
import { waitFor } from '../support/program.ts';
import { Site } from '../support/site.ts';
import { probeVideo } from '../support/video.ts';

/**
 * The main job on real footage, in real time: a clip with six visits by one person each arrives over RTSP, and
 * exactly six person events arrive at the hub, each where the reference says. Two sites run side by side, as two
 * cores can analyse every frame of: the camera server killed between visits, the hub killed for 20 s in the middle.
 */
const CLIP = 'one-by-one-person-detection.mp4';
const CLIP_S = 139;
const TOLERANCE_S = 1;
/** For both sites to be up before anything happens in the clip. */
const LEAD_MS = 20_000;

const run = testWithAssets({ models: 'yolov8n.onnx', media: CLIP });

/** Everybody walks up into the picture over the threshold, and leaves it to the right. */
const PLACES = {
  lines: {
    threshold: { coordinates: '0,0.945,1,0.945' },
    exit: { coordinates: '0.75,0,0.75,1' },
  },
  zones: { room: { coordinates: '0.35,0.6,1,0.6,1,1,0.35,1' } },
};
const LOITERING_S = 15;
const RULES = {
  loitering: { zones: ['room'], duration_s: LOITERING_S, cooldown_s: 0, severity: 'high' },
  entries: { lines: ['threshold'], direction: 'left', cooldown_s: 0 },
  exits: { lines: ['exit'], direction: 'left', cooldown_s: 0 },
};

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

/** Whether the machine was too slow for the footage: a split visit then says nothing about the tracking. */
async function framesOf(site: Site) {
  const { cameras } = (await site.status()) as EdgeStatus;
  return cameras.map(({ frames_received, frames_analysed, frames_dropped }) => ({
    ...{ frames_received, frames_analysed, frames_dropped },
  }));
}

async function expectSixVisits(site: Site): Promise<void> {
  const messages = await site.objectEventsAtHub('camera');
  const ended = messages.filter(({ phase }) => phase === 'end');
  const visits = ended.map(({ start_time, end_time }) => ({
    enter_s: (start_time - site.clipStartMs) / 1000,
    leave_s: ((end_time ?? Number.NaN) - site.clipStartMs) / 1000,
  }));
  const reference = referenceVisits();
  const told = `events at ${JSON.stringify(visits)}, frames ${JSON.stringify(await framesOf(site))}`;
  expect(visits.length, told).toBe(reference.length);
  for (const [index, { enter_s, leave_s }] of reference.entries()) {
    expect(Math.abs(visits[index]!.enter_s - enter_s), told).toBeLessThanOrEqual(TOLERANCE_S);
    expect(Math.abs(visits[index]!.leave_s - leave_s), told).toBeLessThanOrEqual(TOLERANCE_S);
  }
  expect(ended.every(({ label }) => label === 'person')).toBe(true);
  expect(ended.map(({ entered_zones }) => entered_zones)).toEqual(ended.map(() => ['room']));
  // Exactly one beginning and one end for each, and no event that is not among the six.
  const ids = new Set(ended.map(({ event_id }) => event_id));
  expect(ids.size).toBe(reference.length);
  expect(messages.every(({ event_id }) => ids.has(event_id))).toBe(true);
  expect(messages.filter(({ phase }) => phase === 'new').length).toBe(reference.length);
}

async function expectAlerts(site: Site): Promise<void> {
  const messages = await site.messagesAtHub();
  const alerts = messages
    .filter(({ type }) => type === 'alert_triggered')
    .map(({ data }) => data as AlertTriggered);
  const told = JSON.stringify(alerts);
  const of = (rule: string) => alerts.filter(({ data }) => data.rule === rule);
  const second = ({ timestamp }: AlertTriggered) => (timestamp - site.clipStartMs) / 1000;
  const long = referenceVisits().filter(({ enter_s, leave_s }) => leave_s - enter_s > LOITERING_S);
  expect([of('loitering').length, of('entries').length, of('exits').length], told).toEqual([
    3, 6, 6,
  ]);
  for (const [index, { enter_s }] of long.entries())
    expect(Math.abs(second(of('loitering')[index]!) - enter_s - LOITERING_S), told).toBeLessThan(2);
  for (const [index, { leave_s }] of referenceVisits().entries())
    expect(Math.abs(second(of('exits')[index]!) - leave_s), told).toBeLessThan(2);
  expect(of('loitering')[0]).toMatchObject({
    type: 'loitering_detected',
    severity: 'high',
    data: { why: 'person in room for 15 s', zone: 'room', label: 'person' },
  });
  // Each names the event that it is about, and the hub has it.
  const events = new Set(
    messages
      .filter(({ type }) => type === 'object_event')
      .map(({ data }) => (data as ObjectEvent).event_id),
  );
  expect(alerts.filter(({ data }) => !events.has(String(data.event_id)))).toEqual([]);
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
        camera: PLACES,
        rules: RULES,
      },
    );
    sites.push(site);
    return site;
  }

  let cameraKilled: Site;
  let hubKilled: Site;

  beforeAll(async () => {
    if (assets().media === null || assets().models === null) return;
    [cameraKilled, hubKilled] = await Promise.all([
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

  run('keeps a clip of each alert, and gives it to the hub when asked', async () => {
    const messages = await hubKilled.messagesAtHub();
    const alerts = messages.filter(({ type }) => type === 'alert_triggered');
    expect(alerts.length).toBe(15);
    for (const { data } of alerts) {
      const { alert_id = '', has_clip } = data as AlertTriggered;
      expect(has_clip).toBe(true);
      const day = dayOfEvent(alert_id) ?? '';
      const clip = await waitFor(`the clip of ${alert_id}`, () => {
        const path = join(hubKilled.folder, 'edge/clips/camera', day, `${alert_id}.mp4`);
        return existsSync(path) ? path : undefined;
      });
      const { codec, seconds } = probeVideo(clip);
      const fetched = await hubKilled.evidenceFromHub('camera', 'clip', alert_id);
      expect(fetched.equals(readFileSync(clip))).toBe(true);
      expect(codec).toBe('h264');
      expect(seconds).toBeGreaterThan(8);
    }
  });

  run('keeps events and alerts for looking back', async () => {
    const { journal } = (await hubKilled.status()) as EdgeStatus;
    expect(journal).toMatchObject({ events: 6, alerts: 15, open_alerts: 15, fault: null });
    expect(journal).toMatchObject({ waiting: 0, lost_events: 0, lost_alerts: 0 });
  });

  run('has a thumbnail of each alert at the hub, also of when it was dead', async () => {
    const messages = await hubKilled.messagesAtHub();
    const thumbnails = messages
      .filter(({ type }) => type === 'alert_thumbnail')
      .map(({ data }) => data as AlertThumbnail);
    const alerts = messages.filter(({ type }) => type === 'alert_triggered');
    const ids = alerts.map(({ data }) => (data as AlertTriggered).alert_id);
    expect(thumbnails.map(({ alert_id: id }) => id).sort()).toEqual(ids.sort());
    for (const { alert_id: id, jpeg, width, height } of thumbnails) {
      const path = join('edge/thumbnails/camera', dayOfEvent(id) ?? '', `${id}.jpg`);
      expect(jpeg).toBe(readFileSync(join(hubKilled.folder, path), 'base64'));
      const image = await sharp(Buffer.from(jpeg, 'base64')).metadata();
      expect(image).toMatchObject({ format: 'jpeg', width, height });
    }
  });

  run(
    'gives exactly six events when the camera server dies and returns between visits',
    async () => {
      await expectSixVisits(cameraKilled);
      const status = (await cameraKilled.status()) as EdgeStatus;
      expect(status.cameras[0]?.reconnects).toBeGreaterThanOrEqual(2);
    },
  );

  run(
    'gives exactly six events and their alerts when the hub is killed for 20 s, nothing lost and nothing twice',
    async () => {
      await expectSixVisits(hubKilled);
      await expectAlerts(hubKilled);
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
