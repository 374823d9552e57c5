import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A folder that is removed at the end of the test run's process. */
export function temporaryFolder(name: string): string {
  const path = mkdtempSync(join(tmpdir(), `apex-${name}-`));
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A port that was free a moment ago, for programs that must come back on the same one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Waits until the condition holds, and says what did not happen when it never does. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) {
      return value as NonNullable<Exclude<T, false>>;
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await delay(50);
  }
}

/** One run of `apex-edge` as users start it. */
export class Program {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk) => {
      this.stdout += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      this.stderr += String(chunk);
    });
  }

  static start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
    return new Program(
      spawn(process.execPath, [CLI, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...env },
      }),
    );
  }

  /** Starts the program with this configuration, written to a file of its own. */
  static startWithConfig(command: 'run' | 'hub', folder: string, config: object): Program {
    const file = join(folder, `${command}.yaml`);
    writeFileSync(file, stringify(config), { mode: 0o600 });
    return Program.start([command, '--config', file]);
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error('not started');
    return pid;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Sends the signal and waits for the end; returns the exit code, or the signal that ended it. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    if (!this.hasEnded) {
      this.child.kill(signal);
      await once(this.child, 'exit');
    }
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** Waits for the end and for the last of the output. */
  async closed(): Promise<number | NodeJS.Signals | null> {
    if (!this.hasEnded || !this.child.stdout?.closed) await once(this.child, 'close');
    return this.child.exitCode ?? this.child.signalCode;
  }

  async exit(): Promise<number | NodeJS.Signals | null> {
    if (!this.hasEnded) await once(this.child, 'exit');
    return this.child.exitCode ?? this.child.signalCode;
  }
}
