import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import type { HubToken } from '../../../src/hub/door/tokens.ts';
import { Hub, type HubOptions } from '../../../src/hub/hub.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLogger } from '../../../src/system/logger.ts';

export const hash = (token: string): string => createHash('sha256').update(token).digest('hex');

export const EDGE_TOKEN = 'edge-token';
export const VIEWER_TOKEN = 'viewer-token';
const TOKENS: HubToken[] = [
  { name: 'edge', type: 'ai_engine', sha256: hash(EDGE_TOKEN), scopes: USUAL_SCOPES },
  { name: 'viewer', type: 'frontend', sha256: hash(VIEWER_TOKEN), scopes: USUAL_SCOPES },
];

export interface EventRow {
  event_id: number;
  client_id: string;
  seq: number;
  type: string;
  status: number;
  replayed: number;
}

/** Data folder and hubs of one test; `end` leaves nothing behind. */
export class HubScene {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'apex-hub-'));
  readonly #hubs = new Set<Hub>();
  readonly #children = new Set<ChildProcess>();

  async start(options: Partial<HubOptions> = {}): Promise<{ hub: Hub; url: string }> {
    const hub = await Hub.start({
      host: '127.0.0.1',
      port: 0,
      dataDir: this.dataDir,
      tokens: TOKENS,
      log: silentLogger,
      clock: systemClock,
      random: Math.random,
      ...options,
    });
    this.#hubs.add(hub);
    return { hub, url: `ws://127.0.0.1:${hub.address.port}/ws` };
  }

  /** A hub as a process of its own, so that it can be killed. */
  async spawn(port = 0): Promise<{ child: ChildProcess; url: string; port: number }> {
    const options = { host: '127.0.0.1', port, dataDir: this.dataDir, tokens: TOKENS };
    const program = join(this.dataDir, 'hub-program.mjs');
    writeFileSync(program, HUB_PROGRAM);
    const dist = new URL('../../../dist/', import.meta.url).href;
    const child = spawn(process.execPath, [program, dist, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.add(child);
    const ended = once(child, 'exit').then(() => {
      throw new Error('the hub process ended early');
    });
    const [line] = await Promise.race([once(createInterface(child.stdout!), 'line'), ended]);
    ended.catch(() => undefined);
    const bound = Number(line);
    return { child, port: bound, url: `ws://127.0.0.1:${bound}/ws` };
  }

  async kill(child: ChildProcess): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    this.#children.delete(child);
  }

  async stop(hub: Hub): Promise<void> {
    this.#hubs.delete(hub);
    await hub.stop();
  }

  /** The event table; only while no hub runs. */
  events(): EventRow[] {
    const db = new Database(join(this.dataDir, 'hub.sqlite'));
    try {
      return db.prepare('SELECT * FROM event ORDER BY event_id').all() as EventRow[];
    } finally {
      db.close();
    }
  }

  async end(): Promise<void> {
    for (const child of this.#children) await this.kill(child);
    for (const hub of this.#hubs) await hub.stop();
    rmSync(this.dataDir, { recursive: true });
  }
}

const HUB_PROGRAM = `
const [dist, options] = process.argv.slice(2);
const { Hub } = await import(new URL('hub/hub.js', dist));
const { systemClock } = await import(new URL('system/clock.js', dist));
const { silentLogger } = await import(new URL('system/logger.js', dist));
const more = { log: silentLogger, clock: systemClock, random: Math.random };
const hub = await Hub.start({ ...JSON.parse(options), ...more });
console.log(hub.address.port);
`;

export function httpOf(url: string): string {
  return url.replace('ws:', 'http:').replace(/\/ws$/, '');
}
