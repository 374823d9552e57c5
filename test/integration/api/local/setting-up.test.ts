import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { parse } from 'yaml';
import { ApiBox, SECRETS } from '../../../support/api-box.ts';
import { clipPath, testWithAssets } from '../../../support/assets.ts';
import { waitFor } from '../../../support/program.ts';

const test = testWithAssets(
  { models: 'yolov8n.onnx' },
  { media: 'one-by-one-person-detection.mp4' },
  { media: 'people-walking.mp4' },
);
const box = new ApiBox('api-setting-up');
const WHOLE = '0,0,1,0,1,1,0,1';
const NO_PLACES = { zones: {}, lines: {}, masks: {}, privacy_masks: {} };

beforeAll(async () => {
  await box.start();
  await box.streaming();
}, 60_000);
afterAll(() => box.stop());

const text = (): string => readFileSync(box.configPath, 'utf8');

interface Alerts {
  alerts: { type: string; event_id: string; alert: { data: { rule: string; why: string } } }[];
}

function put(path: string, body: object, as: 'admin' | 'operator' = 'admin'): Promise<Response> {
  return box.fetch(as, path, { method: 'PUT', body });
}

async function camera(
  id: string,
): Promise<{ reconnects: number; events_started: number; frames_analysed: number; zones: object }> {
  return (await box.json('viewer', `/api/cameras/${id}`)) as never;
}

describe('zones and rules', () => {
  test('act at once, and no camera is dropped for it', async () => {
    const inView = (await waitFor('somebody in the yard', async () => {
      const { events } = (await box.json('viewer', '/api/events?cameras=yard')) as {
        events: { event_id: string; end_ms: number | null }[];
      };
      const open = events.filter(({ end_ms: end }) => end === null);
      return open.length > 0 && open;
    })) as { event_id: string }[];
    const before = { hall: await camera('hall'), yard: await camera('yard') };
    expect(
      (
        await put('/api/cameras/yard/zones', {
          ...NO_PLACES,
          zones: { ground: { coordinates: WHOLE } },
        })
      ).status,
    ).toBe(200);
    expect(
      (await put('/api/rules', { rules: { on_ground: { zones: ['ground'], severity: 'high' } } }))
        .status,
    ).toBe(200);
    // Somebody who was there before the zone was.
    const alert = await waitFor('an alert', async () => {
      const { alerts } = (await box.json('viewer', '/api/alerts?cameras=yard')) as Alerts;
      return alerts.find(({ alert }) => alert.data.rule === 'on_ground');
    });
    expect(inView.map(({ event_id: id }) => id)).toContain(alert.event_id);
    expect(alert.alert.data.why).toContain('ground');
    const after = { hall: await camera('hall'), yard: await camera('yard') };
    expect(after.yard.zones).toHaveProperty('ground');
    for (const id of ['hall', 'yard'] as const) {
      expect(after[id].reconnects).toBe(before[id].reconnects);
      expect(after[id].frames_analysed).toBeGreaterThanOrEqual(before[id].frames_analysed);
    }
    expect(text()).toMatch(/^# of this box\n/);
    expect(parse(text()).rules).toEqual({ on_ground: { zones: ['ground'], severity: 'high' } });
  });

  test('a mistake is named with its place, and changes nothing', async () => {
    const before = text();
    const answer = await put('/api/rules', { rules: { odd: { severety: 'high' } } });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      code: 'CONFIG_INVALID',
      remedy: expect.any(String),
      problems: [{ key: 'rules.odd.severety', suggestion: 'severity' }],
    });
    const zone = { ...NO_PLACES, zones: { bent: { coordinates: '0,0,2,2' } } };
    expect((await put('/api/cameras/hall/zones', zone)).status).toBe(422);
    expect((await put('/api/cameras/nowhere/zones', NO_PLACES)).status).toBe(404);
    expect(text()).toBe(before);
  });

  test('a dry run says what would change, and changes nothing', async () => {
    const before = text();
    const answer = await put('/api/rules', { rules: {}, dry_run: true });
    expect(await answer.json()).toMatchObject({ changed: ['rules.on_ground'], needs_restart: [] });
    expect(text()).toBe(before);
  });

  test('what somebody else changed meanwhile is kept', async () => {
    const { etag } = (await box.json('admin', '/api/rules')) as { etag: string };
    writeFileSync(box.configPath, `${text()}# by hand\n`);
    const answer = await put('/api/rules', { rules: {}, etag });
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ code: 'CONFIG_CHANGED' });
    expect(text()).toMatch(/# by hand\n$/);
  });

  test('a privacy mask begins the camera anew, and only that one', async () => {
    const hall = await camera('hall');
    const { etag: _, ...places } = (await box.json('admin', '/api/cameras/yard/zones')) as {
      etag: string;
    };
    expect(
      (
        await put('/api/cameras/yard/zones', {
          ...places,
          privacy_masks: { window: { coordinates: '0,0,1,0,1,0.5,0,0.5' } },
        })
      ).status,
    ).toBe(200);
    await waitFor(
      'the yard is analysed again',
      async () => (await camera('yard')).frames_analysed > 0,
    );
    expect((await camera('hall')).frames_analysed).toBeGreaterThanOrEqual(hall.frames_analysed);
    const sharp = (await import('sharp')).default;
    const answer = await box.fetch('viewer', '/api/cameras/yard/latest.jpg');
    const { data, info } = await sharp(Buffer.from(await answer.arrayBuffer()))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const upper = data.subarray(0, Math.floor(info.height * 0.45) * info.width * 3);
    expect(upper.reduce((most, value) => Math.max(most, value), 0)).toBeLessThan(32);
  });

  test('the version before can be had back, and is not lost by that', async () => {
    const { versions } = (await box.json('admin', '/api/config/versions')) as {
      versions: { id: string; changed: string[]; saved_by: string }[];
    };
    const first = versions.at(-1);
    expect(first).toMatchObject({ saved_by: 'admin', changed: ['cameras.yard.zones.ground'] });
    const restored = await box.json('admin', `/api/config/versions/${first?.id}/restore`, {
      method: 'POST',
    });
    expect(restored).toMatchObject({
      changed: expect.arrayContaining(['cameras.yard.privacy_masks.window']),
    });
    expect(parse(text()).rules).toBeUndefined();
    expect((await box.daemon.status()).config_problems).toEqual([]);
    expect(
      (
        (await box.json('admin', '/api/config/versions')) as typeof versions & {
          versions: object[];
        }
      ).versions.length,
    ).toBe(versions.length + 1);
    // They hold secrets as the file does.
    const dir = join(box.folder, 'config-versions');
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o077).toBe(0);
    expect(statSync(box.configPath).mode & 0o777).toBe(0o600);
  });

  test('what cannot be taken over counts from the next start on, and says so', async () => {
    const { versions } = (await box.json('admin', '/api/config/versions')) as {
      versions: { id: string }[];
    };
    const before = text();
    writeFileSync(box.configPath, before.replace('fps: 5', 'fps: 4'));
    await put('/api/rules', { rules: { any: {} } });
    const { config_problems: problems } = await box.daemon.status();
    expect(problems).toEqual([
      expect.stringMatching(/detect\.fps: changed, counts from the next start on/),
    ]);
    await box.json('admin', `/api/config/versions/${versions[0]?.id}/restore`, { method: 'POST' });
  });
});

test('the configuration is shown without its secrets', async () => {
  const shown = JSON.stringify(await box.json('admin', '/api/config'));
  expect(shown).toContain('127.0.0.1:9/gate');
  expect(shown).not.toContain(SECRETS.camera);
  expect(shown).not.toContain(SECRETS.uplink);
  const bundle = await box.fetch('admin', '/api/support_bundle');
  const { unpackTar } = await import('modern-tar');
  const { gunzipSync } = await import('node:zlib');
  const entries = await unpackTar(gunzipSync(Buffer.from(await bundle.arrayBuffer())));
  const names = entries.map(({ header }) => header.name.replace(/^[^/]+\//, ''));
  expect(names).toEqual(['status.json', 'metrics.txt', 'config.yaml', 'log.jsonl', 'machine.json']);
  for (const { data } of entries) {
    expect(Buffer.from(data ?? []).toString()).not.toContain(SECRETS.camera);
    expect(Buffer.from(data ?? []).toString()).not.toContain(SECRETS.uplink);
  }
});

describe('people', () => {
  const portrait = readFileSync(clipPath('portraits/biden.jpg'));

  test('are added, enrolled, shown and forgotten; the audit log tells nobody’s name', async () => {
    const body = { name: 'Jo Biden-Muster', role: 'tenant', threat_level: 'watch_list' };
    const { person_id: id } = (await box.json('operator', '/api/people', {
      method: 'POST',
      body,
    })) as { person_id: string };
    const refused = await box.fetch('operator', `/api/people/${id}/faces`, {
      method: 'POST',
      body: Buffer.from('no picture'),
    });
    expect(await refused.json()).toMatchObject({ code: 'PEOPLE_PICTURE_UNREADABLE' });
    expect(await box.json('operator', '/api/people')).toMatchObject({
      people: [{ person_id: id, positives: 0 }],
    });
    await box.json('operator', `/api/people/${id}`, {
      method: 'PATCH',
      body: { name: 'Jo Muster' },
    });
    const missing = await box.fetch('operator', `/api/people/${id}/faces`, {
      method: 'POST',
      body: portrait,
    });
    // The models that read faces are not installed here.
    expect(await missing.json()).toMatchObject({
      code: 'MODEL_NOT_INSTALLED',
      remedy: expect.stringContaining('models pull'),
    });
    expect((await box.fetch('operator', `/api/people/${id}`, { method: 'DELETE' })).status).toBe(
      403,
    );
    expect(await box.json('admin', `/api/people/${id}`, { method: 'DELETE' })).toMatchObject({
      faces: 0,
    });
    expect((await box.fetch('admin', `/api/people/${id}`)).status).toBe(404);
    const audit = JSON.stringify(await box.json('admin', '/api/audit'));
    expect(audit).toContain('PATCH /api/people/:person_id');
    expect(audit).not.toMatch(/Muster|person-/);
    expect(box.logged).not.toMatch(/Muster/);
  });
});

test('a page of the last logs has no line below the level that was asked for', async () => {
  const { lines } = (await box.json('admin', '/api/logs?lines=50&level=info')) as {
    lines: { level: string }[];
  };
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.map(({ level }) => level)).not.toContain('debug');
});

test('sessions and their tokens outlive the daemon', async () => {
  const login = await box.fetch(null, '/api/login', {
    method: 'POST',
    body: { token: 'token-of-viewer'.padEnd(43, '0') },
  });
  const [Cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';');
  await box.stop();
  expect(readFileSync(join(box.folder, 'sessions.json'), 'utf8')).not.toContain(
    Cookie.split('=')[1],
  );
  await box.start();
  expect((await box.fetch(null, '/api/profile', { headers: { Cookie } })).status).toBe(200);
}, 30_000);
