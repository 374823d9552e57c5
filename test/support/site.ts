import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchStatus } from '../../src/api/control-client.ts';
import type { EdgeStatus } from '../../src/api/edge-status.ts';
import { type ReceivedEvent, tailEvents } from '../../src/hub/tail/tail-client.ts';
import type { ObjectEvent } from '../../src/protocol/payloads.ts';
import { assets } from './assets.ts';
import { freePort, Program, temporaryFolder, waitFor } from './program.ts';
import { loadClip, RtspCamera } from './rtsp-camera.ts';

interface SiteOptions {
  fps?: number;
  /** Added to every camera of the configuration. */
  camera?: object;
  /** Of the configuration. */
  rules?: object;
  model?: string;
  /** In place of the right token. */
  uplink?: object;
  auth?: { user: string; password: string; digest: boolean };
  /** Cameras of the configuration beside those that are served. */
  extraCameras?: object;
  /** Cameras that must stream before the site counts as started; all when left out. */
  expectStreaming?: readonly string[];
  /** Play the clips over and over. */
  loop?: boolean;
  /** The clips begin this long after the start; until then their first picture is shown. */
  leadMs?: number;
}

/**
 * A whole camera site on loopback: RTSP cameras in this process, `apex-edge hub` and `apex-edge run` as
 * processes of their own. The cameras' clips run by the wall clock from `clipStartMs`, as live cameras do.
 */
export class Site {
  readonly folder: string;
  readonly #clips: Readonly<Record<string, string>>;
  readonly #options: SiteOptions;
  readonly #tokens = {
    edge: randomBytes(16).toString('hex'),
    viewer: randomBytes(16).toString('hex'),
  };
  #ports = { rtsp: 0, hub: 0 };
  #cameras: RtspCamera | null = null;
  #hub: Program | null = null;
  #edge: Program | null = null;
  clipStartMs = 0;

  private constructor(name: string, clips: Readonly<Record<string, string>>, options: SiteOptions) {
    this.folder = temporaryFolder(name);
    this.#clips = clips;
    this.#options = options;
  }

  static async start(
    name: string,
    clips: Readonly<Record<string, string>>,
    options: SiteOptions = {},
  ): Promise<Site> {
    const site = new Site(name, clips, options);
    try {
      site.#ports = { rtsp: await freePort(), hub: await freePort() };
      await site.restartHub();
      site.clipStartMs = Date.now() + (options.leadMs ?? 0);
      await site.restartCameras();
      await site.restartEdge();
    } catch (error) {
      await site.stop();
      throw error;
    }
    return site;
  }

  async restartEdge(): Promise<void> {
    this.#edge = Program.startWithConfig('run', this.folder, this.#edgeConfig());
    const cameras = this.#options.expectStreaming ?? Object.keys(this.#clips);
    await waitFor('the edge streams', async () => {
      if (this.edge.hasEnded) throw new Error(`the edge ended: ${this.edge.stderr}`);
      const status = await this.status();
      return cameras.every((id) =>
        status?.cameras.some(({ camera_id, state }) => camera_id === id && state === 'streaming'),
      );
    });
  }

  get edge(): Program {
    if (this.#edge === null) throw new Error('the edge was not started');
    return this.#edge;
  }

  get hubUrl(): string {
    return `ws://127.0.0.1:${this.#ports.hub}/ws`;
  }

  #edgeConfig(): object {
    const cameras = Object.keys(this.#clips).map((id) => [
      id,
      {
        url: `rtsp://127.0.0.1:${this.#ports.rtsp}/${id}`,
        detect: { fps: this.#options.fps ?? 5 },
        ...this.#options.camera,
      },
    ]);
    return {
      edge: { id: 'test-edge', data_dir: `${this.folder}/edge` },
      uplink: { url: this.hubUrl, ...(this.#options.uplink ?? { token: this.#tokens.edge }) },
      detector: {
        model: this.#options.model ?? `${assets().models}/yolov8n.onnx`,
        provider: 'cpu',
      },
      cameras: { ...Object.fromEntries(cameras), ...this.#options.extraCameras },
      rules: this.#options.rules ?? {},
    };
  }

  async status(): Promise<EdgeStatus | null> {
    return (await fetchStatus(`${this.folder}/edge`).catch(() => null)) as EdgeStatus | null;
  }

  /** Acts when the clip has reached this second. */
  async at(second: number, act: () => Promise<unknown>): Promise<void> {
    await delay(Math.max(0, this.clipStartMs + second * 1000 - Date.now()));
    await act();
  }

  async stopCameras(): Promise<void> {
    await this.#cameras?.close();
    this.#cameras = null;
  }

  async restartCameras(): Promise<void> {
    const cameras = new RtspCamera({ auth: this.#options.auth ?? null });
    const play = {
      loop: this.#options.loop ?? false,
      wallclock: true,
      startAtMs: this.clipStartMs,
    };
    for (const [id, clip] of Object.entries(this.#clips)) {
      cameras.addMount(id, await loadClip(clip), play);
    }
    await cameras.listen(this.#ports.rtsp);
    this.#cameras = cameras;
  }

  async killHub(): Promise<void> {
    await this.#hub?.end('SIGKILL');
  }

  async restartHub(): Promise<void> {
    this.#hub = Program.startWithConfig('hub', this.folder, {
      hub: {
        port: this.#ports.hub,
        data_dir: `${this.folder}/hub`,
        tokens: [
          { name: 'test-edge', type: 'ai_engine', token: this.#tokens.edge },
          { name: 'viewer', type: 'frontend', token: this.#tokens.viewer },
        ],
      },
    });
    await waitFor('the hub answers', async () => {
      const response = await fetch(`http://127.0.0.1:${this.#ports.hub}/api/health`).catch(
        () => null,
      );
      return response?.ok;
    });
  }

  /** Every event has ended and every message has been acknowledged. */
  async drained(): Promise<void> {
    await waitFor('everything delivered', async () => {
      const status = await this.status();
      return (
        status?.queue.depth === 0 &&
        status.cameras.every(({ events_started, events_ended }) => events_started === events_ended)
      );
    });
  }

  /** Everything that the hub has stored, in its order. */
  async messagesAtHub(): Promise<ReceivedEvent[]> {
    const received: ReceivedEvent[] = [];
    const enough = new AbortController();
    let quiet = setTimeout(() => enough.abort(), 5000);
    const events = tailEvents({
      url: this.hubUrl,
      token: this.#tokens.viewer,
      afterEventId: 0,
      signal: enough.signal,
    });
    for await (const event of events) {
      received.push(event);
      clearTimeout(quiet);
      quiet = setTimeout(() => enough.abort(), 1000);
    }
    return received;
  }

  /** A file of the edge, as the hub gives it. */
  async evidenceFromHub(cameraId: string, kind: string, id: string): Promise<Buffer> {
    const path = `/api/v1/cameras/${cameraId}/evidence/${kind}/${id}`;
    const response = await fetch(`http://127.0.0.1:${this.#ports.hub}${path}`, {
      headers: { Authorization: `Bearer ${this.#tokens.viewer}` },
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  async objectEventsAtHub(cameraId: string): Promise<ObjectEvent[]> {
    return (await this.messagesAtHub())
      .filter(({ type }) => type === 'object_event')
      .map(({ data }) => data as ObjectEvent)
      .filter(({ camera_id }) => camera_id === cameraId);
  }

  async stop(): Promise<void> {
    await this.#edge?.end();
    await this.#hub?.end();
    await this.stopCameras();
  }
}
