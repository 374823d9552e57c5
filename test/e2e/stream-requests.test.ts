import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { treeProcesses } from '../../scripts/bench/process-tree.mjs';
import { fetchStatus } from '../../src/api/control-client.ts';
import type { CameraView, EdgeStatus } from '../../src/api/edge-status.ts';
import { type Frame, RawClient } from '../integration/hub/raw-client.ts';
import { assets, clipPath, testWithAssets } from '../support/assets.ts';
import { freePort, Program, temporaryFolder, waitFor } from '../support/program.ts';
import { loadClip, RtspCamera } from '../support/rtsp-camera.ts';

const CLIP = 'people-walking.mp4';
const run = testWithAssets({ models: 'yolov8n.onnx', media: CLIP });

const PASSWORD = 'gate-pa55word';
const TOKENS = { edge: 'token-of-the-edge', viewer: 'token-of-the-viewer' };

/** A listening port that takes connections and says nothing. */
class SilentPort {
  connections = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(() => this.connections++);
  }

  static async open(port: number): Promise<SilentPort> {
    const silent = new SilentPort();
    await new Promise<void>((resolve) => silent.#server.listen(port, '127.0.0.1', resolve));
    return silent;
  }

  close(): void {
    this.#server.close();
  }
}

async function startHub(folder: string, timeoutS: number): Promise<{ hub: Program; url: string }> {
  const port = await freePort();
  const hub = Program.startWithConfig('hub', folder, {
    hub: {
      port,
      data_dir: `${folder}/hub`,
      limits: { stream_request_timeout_s: timeoutS },
      tokens: [
        { name: 'edge', type: 'ai_engine', token: TOKENS.edge },
        { name: 'viewer', type: 'frontend', token: TOKENS.viewer },
      ],
    },
  });
  await waitFor('the hub answers', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/api/health`).catch(() => null);
    return response?.ok;
  });
  return { hub, url: `ws://127.0.0.1:${port}/ws` };
}

function viewerAt(url: string): Promise<RawClient> {
  return RawClient.identified(url, { token: TOKENS.viewer, clientId: 'v', type: 'frontend' });
}

describe('stream requests', () => {
  const programs: Program[] = [];
  const folder = temporaryFolder('stream-requests');
  let ports: { rtsp: number; dead: number; silent: number; forbidden: number };
  let camera: RtspCamera;
  let silent: SilentPort;
  let forbidden: SilentPort;
  let edge: Program;
  let viewer: RawClient;
  let address = '';

  beforeAll(async () => {
    const [rtsp, dead, quiet, other] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    ports = { rtsp, dead, silent: quiet, forbidden: other };
    silent = await SilentPort.open(ports.silent);
    forbidden = await SilentPort.open(ports.forbidden);
    camera = new RtspCamera({ auth: { user: 'viewer', password: PASSWORD, digest: true } });
    camera.addMount('door', await loadClip(clipPath(CLIP)), { loop: true, wallclock: true });
    await camera.listen(ports.rtsp);
    address = `rtsp://viewer:${PASSWORD}@127.0.0.1:${ports.rtsp}/door`;
    const { hub, url } = await startHub(folder, 60);
    edge = Program.startWithConfig('run', folder, {
      edge: { id: 'box', data_dir: `${folder}/edge` },
      uplink: {
        url,
        token: TOKENS.edge,
        stream_requests: {
          allow_addresses: [ports.rtsp, ports.dead, ports.silent].map((port) => ({
            scheme: 'rtsp',
            host: '127.0.0.0/8',
            port,
          })),
        },
      },
      detector: { model: `${assets().models}/yolov8n.onnx`, provider: 'cpu' },
      cameras: {},
    });
    programs.push(edge, hub);
    viewer = await viewerAt(url);
    viewer.send('subscribe', { types: ['*'], cameras: ['*'] });
    await waitFor('the edge is connected', async () => {
      if (edge.hasEnded) throw new Error(`the edge ended: ${edge.stderr}`);
      return (await status())?.uplink.state === 'authenticated';
    });
  }, 120_000);

  afterAll(async () => {
    viewer?.close();
    for (const program of programs) await program.end();
    await camera?.close();
    silent?.close();
    forbidden?.close();
  });

  async function status(): Promise<EdgeStatus | null> {
    return (await fetchStatus(`${folder}/edge`).catch(() => null)) as EdgeStatus | null;
  }

  async function view(id: string): Promise<CameraView | undefined> {
    return (await status())?.cameras.find(({ camera_id }) => camera_id === id);
  }

  function start(id: string, url: string, requestId: string, more: object = {}): void {
    viewer.send('stream_start_request', { camera_id: id, rtsp_url: url, ...more }, requestId);
  }

  function decoders(): number[] {
    return treeProcesses(edge.pid)
      .filter(({ pid }) => commandOf(pid).includes('ffmpeg'))
      .map(({ pid }) => pid);
  }

  run(
    'a camera is started, changed and stopped for a viewer',
    async () => {
      start('door', address, 'start', { quality: { fps: 4 } });
      const success = await viewer.next('stream_start_success');
      expect(success.request_id).toBe('start');
      const started = await view('door');
      expect(started?.frames_analysed).toBeGreaterThan(0);
      expect(success.data.quality).toMatchObject({ fps: 4, width: started?.analysed?.width });
      await detectionOf(viewer, 'door');

      const before = decoders();
      expect(before).toHaveLength(1);
      start('door', address, 'start', { quality: { fps: 4 } });
      expect((await viewer.next('stream_start_success')).data).toEqual(success.data);
      expect(decoders()).toEqual(before);

      const quality = { fps: 1, width: 320, height: 320 };
      viewer.send('stream_quality_change', { camera_id: 'door', quality }, 'change');
      const changed = await viewer.next('stream_quality_success');
      const analysed = (await view('door'))?.analysed;
      expect(changed.data.quality).toEqual(analysed);
      expect(analysed?.fps).toBe(1);
      expect(analysed?.width).toBeLessThan(started?.analysed?.width ?? 0);

      const [told] = [edge.stdout + edge.stderr + JSON.stringify(await status())];
      expect(told).not.toContain(PASSWORD);
      const commands = treeProcesses(edge.pid).map(({ pid }) => commandOf(pid));
      expect(commands.join(' ')).not.toContain(PASSWORD);

      viewer.send('stream_stop_request', { camera_id: 'door' }, 'stop');
      await viewer.next('stream_stop_success');
      expect(decoders()).toEqual([]);
      expect(await view('door')).toBeUndefined();
      viewer.send('stream_stop_request', { camera_id: 'door' }, 'stop once more');
      expect((await viewer.next('stream_stop_error')).data.code).toBe('camera_unknown');
    },
    180_000,
  );

  run(
    'an address that leads nowhere is answered with the cause',
    async () => {
      start('dead', `rtsp://127.0.0.1:${ports.dead}/x`, 'dead');
      const { data } = await viewer.next('stream_start_error');
      expect(data).toMatchObject({ camera_id: 'dead', code: 'CAPTURE_REFUSED' });
      expect(await view('dead')).toBeUndefined();
    },
    120_000,
  );

  run('an address that is not allowed is not so much as tried', async () => {
    start('spy', `rtsp://127.0.0.1:${ports.rtsp}@localhost:${ports.forbidden}/x`, 'trick');
    start('spy', `rtsp://127.0.0.1:${ports.forbidden}/x`, 'plain');
    for (const id of ['trick', 'plain'])
      expect(await viewer.next('stream_start_error')).toMatchObject({
        request_id: id,
        data: { code: 'STREAM_ADDRESS_FORBIDDEN', retryable: false },
      });
    start('spy', 'file:///etc/passwd', 'file');
    expect((await viewer.next('stream_start_error')).data.code).toBe('STREAM_ADDRESS_INVALID');
    expect(forbidden.connections).toBe(0);
  });

  run(
    'an edge that dies while it is at work is offline',
    async () => {
      start('mute', `rtsp://127.0.0.1:${ports.silent}/x`, 'mute');
      await waitFor('the edge tries the address', () => silent.connections > 0);
      await edge.end('SIGKILL');
      expect(await viewer.next('stream_start_error')).toMatchObject({
        request_id: 'mute',
        data: { code: 'edge_offline', retryable: true },
      });
    },
    120_000,
  );

  run('an edge that never answers has timed out', async () => {
    const place = temporaryFolder('silent-edge');
    const { hub, url } = await startHub(place, 1);
    programs.push(hub);
    const more = { cameras: ['gate'] };
    const standIn = await RawClient.identified(url, { token: TOKENS.edge, clientId: 'e', more });
    const asker = await viewerAt(url);
    asker.send('stream_stop_request', { camera_id: 'gate' }, 'r');
    await standIn.next('stop_stream_processing');
    expect((await asker.next('stream_stop_error')).data.code).toBe('edge_timeout');
    standIn.close();
    asker.close();
  });
});

async function detectionOf(viewer: RawClient, cameraId: string): Promise<Frame> {
  for (;;) {
    const event = await viewer.next('ai_detection_result');
    if (event.data.camera_id === cameraId) return event;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
