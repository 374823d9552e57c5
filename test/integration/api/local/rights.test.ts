import { Validator } from '@seriousme/openapi-schema-validator';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { ZodType } from 'zod';
import { isAtLeast, type RouteSpec } from '../../../../src/protocol/local-api/route.ts';
import { ROUTES } from '../../../../src/protocol/local-api/routes.ts';
import { ApiBox, SECRETS, tokenOf, VISITORS, type VisitorName } from '../../../support/api-box.ts';
import { testWithAssets } from '../../../support/assets.ts';
import { waitFor } from '../../../support/program.ts';

const test = testWithAssets(
  { models: 'yolov8n.onnx' },
  { media: 'one-by-one-person-detection.mp4' },
  { media: 'people-walking.mp4' },
);
const routes = Object.entries<RouteSpec>(ROUTES);
const box = new ApiBox('api-rights', {
  rules: { person_seen: { cooldown_s: 0 } },
  evidence: { clips: { pre_s: 1, post_s: 1 } },
});
/** What exists, for the addresses of routes. */
const known = {
  camera_id: 'hall',
  event_id: '',
  alert_id: '',
  person_id: '',
  name: 'nobody',
  id: '',
  sample_id: '',
};

beforeAll(async () => {
  await box.start();
  await box.streaming();
  await waitFor('an alert of the hall', async () => {
    const { alerts } = (await box.json('admin', '/api/alerts?cameras=hall')) as {
      alerts: Record<string, string>[];
    };
    known.alert_id = alerts[0]?.alert_id ?? '';
    known.event_id = alerts[0]?.event_id ?? '';
    return known.event_id !== '';
  });
  const { person_id } = (await box.json('admin', '/api/people', {
    method: 'POST',
    body: { name: 'Anna' },
  })) as { person_id: string };
  Object.assign(known, {
    person_id,
    id: '1795527027066-2a657e4cd0ab',
    sample_id: '9256b5d5-ee40-469f-9382-c24ba9d0664d',
  });
}, 60_000);

afterAll(() => box.stop());

function addressOf(key: string): { method: string; path: string } {
  const [method = '', url = ''] = key.split(' ');
  const path = url.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(known[name as keyof typeof known]),
  );
  const query = path.endsWith('summary') ? '?after=0&before=1000' : '';
  return { method, path: path + query };
}

/** Enough to be understood, and not to change what the next one needs. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /api/login': { token: 'no token' },
  'POST /api/access': { name: 'somebody', role: 'viewer', expires_days: 1 },
  'POST /api/events/reviewed': { ids: ['unknown'] },
  'POST /api/alerts/acknowledge': { ids: ['unknown'] },
  'PUT /api/events/:event_id/false_positive': { false_positive: false },
  'POST /api/alerts/:alert_id/notes': { text: 'seen' },
  'POST /api/people': { name: 'Bert' },
  'PATCH /api/people/:person_id': { role: 'tenant' },
  'POST /api/people/:person_id/faces': Buffer.from('no picture'),
  'POST /api/people/:person_id/faces/from_event': { event_id: 'unknown' },
  'PUT /api/cameras/:camera_id/zones': {
    ...{ zones: {}, lines: {}, masks: {}, privacy_masks: {}, dry_run: true },
  },
  'PUT /api/rules': { rules: {}, dry_run: true },
};

async function call(as: VisitorName | null, key: string): Promise<Response> {
  const { method, path } = addressOf(key);
  const gone = new AbortController();
  const response = await box.fetch(as, path, { method, body: BODIES[key], signal: gone.signal });
  // Live pictures never end.
  if (path.endsWith('.mjpeg')) gone.abort();
  return response;
}

/** Those whom the state of the box would get in the way of the others: last. */
const LAST = new Set(['DELETE /api/people/:person_id', 'POST /api/cameras/:camera_id/stop']);
const inOrder = [...routes].sort(([a], [b]) => Number(LAST.has(a)) - Number(LAST.has(b)));

/** How a route answers: let in, it may still find nothing to do. */
const LET_IN = [200, 204, 404, 422];
const CLIP = 'GET /api/alerts/:alert_id/clip.mp4';

function expectedOf(key: string, { role }: RouteSpec, as: VisitorName | null): readonly number[] {
  if (role === 'open') return [...LET_IN, 401];
  if (as === null) return [401];
  if (!isAtLeast(VISITORS[as].role, role)) return [403];
  // It may still be recorded.
  if (key === CLIP) return [...LET_IN, 503];
  // Metrics tell of all cameras.
  return key === 'GET /api/metrics' && as === 'limited' ? [403] : LET_IN;
}

describe('every route lets in who may, and nobody else', () => {
  const visitors = [null, ...(Object.keys(VISITORS) as VisitorName[])];
  for (const [key, spec] of inOrder) {
    test(key, async () => {
      for (const as of visitors)
        expect(expectedOf(key, spec, as), `as ${as}`).toContain((await call(as, key)).status);
    });
  }
});

test('the description of the API is valid, and names every route', async () => {
  const document = (await box.json('viewer', '/api/openapi.json')) as Record<string, never>;
  const result = await new Validator().validate(document);
  expect(result).toMatchObject({ valid: true });
  const paths = Object.entries(document.paths as unknown as Record<string, object>);
  const named = paths.flatMap(([path, operations]) =>
    Object.keys(operations).map(
      (method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    ),
  );
  expect(named.sort()).toEqual(Object.keys(ROUTES).sort());
});

test('answers have the form that they are described with', async () => {
  for (const [key, { answer }] of routes) {
    if (!key.startsWith('GET') || !(answer instanceof ZodType)) continue;
    const response = await call('admin', key);
    if (!response.ok) continue;
    const body: unknown = await response.json();
    const parsed = answer.safeParse(body);
    expect(parsed.error?.issues, key).toBeUndefined();
    // Nothing is told that the description does not have.
    expect(parsed.data, key).toEqual(body);
  }
});

describe('pages of others', () => {
  async function session(): Promise<string> {
    const body = { token: tokenOf('operator') };
    const response = await box.fetch(null, '/api/login', { method: 'POST', body });
    const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';');
    return cookie;
  }

  test('a session is a cookie that no script reads and no other page has sent', async () => {
    const body = { token: tokenOf('operator') };
    const response = await box.fetch(null, '/api/login', { method: 'POST', body });
    expect(response.headers.get('set-cookie')).toMatch(
      /^apex_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(await response.text()).not.toContain(tokenOf('operator'));
  });

  test('change nothing, whatever browsers send along', async () => {
    const Cookie = await session();
    const change = (headers: Record<string, string>) =>
      box.fetch(null, '/api/people', {
        method: 'POST',
        body: { name: 'Carl' },
        headers: { Cookie, ...headers },
      });
    expect((await change({})).status).toBe(403);
    expect((await change({ 'X-Apex-Csrf': '1', Origin: 'https://evil.example' })).status).toBe(403);
    expect((await change({ 'X-Apex-Csrf': '1', 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect((await change({ 'X-Apex-Csrf': '1', 'Sec-Fetch-Site': 'same-origin' })).status).toBe(
      200,
    );
  });

  test('log nobody in', async () => {
    const body = { token: tokenOf('operator') };
    const headers = { Origin: 'https://evil.example' };
    expect((await box.fetch(null, '/api/login', { method: 'POST', body, headers })).status).toBe(
      403,
    );
  });

  test('get no leave to read', async () => {
    const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' };
    const preflight = await box.fetch(null, '/api/people', { method: 'OPTIONS', headers });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    expect(preflight.ok).toBe(false);
  });

  test('a session ends with the logout', async () => {
    const Cookie = await session();
    const headers = { Cookie, 'X-Apex-Csrf': '1' };
    expect((await box.fetch(null, '/api/profile', { headers })).status).toBe(200);
    expect((await box.fetch(null, '/api/logout', { method: 'POST', headers })).status).toBe(204);
    expect((await box.fetch(null, '/api/profile', { headers })).status).toBe(401);
  });
});

describe('whatever is asked', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom('hall', '..', '%', '', '0', '-1', '1e999', '\u0000', '{}', 'null', '__proto__'),
  );
  const value: fc.Arbitrary<unknown> = fc.oneof(
    { maxDepth: 3 },
    fc.jsonValue({ maxDepth: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'ids',
        'name',
        'token',
        'zones',
        'rules',
        'lines',
        'masks',
        'privacy_masks',
        'text',
        'event_id',
        'role',
        'false_positive',
        'cameras',
      ),
      fc.jsonValue({ maxDepth: 2 }),
    ),
  );
  const query = fc.dictionary(
    fc.constantFrom(
      'limit',
      'after',
      'before',
      'cursor',
      'cameras',
      'severities',
      'sort',
      'per',
      'max_width',
      'lines',
      'level',
      'reviewed',
      'x',
    ),
    text,
    { maxKeys: 4 },
  );

  test('no failure of the box, and no secret of it', async () => {
    const secrets = [
      SECRETS.camera,
      encodeURIComponent(SECRETS.camera),
      SECRETS.uplink,
      ...Object.keys(VISITORS).map((name) => tokenOf(name as VisitorName)),
    ];
    const runs = Number(process.env.APEX_FUZZ_RUNS ?? 12);
    for (const [key] of routes) {
      // It would put an end to the session of everybody else here.
      if (key === 'POST /api/logout') continue;
      const [method = '', url = ''] = key.split(' ');
      await fc.assert(
        fc.asyncProperty(
          text,
          query,
          value,
          fc.constantFrom('admin', 'limited', null),
          async (id, parameters, body, as) => {
            const path = url.replaceAll(
              /:\w+/g,
              encodeURIComponent(id.replaceAll(/[\ud800-\udfff]/g, '')),
            );
            const gone = new AbortController();
            const response = await box.fetch(as, `${path}?${new URLSearchParams(parameters)}`, {
              method,
              ...(method !== 'GET' && { body }),
              signal: gone.signal,
            });
            const problem = `${key} ${response.status}`;
            expect(response.status, problem).not.toBe(500);
            if (response.headers.get('content-type')?.startsWith('multipart') === true) {
              gone.abort();
              return;
            }
            const answer = await response.text();
            for (const secret of secrets) expect(answer, problem).not.toContain(secret);
            if (!response.ok && response.status !== 304)
              expect(JSON.parse(answer), problem).toMatchObject({
                status: response.status,
                code: expect.any(String),
              });
          },
        ),
        { numRuns: runs, interruptAfterTimeLimit: 20_000 },
      );
    }
    expect(box.logged).not.toContain(SECRETS.camera);
    expect(box.logged).not.toContain(SECRETS.uplink);
  }, 180_000);
});
