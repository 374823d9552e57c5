// Starts and ends the servers of a benchmark, each a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { treeUsage } from './process-tree.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Servers that still run; they end with this process. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

class Server {
  /** @param address {url, token?} */
  constructor(child, address) {
    this.child = child;
    Object.assign(this, address);
  }

  get usage() {
    return treeUsage(this.child.pid);
  }

  async end(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal);
      await once(this.child, 'exit');
    }
    running.delete(this.child);
  }
}

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.errors = '';
  child.stderr.on('data', (chunk) => {
    child.errors += chunk;
  });
  return child;
}

/** The first line of its output that fits. Rejects with its errors where it ends before. */
function lineOf(child, wanted) {
  return new Promise((resolve, reject) => {
    // Read to the end of its life, so that it never waits for a reader of its log.
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (wanted(line)) resolve(line);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${child.spawnfile} ended: ${child.errors}`)));
  });
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Prepares a hub of its own folder; `start()` runs it, as often as wanted. */
export async function hubProgram(folder, options = {}, moreTokens = []) {
  const port = await freePort();
  const token = 'benchmark-token-of-one-run';
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'hub.yaml');
  const tokens = [{ name: 'bench', type: 'ai_engine', token }, ...moreTokens];
  const hub = { port, data_dir: join(folder, 'data'), tokens };
  writeFileSync(config, JSON.stringify({ hub, log: { level: 'info' }, ...options }), {
    mode: 0o600,
  });
  return {
    database: join(folder, 'data', 'hub.sqlite'),
    /** `listeningAt`: Unix time in milliseconds when it began to listen, as it says itself. */
    async start() {
      const child = start(process.execPath, [CLI, 'hub', '--config', config]);
      const line = await lineOf(child, (text) => text.includes('"hub listening"'));
      const listeningAt = Date.parse(JSON.parse(line).time);
      return new Server(child, { url: `ws://127.0.0.1:${port}/ws`, token, listeningAt });
    },
  };
}

export async function peerServer(kind) {
  const child = start(process.execPath, [join(here, 'peer-server.mjs'), kind]);
  const port = await lineOf(child, () => true);
  return new Server(child, { url: `${kind === 'echo' ? 'ws' : 'http'}://127.0.0.1:${port}` });
}

/** With persistence on, as Debian ships it: saved every 30 minutes and at the end, not before each PUBACK. */
export async function mosquitto(folder) {
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${folder}/`,
    `user ${process.getuid() === 0 ? 'root' : 'mosquitto'}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = start('mosquitto', ['-c', config]);
  const failed = once(child, 'error').then(([error]) => Promise.reject(error));
  await Promise.race([answering(port, child), failed]);
  return new Server(child, { url: `mqtt://127.0.0.1:${port}` });
}

async function answering(port, child) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    if (child.exitCode !== null) throw new Error(`mosquitto ended: ${child.errors}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Runs a script of this folder as a process and returns what its last line says.
 * @param end exit code, or the signal that it ends itself by
 */
export async function stage(script, plan, end = 0) {
  const child = spawn(process.execPath, [join(here, script), JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code, signal] = await once(child, 'close');
  running.delete(child);
  if ((code ?? signal) !== end) throw new Error(`${script} ended with ${code ?? signal}`);
  return JSON.parse(output.trim().split('\n').at(-1));
}
