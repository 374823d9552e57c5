import { createHash } from 'node:crypto';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { Hub } from '../../src/hub/hub.ts';
import { USUAL_SCOPES } from '../../src/protocol/scopes.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLogger } from '../../src/system/logger.ts';
import { ApiBox, SECRETS, tokenOf, type VisitorName } from '../support/api-box.ts';
import { clipPath, modelPath, testWithAssets } from '../support/assets.ts';
import { pulledModel } from '../support/face-models.ts';
import { pictureParts } from '../support/picture-parts.ts';
import { freePort, temporaryFolder, waitFor } from '../support/program.ts';
import { launchBrowser } from './browser.ts';

const test = testWithAssets(
  { models: 'yolov8n.onnx' },
  { models: 'face_detection_yunet_2026may.onnx' },
  { media: 'one-by-one-person-detection.mp4' },
  { media: 'hamilton.mp4' },
);
const AXE = axe.source;
const LOOKS = {
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 860 } },
  light: { colorScheme: 'light', viewport: { width: 1280, height: 860 } },
  phone: { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
} as const;

let browser: Browser;
let box: ApiBox;
let hub: Hub | null = null;
let hubPort = 0;
const hubDir = temporaryFolder('console-hub');
let page: Page;
let errors: string[] = [];

async function startHub(): Promise<void> {
  const sha256 = createHash('sha256').update(SECRETS.uplink).digest('hex');
  hub = await Hub.start({
    ...{ host: '127.0.0.1', port: hubPort, dataDir: hubDir, clock: systemClock },
    tokens: [{ name: 'box', type: 'ai_engine', sha256, scopes: USUAL_SCOPES }],
    log: silentLogger,
    random: Math.random,
  });
}

async function stopHub(): Promise<void> {
  await hub?.stop();
  hub = null;
}

beforeAll(async () => {
  hubPort = await freePort();
  await startHub();
  const camera = (file: string, more: object = {}) => ({
    ...{ path: clipPath(file), loop: true, detect: { fps: 4 } },
    ...more,
  });
  box = new ApiBox('console', {
    uplink: { url: `ws://127.0.0.1:${hubPort}/`, token: SECRETS.uplink },
    faces: {
      detector: modelPath('face_detection_yunet_2026may.onnx'),
      embedding: await pulledModel('face-embedding'),
    },
    cameras: {
      hall: camera('one-by-one-person-detection.mp4'),
      stage: camera('hamilton.mp4', { faces: { enabled: true } }),
    },
    rules: { person_seen: { severity: 'high', cooldown_s: 5 } },
    evidence: { clips: { pre_s: 1, post_s: 1 } },
  });
  await box.start();
  await box.streaming();
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await box?.stop();
  await stopHub();
});

beforeEach(async () => {
  page = await open('dark');
});

afterEach(async () => {
  await page.close();
  expect(errors).toEqual([]);
});

async function open(look: keyof typeof LOOKS): Promise<Page> {
  errors = [];
  const opened = await browser.newPage(LOOKS[look]);
  opened.setDefaultTimeout(30_000);
  opened.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(box.url('/')))
      errors.push(`asked for ${request.url()}`);
  });
  opened.on('pageerror', (error) => errors.push(error.message));
  opened.on('console', (message) => {
    // Files that are not kept (a face of somebody who turned away) are looked for all the same, and so is a box that is away.
    const isMissing = /Failed to load resource|^WebSocket connection/.test(message.text());
    if (message.type() === 'error' && !isMissing) errors.push(message.text());
  });
  return opened;
}

async function logIn(as: VisitorName, path = '/', on = page): Promise<void> {
  await on.goto(box.url('/'));
  await on.getByLabel('Token').fill(tokenOf(as));
  await on.getByRole('button', { name: 'Log in' }).click();
  await on.getByRole('navigation', { name: 'Pages' }).waitFor();
  if (path !== '/') await on.goto(box.url(path));
}

interface Drawn {
  frameId: number;
  width: number;
  boxes: { x: number; y: number; width: number; height: number; label: string; name?: string }[];
}

/** What a canvas shows now. */
async function drawnOf(camera: string): Promise<Drawn> {
  return page.getByLabel(`Live picture of ${camera}`).evaluate((element) => {
    const canvas = element as unknown as { dataset: Record<string, string>; width: number };
    const { frameId, boxes = '[]' } = canvas.dataset;
    return { frameId: Number(frameId), width: canvas.width, boxes: JSON.parse(boxes) };
  });
}

describe('logging in', () => {
  test('a wrong token is told, the right one opens the console, logging out closes it', async () => {
    await page.goto(box.url('/events'));
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('not known').waitFor();
    await page.getByLabel('Token').fill(tokenOf('viewer'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Events' }).waitFor();
    await page.getByText('live', { exact: false }).first().waitFor();
    await page.getByRole('button', { name: /Log out/ }).click();
    await page.getByLabel('Token').waitFor();
  });

  test('a viewer is offered nothing that they may not do', async () => {
    await logIn('viewer');
    const names = await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link')
      .allTextContents();
    expect(names).toEqual(['Live', 'Events', 'Alerts', 'System']);
    await page.goto(box.url('/events'));
    await page.getByRole('list', { name: 'Events' }).waitFor();
    expect(await page.getByRole('checkbox').count()).toBe(0);
  });
});

describe('live', () => {
  test('each box lies over the very frame that it was found in, and they move', async () => {
    await logIn('viewer');
    const response = await box.fetch('viewer', '/api/cameras/stage/live.mjpeg?max_width=640');
    const seen = new Map<number, readonly { box: { x: number; width: number } }[]>();
    let compared = 0;
    const frames = new Set<number>();
    for await (const { frameId, objects } of pictureParts(response)) {
      seen.set(frameId, objects);
      const drawn = await drawnOf('stage');
      const own = seen.get(drawn.frameId);
      if (own === undefined || frames.has(drawn.frameId)) continue;
      frames.add(drawn.frameId);
      expect(drawn.boxes).toHaveLength(own.length);
      for (const [index, { box: there }] of own.entries()) {
        expect(drawn.boxes[index]?.x).toBeCloseTo(there.x * drawn.width, 3);
        compared++;
      }
      if (frames.size >= 6 && compared > 0) break;
    }
    expect(frames.size).toBeGreaterThanOrEqual(6);
  });

  test('a camera by itself, which operators stop and start', async () => {
    await logIn('operator');
    await page.getByRole('link', { name: 'hall' }).click();
    await page.getByRole('heading', { name: 'hall' }).waitFor();
    await page.getByText('software').first().waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Start' }).waitFor();
    await page.getByText(/Picture is .* old|No picture yet/).waitFor();
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await waitFor('pictures again', async () => (await page.getByText('Picture is').count()) === 0);
  });
});

test('events are reviewed by keyboard alone, and found by filters', async () => {
  await waitFor('events of both cameras', async () => {
    const count = async (camera: string) =>
      ((await box.json('viewer', `/api/events?cameras=${camera}`)) as { events: object[] }).events
        .length;
    return (await count('hall')) > 0 && (await count('stage')) > 0;
  });
  await logIn('operator', '/events');
  await page.getByRole('list', { name: 'Events' }).waitFor();
  await page.keyboard.press('j');
  const detail = page.getByRole('region', { name: 'Event' });
  await detail.waitFor();
  const id = decodeURIComponent(new URL(page.url()).pathname.split('/').pop() ?? '');
  await page.keyboard.press('r');
  await detail.getByText('operator').waitFor();
  expect(await box.json('viewer', `/api/events/${id}`)).toMatchObject({ reviewed_by: 'operator' });
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('f');
  await detail.getByRole('button', { name: 'right after all' }).waitFor();
  await page.getByRole('list', { name: 'By day' }).getByRole('button').last().click();
  await page.getByRole('list', { name: 'By hour' }).waitFor();
  expect(new URL(page.url()).search).toContain('after=');
  await page.getByLabel('Camera').selectOption('stage');
  await waitFor('only the stage', async () => {
    const rows = await page
      .getByRole('list', { name: 'Events' })
      .getByRole('button')
      .allTextContents();
    return rows.length > 0 && rows.every((text) => text.includes('stage'));
  });
  expect(new URL(page.url()).search).toContain('cameras=stage');
});

test('an alert comes in by itself, is acknowledged and noted', async () => {
  await logIn('operator', '/alerts');
  const card = page.getByRole('list', { name: 'Alerts' }).getByRole('listitem').first();
  await card.waitFor();
  await page
    .getByRole('region', { name: 'New alerts' })
    .getByRole('link')
    .first()
    .waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Put away' }).first().click();
  await page.getByLabel('Acknowledged').selectOption('false');
  await card.getByLabel('Note').fill('the cleaner');
  await card.getByRole('button', { name: 'Add' }).click();
  await page.getByText('the cleaner').waitFor();
  await page
    .getByRole('listitem')
    .filter({ hasText: 'the cleaner' })
    .getByRole('button', { name: 'Acknowledge' })
    .click();
  await waitFor('it is acknowledged', async () => {
    const { alerts } = (await box.json('viewer', '/api/alerts?acknowledged=true')) as {
      alerts: { acknowledged_by: string; notes: { text: string }[] }[];
    };
    return alerts.some(
      ({ acknowledged_by: by, notes }) => by === 'operator' && notes[0]?.text === 'the cleaner',
    );
  });
});

test('a zone is drawn by keyboard, saved, and acts', async () => {
  await logIn('admin', '/zones');
  await page.getByLabel('Camera').selectOption('hall');
  await page.getByRole('button', { name: 'Zone', exact: true }).click();
  await page.getByLabel('Name').fill('by_keyboard');
  const corner = page.getByRole('button', { name: /Point 1 of by_keyboard/ });
  await corner.focus();
  for (let count = 0; count < 40; count++) await page.keyboard.press('ArrowLeft');
  expect(await corner.getAttribute('aria-label')).toContain('0%, 35%');
  for (const [point, key] of [
    [2, 'ArrowRight'],
    [3, 'ArrowRight'],
    [3, 'ArrowDown'],
    [4, 'ArrowDown'],
    [4, 'ArrowLeft'],
  ] as const) {
    await page.getByRole('button', { name: new RegExp(`Point ${point} of by_keyboard`) }).focus();
    for (let count = 0; count < 40; count++) await page.keyboard.press(key);
  }
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Redo' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved, and in force now').waitFor();
  await waitFor(
    'somebody in the zone',
    async () => {
      const { events } = (await box.json('viewer', '/api/events?zones=by_keyboard')) as {
        events: object[];
      };
      return events.length > 0;
    },
    60_000,
  );
});

test('a rule is changed in its form, a mistake is told at its field', async () => {
  await logIn('admin', '/rules');
  await page.getByText('person_seen', { exact: true }).click();
  await page.getByLabel('For at least, s').fill('a while');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Nothing was saved').waitFor();
  expect(await page.getByLabel('For at least, s').getAttribute('aria-invalid')).toBe('true');
  await page.getByLabel('For at least, s').fill('');
  await page.getByLabel('Severity').selectOption('critical');
  await page.getByLabel('Hours').fill('mon tue wed thu fri sat sun 00:00-24:00');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved, and in force now').waitFor();
  expect(await box.json('admin', '/api/rules')).toMatchObject({
    rules: { person_seen: { severity: 'critical', schedule: [{ from: '00:00', to: '24:00' }] } },
  });
});

test('a face is enrolled from a picture of any form, named on the stage, and forgotten', async () => {
  await logIn('admin', '/people');
  await page.getByRole('button', { name: 'Add a person' }).click();
  await page.getByLabel('Name').fill('Lin-Manuel');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Without a face nobody is recognised').waitFor();
  await page
    .getByLabel('Face from a picture')
    .setInputFiles(clipPath('portraits/lin-manuel-miranda.png'));
  await page.getByRole('list', { name: 'Faces', exact: true }).getByRole('listitem').waitFor();
  await page.goto(box.url('/'));
  await waitFor(
    'the name over the picture',
    async () => (await drawnOf('stage')).boxes.some(({ name }) => name === 'Lin-Manuel'),
    90_000,
  );
  await page.goto(box.url('/people'));
  await page.getByRole('button', { name: /Lin-Manuel/ }).click();
  await page.getByRole('button', { name: 'Forget…' }).click();
  const forget = page.getByRole('button', { name: 'Forget for ever' });
  expect(await forget.isDisabled()).toBe(true);
  await page.getByLabel('Type the name').fill('Lin-Manuel');
  await forget.click();
  await page.getByText('Nobody yet').waitFor();
}, 180_000);

test('without the hub the queue grows and says so, and empties when it is back', async () => {
  await logIn('viewer', '/system');
  const hubCard = page.locator('section', { has: page.getByRole('heading', { name: 'Hub' }) });
  await hubCard.getByText('authenticated').waitFor();
  const waiting = async (): Promise<number> =>
    Number(/(\d+) messages/.exec((await hubCard.textContent()) ?? '')?.[1]);
  await stopHub();
  await hubCard.getByText(/disconnected|connecting/).waitFor();
  await waitFor('messages wait', async () => (await waiting()) > 10);
  await startHub();
  await hubCard.getByText('authenticated').waitFor();
  // Of those that come in all the time a few are always on their way.
  await waitFor('nothing but the newest waits', async () => (await waiting()) < 5);
});

test('a box that starts anew is missed, and found again without logging in', async () => {
  await logIn('viewer');
  const { port } = new URL(box.url('/'));
  await box.stop();
  await page
    .getByText(/reconnecting|not connected/)
    .first()
    .waitFor();
  await box.start(Number(port));
  await page.getByRole('status').getByText('live').waitFor();
  await waitFor(
    'pictures again',
    async () => (await page.getByText(/Picture is|No picture/).count()) === 0,
    60_000,
  );
}, 120_000);

describe('everybody can use it', () => {
  const PAGES = ['/', '/live/hall', '/events', '/alerts', '/people', '/zones', '/rules', '/system'];

  for (const look of Object.keys(LOOKS) as (keyof typeof LOOKS)[])
    test(`no serious obstacle (${look})`, async () => {
      const visitor = await open(look);
      await visitor.goto(box.url('/'));
      await visitor.getByLabel('Token').waitFor();
      const found = [...(await obstacles(visitor)).map((each) => `login: ${each}`)];
      await logIn('admin', '/', visitor);
      for (const path of PAGES) {
        await visitor.goto(box.url(path));
        await visitor.getByRole('heading', { level: 1 }).waitFor();
        await visitor.waitForLoadState('domcontentloaded');
        found.push(...(await obstacles(visitor)).map((each) => `${path}: ${each}`));
      }
      await visitor.close();
      expect(found).toEqual([]);
    }, 120_000);

  async function obstacles(visitor: Page): Promise<string[]> {
    // Past the policy of the page, which lets in no script of others.
    await visitor.evaluate(AXE);
    const { violations } = (await visitor.evaluate('axe.run()')) as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 120)}`);
  }
});

test('the first page is light', async () => {
  let bytes = 0;
  page.on('response', (response) => {
    if (response.request().resourceType() !== 'fetch')
      void response
        .request()
        .sizes()
        .then(({ responseBodySize }) => {
          bytes += responseBodySize;
        });
  });
  await logIn('viewer');
  await page.getByRole('article', { name: 'hall' }).waitFor();
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThanOrEqual(200_000);
});
