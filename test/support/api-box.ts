import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { stringify } from 'yaml';
import { scopesOf } from '../../src/api/access/visitor.ts';
import { loadConfig } from '../../src/config/load.ts';
import { EdgeDaemon } from '../../src/edge/daemon.ts';
import { TokenFile } from '../../src/hub/door/token-file.ts';
import type { Role } from '../../src/protocol/local-api/route.ts';
import { LogRing } from '../../src/system/log-ring.ts';
import { createLogger } from '../../src/system/logging.ts';
import { clipPath, modelPath } from './assets.ts';
import { temporaryFolder, waitFor } from './program.ts';

/** A visitor of the tests: a role, and of `limited` the cameras. */
export const VISITORS = {
  viewer: { role: 'viewer', cameras: null },
  limited: { role: 'viewer', cameras: ['hall'] },
  operator: { role: 'operator', cameras: null },
  admin: { role: 'admin', cameras: null },
} as const satisfies Record<string, { role: Role; cameras: readonly string[] | null }>;
export type VisitorName = keyof typeof VISITORS;

export const SECRETS = {
  camera: 'Cam-p4ss:w0rd/of?it',
  uplink: 'uplink-token-that-nobody-may-see',
};

/** The same in every run of a test: a box that starts again knows its tokens. */
export function tokenOf(visitor: VisitorName): string {
  return `token-of-${visitor}`.padEnd(43, '0');
}

/**
 * A daemon with its local API in this process: `hall` and `yard` play real footage over and over, `gate` cannot be
 * reached and has a password.
 */
export class ApiBox {
  readonly folder: string;
  readonly #config: object;
  #daemon: EdgeDaemon | null = null;
  logged = '';

  constructor(name: string, config: object = {}) {
    this.folder = temporaryFolder(name);
    const footage = (file: string) => ({ path: clipPath(file), loop: true, detect: { fps: 5 } });
    this.#config = {
      edge: { id: 'box-1', data_dir: this.folder },
      models: { dir: join(this.folder, 'models') },
      detector: { model: modelPath('yolov8n.onnx'), provider: 'cpu' },
      uplink: { url: 'ws://127.0.0.1:9/', token: SECRETS.uplink },
      api: { port: 0 },
      cameras: {
        hall: footage('one-by-one-person-detection.mp4'),
        yard: footage('people-walking.mp4'),
        gate: {
          url: 'rtsp://127.0.0.1:9/gate',
          username: 'viewer',
          password: SECRETS.camera,
          enabled: false,
        },
      },
      ...config,
    };
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.configPath, `# of this box\n${stringify(this.#config)}`, { mode: 0o600 });
    this.#addTokens();
  }

  get configPath(): string {
    return join(this.folder, 'config.yaml');
  }

  get daemon(): EdgeDaemon {
    if (this.#daemon === null) throw new Error('the box is not running');
    return this.#daemon;
  }

  /** Until the API listens. */
  async start(port?: number): Promise<this> {
    await this.begin(port);
    await waitFor('the API listens', async () => (await this.daemon.status()).api.url);
    this.#url = (await this.daemon.status()).api.url?.replace('0.0.0.0', '127.0.0.1') ?? '';
    return this;
  }

  /** @param port in place of that of the configuration */
  async begin(port?: number): Promise<void> {
    const logs = new LogRing();
    const destination = {
      write: (line: string): void => {
        this.logged += line;
      },
    };
    const log = createLogger({ level: 'debug', name: 'edge', env: {}, destination, ring: logs });
    const env = port === undefined ? {} : { APEX_EDGE__api__port: String(port) };
    const loaded = loadConfig(this.configPath, env);
    this.#daemon = await EdgeDaemon.start({ loaded, env: {}, log, logs });
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = null;
  }

  /** Until both cameras are analysed. */
  async streaming(): Promise<void> {
    await waitFor('both cameras are analysed', async () => {
      const { cameras } = await this.daemon.status();
      return cameras.filter(({ frames_analysed: count }) => count > 2).length === 2;
    });
  }

  #url = '';

  url(path: string): string {
    return new URL(path, this.#url).href;
  }

  /** @param as null for somebody without a token */
  fetch(
    as: VisitorName | null,
    path: string,
    { method = 'GET', body, headers = {}, signal }: CallOptions = {},
  ): Promise<Response> {
    const isBytes = body instanceof Uint8Array;
    return fetch(this.url(path), {
      method,
      headers: {
        ...(as !== null && { Authorization: `Bearer ${tokenOf(as)}` }),
        ...(body !== undefined && {
          'Content-Type': isBytes ? 'image/jpeg' : 'application/json',
        }),
        ...headers,
      },
      ...(body !== undefined && { body: isBytes ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  }

  /** The answer, which has to be a good one. */
  async json(as: VisitorName, path: string, options: CallOptions = {}): Promise<never> {
    const response = await this.fetch(as, path, options);
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${options.method ?? 'GET'} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as never;
  }

  socket(): WebSocket {
    return new WebSocket(this.url('/ws').replace('http', 'ws'));
  }

  #addTokens(): void {
    const file = new TokenFile(TokenFile.pathIn(this.folder));
    for (const [name, { role, cameras }] of Object.entries(VISITORS)) {
      const sha256 = createHash('sha256')
        .update(tokenOf(name as VisitorName))
        .digest('hex');
      const scopes = scopesOf(role, cameras);
      file.add({ name, type: 'frontend', sha256, scopes, createdMs: 1, expiresMs: undefined });
    }
    file.close();
  }
}

export interface CallOptions {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}
