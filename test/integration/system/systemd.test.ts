import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../../../src/system/logger.ts';
import { createServiceNotifier } from '../../../src/system/systemd.ts';

/** Node cannot open datagram sockets, so a Python process stands in for systemd and prints what it hears. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(repr(s.recv(4096).decode()), flush=True)
`;

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const canRun = has('systemd-notify') && has('python3');
if (!canRun) console.warn('SKIPPED TESTS: needs the commands systemd-notify and python3');

let receiver: ChildProcess | undefined;
let folder = '';

afterEach(() => {
  vi.unstubAllEnvs();
  receiver?.kill('SIGKILL');
  if (folder !== '') rmSync(folder, { recursive: true });
});

test.skipIf(!canRun && process.env.CI === undefined)(
  'the real systemd-notify delivers ready, status, keep-alives and stopping',
  async () => {
    folder = mkdtempSync(join(tmpdir(), 'apex-notify-'));
    const socket = join(folder, 'notify');
    receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    let heard = '';
    receiver.stdout?.on('data', (chunk) => {
      heard += chunk;
    });
    await vi.waitFor(() => expect(existsSync(socket) && heard).toContain('listening'), 5_000);

    vi.stubEnv('NOTIFY_SOCKET', socket);
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' };
    const service = createServiceNotifier({ env, log: silentLogger });
    service.ready('2 cameras');
    service.status('1 of 2 cameras');
    service.startWatchdog(() => true);
    await vi.waitFor(() => expect(heard.split('WATCHDOG=1').length).toBeGreaterThan(3), 5_000);
    await service.stopping('draining');
    await vi.waitFor(() => expect(heard).toContain('STOPPING=1'), 5_000);
    expect(heard).toContain(`MAINPID=${process.pid}`);
    expect(heard).toMatch(/READY=1[\s\S]*STATUS=1 of 2 cameras[\s\S]*STOPPING=1\\nSTATUS=draining/);
  },
);
