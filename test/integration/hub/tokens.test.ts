import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type NewToken, TokenFile } from '../../../src/hub/door/token-file.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { CLIENT_TYPES } from '../../../src/protocol/session.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { EDGE_TOKEN, HubScene, VIEWER_TOKEN } from './hub-scene.ts';
import { RawClient } from './raw-client.ts';

const SECRET = 'a-secret-of-the-list';
const VIEWER = { token: SECRET, clientId: 'desk-1', type: 'frontend' } as const;
/** The list is read twice a second. */
const SOON = { timeout: 10_000, interval: 20 };

let scene: HubScene;
let file: TokenFile;

beforeEach(() => {
  scene = new HubScene();
  file = new TokenFile(TokenFile.pathIn(scene.dataDir));
});
afterEach(async () => {
  file.close();
  await scene.end();
});

function newToken(name: string, more: Partial<NewToken> = {}): NewToken {
  const sha256 = createHash('sha256').update(SECRET).digest('hex');
  const token = { name, type: 'frontend', sha256, scopes: USUAL_SCOPES, createdMs: 1 } as const;
  return { ...token, expiresMs: undefined, ...more };
}

async function attempt(url: string, identity: Parameters<RawClient['identify']>[0]) {
  const client = await RawClient.connect(url);
  client.identify(identity);
  const code = await Promise.race([
    client.closed,
    client.next('identification_success').then(() => 0),
  ]);
  client.close();
  return code;
}

async function admitted(url: string): Promise<RawClient> {
  await vi.waitFor(async () => expect(await attempt(url, VIEWER)).toBe(0), SOON);
  return RawClient.identified(url, VIEWER);
}

describe("the hub's own list of tokens", () => {
  test('a token that is added while the hub runs is good, and one that is revoked ends its sessions', async () => {
    const { hub, url } = await scene.start({ tokens: [] });
    expect(await attempt(url, VIEWER)).toBe(4401);
    file.add(newToken('desk'));
    const client = await admitted(url);
    file.revoke('desk', 2);
    expect((await client.next('error')).data).toMatchObject({
      code: 'auth_failed',
      message: 'the token was revoked',
      retryable: false,
    });
    expect(await client.closed).toBe(4401);
    expect(await attempt(url, VIEWER)).toBe(4401);
    await vi.waitFor(() => expect(hub.stats().clients.frontend).toBe(0), SOON);
  });

  test('a token that expires ends its sessions', async () => {
    const expiresMs = Date.now() + 3_600_000;
    file.add(newToken('desk', { expiresMs }));
    let nowMs = expiresMs - 1;
    const clock = { ...systemClock, wallMs: () => nowMs };
    const { url } = await scene.start({ tokens: [], clock });
    const client = await RawClient.identified(url, VIEWER);
    nowMs = expiresMs;
    const { data } = await client.next('error');
    expect(data).toMatchObject({ code: 'auth_failed', message: 'the token has expired' });
    expect(await client.closed).toBe(4401);
    expect(await attempt(url, VIEWER)).toBe(4401);
  });

  test('the scopes of a token hold', async () => {
    file.add(newToken('desk', { scopes: { ...USUAL_SCOPES, cameras: ['gate'] } }));
    const { hub, url } = await scene.start({ tokens: [] });
    const client = await RawClient.identified(url, VIEWER);
    client.send('subscribe', { types: ['*'], cameras: ['yard'] }, 'r-1');
    const refusal = await client.next('error');
    expect(refusal).toMatchObject({ request_id: 'r-1', data: { code: 'forbidden' } });
    expect(refusal.data.message).toContain('yard');
    expect(hub.stats().forbidden).toBe(1);
    client.close();
  });

  test('its last use is written down, also when the hub stops at once', async () => {
    file.add(newToken('desk'));
    const { hub, url } = await scene.start({ tokens: [] });
    const before = Date.now();
    (await RawClient.identified(url, VIEWER)).close();
    await scene.stop(hub);
    const [token] = file.list();
    expect(token?.lastUsedMs).toBeGreaterThanOrEqual(before);
  });

  test('holds digests only, and is for the hub alone', async () => {
    file.add(newToken('desk'));
    const path = join(scene.dataDir, 'tokens.db');
    expect(readFileSync(path).includes(SECRET)).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('a name is given once, and again after it was revoked', () => {
    file.add(newToken('desk'));
    const other = newToken('desk', { sha256: '0'.repeat(64) });
    expect(() => file.add(other)).toThrow(expect.objectContaining({ code: 'HUB_TOKEN_NAME' }));
    file.revoke('desk', 2);
    file.add(other);
    expect(file.list()).toMatchObject([{ name: 'desk', sha256: '0'.repeat(64) }]);
    expect(() => file.revoke('gate', 2)).toThrow(
      expect.objectContaining({ code: 'HUB_TOKEN_UNKNOWN' }),
    );
  });
});

describe('a hub without tokens', () => {
  // What installations of all kinds are shipped with, and what this project's own tests and examples use.
  const GUESSES = ['', '*', 'admin', 'apex', 'apex-edge', 'password', 'changeme', 'test', 'token'];
  const OWN = ['demo', 'demo-edge', 'edge', 'default', 'null', 'undefined', '0'.repeat(64)];

  test.each(CLIENT_TYPES)('admits no %s', async (type) => {
    const { hub, url } = await scene.start({ tokens: [] });
    const guesses = [...GUESSES, ...OWN, EDGE_TOKEN, VIEWER_TOKEN];
    const codes = await Promise.all(
      guesses.map((token) => attempt(url, { token, clientId: 'x', type })),
    );
    expect(codes).toEqual(guesses.map(() => 4401));
    expect(hub.stats().authFailures).toBe(guesses.length);
  });
});

describe('clients of one token', () => {
  const viewer = (clientId: string) =>
    ({ token: VIEWER_TOKEN, clientId, type: 'frontend' }) as const;

  test('are as many as the limit says, and one that reconnects keeps its place', async () => {
    const limits = { ...DEFAULT_HUB_LIMITS, sessionsPerToken: 2 };
    const { hub, url } = await scene.start({ limits });
    const first = await RawClient.identified(url, viewer('page-1'));
    const second = await RawClient.identified(url, viewer('page-2'));
    const third = await RawClient.connect(url);
    third.identify(viewer('page-3'));
    expect((await third.next('error')).data).toMatchObject({
      code: 'too_many_sessions',
      retryable: true,
      retry_after_ms: 30_000,
    });
    expect(await third.closed).toBe(1013);
    const again = await RawClient.identified(url, viewer('page-1'));
    expect(await first.closed).toBe(4409);
    expect(hub.stats()).toMatchObject({ tokenFull: 1, authFailures: 0, unidentified: 0 });
    // Clients of another token do not wait for these.
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN });
    second.close();
    await vi.waitFor(() => expect(hub.stats().clients.frontend).toBe(1));
    const late = await RawClient.identified(url, viewer('page-3'));
    for (const client of [again, edge, late]) client.close();
  });

  test('of the original protocol have no place of their own to come back to', async () => {
    const limits = { ...DEFAULT_HUB_LIMITS, sessionsPerToken: 1 };
    const { url } = await scene.start({ limits });
    const data = { client_type: 'frontend', auth_token: VIEWER_TOKEN, client_id: 'page' };
    const first = await RawClient.connect(url);
    first.send('client_identify', data);
    await first.next('identification_success');
    const second = await RawClient.connect(url);
    second.send('client_identify', data);
    expect((await second.next('error')).data).toMatchObject({ code: 'too_many_sessions' });
    expect(await second.closed).toBe(1013);
    first.close();
  });
});
