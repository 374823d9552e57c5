import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:https';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ApexError } from '../../../src/system/errors.ts';
import type { TlsOptions } from '../../../src/uplink/link/tls.ts';
import type { Uplink } from '../../../src/uplink/uplink.ts';
import { freePort, waitFor } from '../../support/program.ts';
import { Authority, pinOf } from './certificates.ts';
import { fastClock } from './fast-clock.ts';
import { OddHub } from './odd-hub.ts';
import { alert, UplinkScene } from './uplink-scene.ts';

const authority = new Authority('hub-authority');
const stranger = new Authority('stranger');
const server = authority.issue('DNS:localhost');
const client = authority.issue('DNS:edge-1');
const ca = authority.own.cert;

let scene: UplinkScene;
let hub: OddHub | null = null;
let process_: ChildProcess | null = null;

beforeEach(async () => {
  scene = new UplinkScene('tls');
  await scene.open();
  await scene.store.enqueue([alert(1)]);
});

afterEach(async () => {
  await scene.end();
  hub?.end();
  hub = null;
  if (process_ !== null) {
    process_.kill('SIGKILL');
    await once(process_, 'exit');
    process_ = null;
  }
});

/** Starts a hub of TLS and an uplink to it. */
async function connect(options: ServerOptions, tls: () => TlsOptions): Promise<Uplink> {
  hub = await OddHub.start(createServer(options));
  return uplinkTo(hub.port, tls);
}

function uplinkTo(port: number, tls: () => TlsOptions): Uplink {
  const uplink = scene.uplink(`wss://localhost:${port}`, { tls, clock: fastClock });
  uplink.start();
  return uplink;
}

const emptied = () => waitFor('an empty queue', async () => (await scene.depth()) === 0);
const refused = (uplink: Uplink): Promise<ApexError> =>
  waitFor('a refusal', () => uplink.status.lastError);

describe('wss', () => {
  test('a certificate of the given authority is accepted', async () => {
    const uplink = await connect(server, () => ({ ca }));
    await emptied();
    expect(uplink.status).toMatchObject({ state: 'authenticated', lastError: null });
    expect(scene.log.lines.join('\n')).not.toContain('in clear');
  });

  test('the pinned key is accepted, with the pin as openssl prints it', async () => {
    await connect(server, () => ({ ca, pins: [pinOf(client), pinOf(server)] }));
    await emptied();
  });

  test('a client certificate is shown', async () => {
    const tls = { ca, cert: client.cert, key: client.key };
    await connect({ ...server, ca, requestCert: true, rejectUnauthorized: true }, () => tls);
    await emptied();
  });

  const elsewhere = authority.issue('DNS:hub.example.org');
  const past = authority.issue('DNS:localhost', -1);
  test.each([
    ['an unknown authority', stranger.issue('DNS:localhost'), { ca }, 'UPLINK_TLS_UNTRUSTED'],
    ['no authority given', server, {}, 'UPLINK_TLS_UNTRUSTED'],
    ['another name', elsewhere, { ca }, 'UPLINK_TLS_NAME'],
    ['a past date', past, { ca }, 'UPLINK_TLS_EXPIRED'],
    ['another key than the pinned', server, { ca, pins: [pinOf(client)] }, 'UPLINK_TLS_PIN'],
    [
      'a pinned key of an unknown authority',
      server,
      { pins: [pinOf(server)] },
      'UPLINK_TLS_UNTRUSTED',
    ],
  ])('a hub with %s is refused, and the breaker opens', async (_, certificate, tls, code) => {
    const uplink = await connect(certificate, () => tls);
    const error = await refused(uplink);
    expect(error).toMatchObject({ code, remedy: expect.stringMatching(/uplink\.|certificate/) });
    await waitFor('an open breaker', () => uplink.status.breaker.state === 'open');
    expect(uplink.status.breaker.reason).toBe(code);
    expect(hub?.identified).toEqual([]);
    expect(await scene.depth()).toBe(1);
  });

  test.each([
    ['without a certificate', { ca }],
    ['with a stranger’s certificate', { ca, ...only(stranger.issue('DNS:edge-1')) }],
  ])('a hub that wants a certificate refuses an edge %s', async (_, tls) => {
    const port = await freePort();
    process_ = spawn(
      'openssl',
      [
        ...['s_server', '-accept', `127.0.0.1:${port}`, '-Verify', '2', '-verify_return_error'],
        ...['-CAfile', authority.own.certFile, '-cert', server.certFile, '-key', server.keyFile],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    await once(process_.stdout as NodeJS.ReadableStream, 'data');
    const uplink = uplinkTo(port, () => tls);
    const error = await refused(uplink);
    expect(error).toMatchObject({ code: 'UPLINK_TLS_CLIENT' });
    expect(error.remedy).toContain('uplink.tls.cert_file');
  });

  test('a renewed authority is used for the next connection', async () => {
    let tls: TlsOptions = { ca: stranger.own.cert };
    const uplink = await connect(server, () => tls);
    await waitFor('an open breaker', () => uplink.status.breaker.state === 'open');
    tls = { ca };
    await emptied();
    expect(uplink.status.breaker.state).toBe('closed');
    expect(scene.log.lines.join('\n')).toContain('credentials changed');
  });

  test('a half-written certificate leaves the one in use', async () => {
    let tls: TlsOptions = { ca };
    const uplink = await connect(server, () => tls);
    await emptied();
    tls = { ca: ca.slice(0, 60) };
    hub?.peer.terminate();
    await waitFor('the second connection', () => hub?.identified.length === 2);
    await waitFor('authenticated', () => uplink.status.state === 'authenticated');
    expect(scene.log.lines.join('\n')).toContain('UPLINK_TLS');
  });

  test('a port that does not speak TLS counts as unreachable and never opens the breaker', async () => {
    const plain = await OddHub.start();
    hub = plain;
    const uplink = uplinkTo(plain.port, () => ({ ca }));
    await waitFor('six attempts', () => uplink.status.attempts >= 6);
    expect(uplink.status.lastError?.code).toBe('UPLINK_UNREACHABLE');
    expect(uplink.status.breaker.state).toBe('closed');
  });
});

function only({ cert, key }: { cert: string; key: string }): TlsOptions {
  return { cert, key };
}
