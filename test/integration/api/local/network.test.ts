import { once } from 'node:events';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fetchStatus } from '../../../../src/api/control-client.ts';
import type { ApiView } from '../../../../src/api/edge-status.ts';
import { ApiBox, tokenOf } from '../../../support/api-box.ts';
import { Program, temporaryFolder, waitFor } from '../../../support/program.ts';
import { Authority } from '../../uplink/certificates.ts';

let box: ApiBox | null = null;
afterEach(async () => {
  await box?.stop();
  box = null;
});

/** Without a camera: the network alone matters here. */
function boxWith(api: object): ApiBox {
  box = new ApiBox('api-network', { api, cameras: {}, detector: { model: 'test-detector' } });
  return box;
}

async function viewOf(of: ApiBox, isThere: (view: ApiView) => boolean): Promise<ApiView> {
  return waitFor('the state of the API', async () => {
    const { api } = await of.daemon.status();
    return isThere(api) && api;
  });
}

const fault = ({ fault: found }: ApiView): boolean => found !== null;

describe('listening', () => {
  test('beyond the machine needs a certificate, and everything else goes on without', async () => {
    const open = boxWith({ host: '0.0.0.0', port: 0 });
    await open.begin();
    const view = await viewOf(open, fault);
    expect(view).toMatchObject({
      url: null,
      fault: { code: 'HUB_PLAINTEXT', remedy: expect.any(String) },
    });
  });

  test('or the word of the owner that others may read along', async () => {
    const open = await boxWith({ host: '0.0.0.0', port: 0, insecure_plaintext: true }).start();
    expect((await open.fetch('viewer', '/api/profile')).status).toBe(200);
    expect((await open.fetch(null, '/api/status')).status).toBe(401);
  });

  test('on a port that another program has: told, and tried again', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const waiting = boxWith({ port });
    await waiting.begin();
    expect(await viewOf(waiting, fault)).toMatchObject({ fault: { code: 'HUB_ADDRESS' } });
    other.close();
    const view = await viewOf(waiting, ({ url }) => url !== null);
    expect(view).toMatchObject({ url: `http://127.0.0.1:${port}/`, fault: null });
  }, 20_000);

  test('a daemon whose port is taken ends as soon as it is asked to', async () => {
    const first = await boxWith({ port: 0 }).start();
    const port = Number(new URL(first.url('/')).port);
    const folder = temporaryFolder('api-second');
    const second = Program.startWithConfig('run', folder, {
      edge: { data_dir: folder },
      detector: { model: 'test-detector' },
      api: { port },
    });
    await waitFor('the port is missed', async () => {
      const { api } = await fetchStatus(folder).catch(() => ({ api: null }));
      return api?.fault?.code === 'HUB_ADDRESS';
    });
    expect(await second.end()).toBe(0);
  });

  test('not at all where that is switched off', async () => {
    const off = boxWith({ enabled: false });
    await off.begin();
    expect((await off.daemon.status()).api).toEqual({
      ...{ enabled: false, url: null, has_tokens: null, fault: null },
    });
  });

  test('over TLS, with cookies that are bound to the host', async () => {
    const authority = new Authority('site-authority');
    const { certFile, keyFile } = authority.issue('IP:127.0.0.1');
    const secure = await boxWith({
      port: 0,
      tls: { cert_file: certFile, key_file: keyFile },
    }).start();
    const answer = await new Promise<{ status?: number; cookie: string }>((resolve, reject) => {
      const call = request(
        secure.url('/api/login'),
        { method: 'POST', ca: authority.own.cert, headers: { 'Content-Type': 'application/json' } },
        (response) => {
          response.resume();
          const [cookie = ''] = response.headers['set-cookie'] ?? [];
          resolve({ ...(response.statusCode && { status: response.statusCode }), cookie });
        },
      );
      call.on('error', reject);
      call.end(JSON.stringify({ token: tokenOf('admin') }));
    });
    expect(answer).toEqual({
      status: 200,
      cookie: expect.stringMatching(/^__Host-apex_session=.*; Secure$/),
    });
  });
});

test('who guesses tokens waits for the answers, and others do not', async () => {
  const guarded = await boxWith({ port: 0 }).start();
  const guess = () =>
    guarded.fetch(null, '/api/login', { method: 'POST', body: { token: 'guessed' } });
  for (let count = 0; count < 20; count++) expect((await guess()).status).toBe(401);
  const begun = performance.now();
  await guess();
  expect(performance.now() - begun).toBeGreaterThan(500);
  expect((await guarded.fetch('viewer', '/api/profile')).status).toBe(200);
}, 20_000);

describe('apex-edge access', () => {
  async function access(
    of: ApiBox,
    ...args: string[]
  ): Promise<{ code: unknown; out: string; said: string }> {
    const program = Program.start(['access', ...args, '--config', of.configPath]);
    const code = await program.closed();
    return { code, out: program.stdout.trim(), said: program.stderr.trim() };
  }

  test('makes the first token once, which then logs in; others come and go at once', async () => {
    const fresh = boxWith({ port: 0 });
    for (const name of ['admin', 'operator', 'viewer', 'limited'])
      await access(fresh, 'revoke', name);
    await fresh.start();
    expect((await fresh.daemon.status()).api.has_tokens).toBe(false);
    const first = await access(fresh, 'init');
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^[\w-]{43}$/) });
    expect(await access(fresh, 'init')).toMatchObject({
      out: '',
      said: expect.stringMatching(/an admin already/),
    });
    const profile = (token: string) =>
      fresh.fetch(null, '/api/profile', { headers: { Authorization: `Bearer ${token}` } });
    await waitFor('the token is known', async () => (await profile(first.out)).ok);
    const guest = await access(fresh, 'create', 'guest', '--camera', 'hall', '--expires', '2h');
    await waitFor('the guest is known', async () => (await profile(guest.out)).ok);
    expect(await (await profile(guest.out)).json()).toMatchObject({
      name: 'guest',
      role: 'viewer',
      cameras: ['hall'],
    });
    expect((await access(fresh, 'list')).out).toMatch(/guest +viewer +in force.*cameras: hall/);
    await access(fresh, 'revoke', 'guest');
    await waitFor('the guest is out', async () => (await profile(guest.out)).status === 401, 3000);
    expect(await access(fresh, 'create', 'x', '--role', 'admin', '--camera', 'hall')).toMatchObject(
      { code: 1 },
    );
    // The last admin cannot be shut out over the network.
    const end = await fresh.fetch(null, '/api/access/admin', {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${first.out}` },
    });
    expect(end.status).toBe(403);
  }, 60_000);
});
