import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ClientOptions } from 'ws';
import type { ListenerTls } from '../../../src/hub/door/listener-tls.ts';
import type { Hub } from '../../../src/hub/hub.ts';
import { Authority, type Certificate } from '../uplink/certificates.ts';
import { EDGE_TOKEN, HubScene, VIEWER_TOKEN } from './hub-scene.ts';
import { RawClient } from './raw-client.ts';

const EDGE = { token: EDGE_TOKEN, clientId: 'edge-1' };
const VIEWER = { token: VIEWER_TOKEN, clientId: 'desk-1', type: 'frontend' } as const;

let servers: Authority;
let clients: Authority;
let strangers: Authority;
let certificate: Certificate;
let renewed: Certificate;
let scene: HubScene;
/** How often the hub has read its certificate. */
let reads = 0;

beforeAll(() => {
  servers = new Authority('servers');
  clients = new Authority('clients');
  strangers = new Authority('strangers');
  certificate = servers.issue('IP:127.0.0.1');
  renewed = servers.issue('IP:127.0.0.1');
});
beforeEach(() => {
  scene = new HubScene();
});
afterEach(() => scene.end());

const certFile = () => join(scene.dataDir, 'hub.pem');
const keyFile = () => join(scene.dataDir, 'hub.key');

async function start(
  clientCertificates: ListenerTls['clientCertificates'] = 'off',
): Promise<{ hub: Hub; url: string }> {
  copyFileSync(certificate.certFile, certFile());
  copyFileSync(certificate.keyFile, keyFile());
  const read = () => {
    reads++;
    return { cert: readFileSync(certFile()), key: readFileSync(keyFile()), ca: clients.own.cert };
  };
  const { hub, url } = await scene.start({ tls: { read, clientCertificates } });
  return { hub, url: url.replace('ws:', 'wss:') };
}

const trusting = (own?: Certificate): ClientOptions => ({
  ca: servers.own.cert,
  ...(own && { cert: own.cert, key: own.key }),
});

/** The hub has read its files once more since they are as they are, and is done with it. */
async function readAgain(): Promise<void> {
  const before = reads;
  await vi.waitFor(() => expect(reads).toBeGreaterThan(before), { timeout: 15_000 });
}

/** Serial number of the certificate that the hub shows to a new connection. */
function serial({ address }: Hub): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...address, ca: servers.own.cert }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Close code of a client that identifies itself; 0 where it is admitted. */
async function admission(url: string, own: Certificate | undefined): Promise<number> {
  const client = await RawClient.connect(url, trusting(own));
  client.identify(EDGE);
  const code = await Promise.race([
    client.closed,
    client.next('identification_success').then(
      () => 0,
      () => client.closed,
    ),
  ]);
  client.close();
  return code;
}

describe('TLS of the hub', () => {
  test('serves clients that trust its authority, and nobody in plain text', async () => {
    const { url } = await start();
    const client = await RawClient.identified(url, EDGE, trusting());
    client.close();
    await expect(RawClient.connect(url)).rejects.toThrow(/certificate|self-signed|issuer/);
    await expect(RawClient.connect(url.replace('wss:', 'ws:'))).rejects.toThrow(
      /socket hang up|ECONNRESET/,
    );
  });

  test('uses a renewed certificate without a restart, and the old one until both files are there', async () => {
    const { hub, url } = await start();
    const before = await serial(hub);
    const client = await RawClient.identified(url, VIEWER, trusting());
    const half = renewed.cert.slice(0, renewed.cert.length / 2);
    writeFileSync(certFile(), half);
    await readAgain();
    expect(await serial(hub)).toBe(before);
    copyFileSync(renewed.certFile, certFile());
    await readAgain();
    expect(await serial(hub)).toBe(before);
    copyFileSync(renewed.keyFile, keyFile());
    await readAgain();
    expect(await serial(hub)).not.toBe(before);
    client.send('heartbeat', { mono_ms: 1 });
    await client.next('heartbeat_ack');
    client.close();
  });

  test('a hub whose key is not of its certificate does not start', async () => {
    const read = () => ({ cert: certificate.cert, key: renewed.key });
    const starting = scene.start({ tls: { read, clientCertificates: 'off' } });
    await expect(starting).rejects.toMatchObject({ code: 'HUB_TLS' });
  });

  test('nor does one that would listen on a network in plain text', async () => {
    const starting = scene.start({ host: '0.0.0.0' });
    await expect(starting).rejects.toMatchObject({ code: 'HUB_PLAINTEXT' });
    const { hub } = await scene.start({ host: '0.0.0.0', isPlaintextAllowed: true });
    expect(hub.address.host).toBe('0.0.0.0');
  });
});

describe('client certificates', () => {
  test('may be shown, and have to be for the name of the token', async () => {
    const { url } = await start('accept');
    expect(await admission(url, undefined)).toBe(0);
    expect(await admission(url, clients.issue('DNS:edge', 2, 'edge'))).toBe(0);
    expect(await admission(url, clients.issue('DNS:edge', 2, 'viewer'))).toBe(4401);
  });

  test.each(['accept', 'require'] as const)(
    'of other authorities are refused: %s',
    async (mode) => {
      const { hub, url } = await start(mode);
      const foreign = strangers.issue('DNS:edge', 2, 'edge');
      await expect(RawClient.identified(url, EDGE, trusting(foreign))).rejects.toThrow();
      expect(hub.stats()).toMatchObject({ connections: 0, authFailures: 0 });
    },
  );

  test('are asked of everybody where they are required', async () => {
    const { hub, url } = await start('require');
    await expect(RawClient.identified(url, EDGE, trusting())).rejects.toThrow();
    expect(hub.stats().connections).toBe(0);
    expect(await admission(url, clients.issue('DNS:edge', 2, 'edge'))).toBe(0);
  });
});

describe('origins of pages', () => {
  test('one that is not allowed is refused before anything is said, and counted', async () => {
    const allowedOrigins = ['https://console.example.org'];
    const { hub, url } = await scene.start({ allowedOrigins });
    const from = (origin: string) => RawClient.identified(url, VIEWER, { origin });
    await expect(from('https://evil.example.org')).rejects.toThrow('403');
    await expect(from('null')).rejects.toThrow('403');
    (await from('https://console.example.org')).close();
    (await from(`http://127.0.0.1:${hub.address.port}`)).close();
    expect(hub.stats()).toMatchObject({ originsRefused: 2, connections: 2 });
  });
});
