import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { stringify } from 'yaml';
import type { CameraView } from '../../../src/api/edge-status.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { EdgeDaemon } from '../../../src/edge/daemon.ts';
import { createLogger } from '../../../src/system/logging.ts';
import { clipPath, modelPath, testWithAssets } from '../../support/assets.ts';
import { childProcesses } from '../../support/capture.ts';
import { freePort, temporaryFolder, waitFor } from '../../support/program.ts';
import { loadClip, RtspCamera } from '../../support/rtsp-camera.ts';

const CLIP = 'people-walking.mp4';
const real = testWithAssets({ models: 'yolov8n.onnx', media: CLIP });
const LOGIN = { user: 'viewer', password: 'p4ss-w0rd/of?camera', digest: true };
let cameras: RtspCamera;
let port = 0;
let folder = '';
let daemon: EdgeDaemon | null = null;
let logged = '';

function address(password: string | null = LOGIN.password): string {
  const user = password === null ? '' : `${LOGIN.user}:${encodeURIComponent(password)}@`;
  return `rtsp://${user}127.0.0.1:${port}/walk`;
}

/** @param allowed ports of this machine that addresses from upstream may name */
async function begin(configured: object, allowed: readonly number[] = [port]): Promise<EdgeDaemon> {
  const path = join(folder, 'config.yaml');
  const config = {
    edge: { id: 'test', data_dir: folder },
    uplink: {
      stream_requests: {
        allow_addresses: allowed.map((each) => ({ scheme: 'rtsp', host: '127.0.0.1', port: each })),
      },
    },
    detector: { model: modelPath('yolov8n.onnx'), provider: 'cpu' },
    cameras: configured,
  };
  writeFileSync(path, stringify(config));
  const destination = {
    write: (line: string): void => {
      logged += line;
    },
  };
  const log = createLogger({ level: 'debug', name: 'edge', env: {}, destination });
  daemon = await EdgeDaemon.start({ loaded: loadConfig(path, {}), env: {}, log });
  return daemon;
}

async function end(): Promise<void> {
  await daemon?.stop();
  daemon = null;
}

async function view(id: string): Promise<CameraView | undefined> {
  const status = await daemon?.status();
  return status?.cameras.find(({ camera_id }) => camera_id === id);
}

function overrides(): unknown {
  return JSON.parse(readFileSync(join(folder, 'cameras.json'), 'utf8'));
}

const gate = () => ({
  url: address(null),
  username: LOGIN.user,
  password: LOGIN.password,
  detect: { fps: 2 },
});

beforeAll(async () => {
  cameras = new RtspCamera({ auth: LOGIN });
  cameras.addMount('walk', await loadClip(clipPath(CLIP)), { loop: true, wallclock: true });
  port = await cameras.listen(0);
});

beforeEach(() => {
  folder = temporaryFolder('cameras');
  logged = '';
});

afterEach(async () => {
  await end();
  await waitFor('no process is left', () => childProcesses().length === 0, 5000);
  // The password of an address that was given goes into no log, whatever was done with it.
  expect(logged).not.toContain(LOGIN.password);
  expect(logged).not.toContain(encodeURIComponent(LOGIN.password));
});

afterAll(() => cameras.close());

describe('the cameras of an edge', () => {
  real(
    'are started by an address on an edge that has none, and are back after a restart',
    async () => {
      const edge = await begin({});
      expect((await edge.status()).detector).toMatchObject({ state: 'stopped', pid: null });
      const applied = await edge.cameras.start({
        cameraId: 'guest',
        url: address(),
        quality: 'low',
      });
      expect(applied).toEqual({ fps: 2, width: 320, height: 180 });
      expect(edge.cameras.ids()).toEqual(['guest']);
      expect(await view('guest')).toMatchObject({
        state: 'streaming',
        change: 'started from upstream',
        analysed: { fps: 2, width: 320, height: 180 },
      });
      for (const { commandLine } of childProcesses()) expect(commandLine).not.toContain('p4ss');
      expect(JSON.stringify(await edge.status())).not.toContain('p4ss');
      expect(statSync(join(folder, 'cameras.json')).mode & 0o777).toBe(0o600);
      await end();
      const next = await begin({});
      await waitFor('it streams again', async () => (await view('guest'))?.state === 'streaming');
      await next.cameras.stop('guest');
      expect(next.cameras.ids()).toEqual([]);
      expect(overrides()).toEqual({ version: 1, cameras: {} });
      await expect(next.cameras.stop('guest')).rejects.toMatchObject({ code: 'CAMERA_UNKNOWN' });
    },
  );

  real('of the configuration are stopped, with their events ended, and started again', async () => {
    const edge = await begin({ gate: gate() });
    await waitFor('an event', async () => ((await view('gate'))?.events_started ?? 0) > 0);
    await edge.cameras.stop('gate');
    const stopped = await view('gate');
    expect(stopped).toMatchObject({ state: 'stopped', change: 'stopped from upstream', fps: 0 });
    expect(stopped?.events_ended).toBe(stopped?.events_started);
    expect(edge.cameras.ids()).toEqual(['gate']);
    await edge.cameras.stop('gate');
    await end();
    const next = await begin({ gate: gate() });
    expect(await view('gate')).toMatchObject({ state: 'stopped' });
    await expect(next.cameras.change('gate', 'high')).rejects.toMatchObject({
      code: 'CAMERA_STOPPED',
    });
    const applied = await next.cameras.start({ cameraId: 'gate' });
    expect(applied).toEqual({ fps: 2, width: 640, height: 360 });
    expect(await view('gate')).toMatchObject({ state: 'streaming', change: null });
    expect(overrides()).toEqual({ version: 1, cameras: {} });
  });

  real('change their quality, and start again only as what they are', async () => {
    const edge = await begin({ gate: gate() });
    const { cameras: set } = edge;
    expect(await set.start({ cameraId: 'gate' })).toEqual({ fps: 2, width: 640, height: 360 });
    expect(await set.change('gate', 'medium')).toEqual({ fps: 5, width: 480, height: 270 });
    expect(await set.change('gate', { fps: 8, width: 330 })).toEqual({
      fps: 8,
      width: 320,
      height: 180,
    });
    expect(await view('gate')).toMatchObject({ change: 'quality changed from upstream' });
    const again = await set.start({ cameraId: 'gate', url: address(null) });
    expect(again).toEqual({ fps: 8, width: 320, height: 180 });
    const other = set.start({ cameraId: 'gate', url: 'rtsp://127.0.0.1/other' });
    await expect(other).rejects.toMatchObject({ code: 'CAMERA_ADDRESS_DIFFERS' });
    expect(await set.change('gate', 'auto')).toEqual({ fps: 2, width: 640, height: 360 });
    expect((await view('gate'))?.reconnects).toBe(0);
    expect(overrides()).toEqual({ version: 1, cameras: {} });
  });

  real('that cannot be started say why, and leave nothing', async () => {
    const closedPort = await freePort();
    const edge = await begin({ off: { ...gate(), enabled: false } }, [port, closedPort]);
    const start = (cameraId: string, url?: string) => edge.cameras.start({ cameraId, url });
    const closed = `rtsp://127.0.0.1:${closedPort}/walk`;
    await expect(start('off')).rejects.toMatchObject({ code: 'CAMERA_DISABLED' });
    await expect(start('nobody')).rejects.toMatchObject({ code: 'CAMERA_UNKNOWN' });
    await expect(start('a', 'http://h/s')).rejects.toMatchObject({
      code: 'STREAM_ADDRESS_INVALID',
    });
    await expect(start('b', closed)).rejects.toMatchObject({ code: 'CAPTURE_REFUSED' });
    await expect(start('c', address('wr0ng-passw0rd'))).rejects.toMatchObject({
      code: 'CAPTURE_AUTH_FAILED',
    });
    expect(edge.cameras.ids()).toEqual([]);
    expect((await edge.status()).cameras).toEqual([]);
    expect(readdirSync(folder)).not.toContain('cameras.json');
    expect(logged).not.toContain('wr0ng-passw0rd');
  });

  real('that are being started are cut short by a stop, which succeeds', async () => {
    // A camera that takes the connection and says nothing.
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port: silentPort } = silent.address() as AddressInfo;
    const waiting = await begin({}, [silentPort]);
    const url = `rtsp://127.0.0.1:${silentPort}/walk`;
    const started = waiting.cameras.start({ cameraId: 'slow', url }).catch((error) => error);
    await waitFor('it connects', async () => (await view('slow')) !== undefined);
    await waiting.cameras.stop('slow');
    expect(await started).toMatchObject({ code: 'CAMERA_STOPPED' });
    expect(waiting.cameras.ids()).toEqual([]);
    await expect(waiting.cameras.stop('slow')).rejects.toMatchObject({ code: 'CAMERA_UNKNOWN' });
    await new Promise((resolve) => silent.close(resolve));
  });

  real('that cannot be watched stay stopped when they can be', async () => {
    const edge = await begin({ gate: { ...gate(), url: 'no address' } });
    await edge.cameras.stop('gate');
    await end();
    const mended = await begin({ gate: gate() });
    expect(await view('gate')).toMatchObject({ state: 'stopped' });
    expect(await mended.cameras.start({ cameraId: 'gate' })).toMatchObject({ fps: 2 });
    expect(overrides()).toEqual({ version: 1, cameras: {} });
  });

  real('say when to ask again while their edge stops', async () => {
    const edge = await begin({ gate: gate() });
    const { cameras: set } = edge;
    await end();
    await expect(set.start({ cameraId: 'gate' })).rejects.toMatchObject({ code: 'EDGE_STOPPING' });
  });

  real('are those of the configuration when what was asked for cannot be read', async () => {
    const damaged = `{"version":1,"cameras":{"guest":{"url":"${address()}"`;
    writeFileSync(join(folder, 'cameras.json'), damaged);
    const edge = await begin({ gate: gate() });
    expect(edge.cameras.ids()).toEqual(['gate']);
    const aside = readdirSync(folder).find((name) => name.startsWith('cameras.json.damaged-'));
    expect(readFileSync(join(folder, aside ?? ''), 'utf8')).toBe(damaged);
    expect(logged).toContain('put aside');
  });

  real('of a name that the configuration has are what the configuration says', async () => {
    const guest = { url: 'rtsp://127.0.0.1/other', quality: 'low' };
    const file = { version: 1, cameras: { gate: guest, gone: { stopped: true } } };
    writeFileSync(join(folder, 'cameras.json'), JSON.stringify(file));
    const edge = await begin({ gate: gate() });
    expect(edge.cameras.ids()).toEqual(['gate']);
    await waitFor('it streams', async () => (await view('gate'))?.state === 'streaming');
    expect(await view('gate')).toMatchObject({ change: null, analysed: { fps: 2, width: 640 } });
    await waitFor('the rest is forgotten', () => {
      const { cameras: kept } = overrides() as { cameras: object };
      return Object.keys(kept).length === 0;
    });
  });
});
