import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Clock } from '../../../src/system/clock.ts';
import type { Logger } from '../../../src/system/logger.ts';
import { createServiceNotifier } from '../../../src/system/systemd.ts';

/** A clock whose timers fire when told, in order. */
class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();

  monotonicMs(): number {
    return this.#now;
  }

  wallMs(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delayMs: number) {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }
}

let folder: string;
let warnings: string[];
let log: Logger;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apex-systemd-'));
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
  warnings = [];
  log = {
    debug() {},
    info() {},
    warn: (_, event) => void warnings.push(event),
    error() {},
    child: () => log,
  };
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Puts a command of that name first in PATH. */
function installCommand(body: string): void {
  const path = join(folder, 'systemd-notify');
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

function sent(): string[] {
  const path = join(folder, 'sent');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

const RECORD = () => `echo "$*" >> ${folder}/sent`;
const SYSTEMD = { NOTIFY_SOCKET: '/run/systemd/notify' };

describe('createServiceNotifier', () => {
  test('does nothing where systemd did not start the process', async () => {
    installCommand(RECORD());
    const service = createServiceNotifier({ env: {}, log });
    service.ready();
    service.status('x');
    service.startWatchdog(() => true);
    await service.stopping();
    expect(sent()).toEqual([]);
  });

  test('tells ready, status and stopping in this order', async () => {
    installCommand(RECORD());
    const service = createServiceNotifier({ env: SYSTEMD, log });
    service.ready('2 cameras');
    service.status('1 of 2\ncameras');
    await service.stopping('draining');
    expect(sent()).toEqual([
      `--ready --pid=${process.pid} --status=2 cameras`,
      `--pid=${process.pid} --status=1 of 2 cameras`,
      'STOPPING=1 STATUS=draining',
    ]);
    expect(warnings).toEqual([]);
  });

  test('of many states sends the newest, never one twice, and no secret', async () => {
    installCommand(RECORD());
    const service = createServiceNotifier({ env: SYSTEMD, log });
    service.ready('up');
    service.status('up');
    for (const text of ['a', 'b', 'lost rtsp://u:secret@cam/1']) service.status(text);
    await service.stopping();
    expect(sent().slice(1, -1)).toEqual([`--pid=${process.pid} --status=lost rtsp://***@cam/1`]);
  });

  test('feeds the watchdog at half of its time while healthy, and not when stopping', async () => {
    installCommand(RECORD());
    const clock = new ManualClock();
    const env = { ...SYSTEMD, WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) };
    const service = createServiceNotifier({ env, log, clock });
    let isHealthy = true;
    service.startWatchdog(() => isHealthy);
    await vi.waitFor(() => expect(sent()).toEqual(['WATCHDOG=1']));
    clock.advance(29_999);
    isHealthy = false;
    clock.advance(1);
    expect(warnings).toEqual(['watchdog not fed: unhealthy']);
    isHealthy = true;
    clock.advance(30_000);
    await vi.waitFor(() => expect(sent()).toEqual(['WATCHDOG=1', 'WATCHDOG=1']));
    await service.stopping();
    clock.advance(120_000);
    expect(sent().at(-1)).toContain('STOPPING=1');
  });

  test('leaves a watchdog alone that is meant for another process', () => {
    installCommand(RECORD());
    const clock = new ManualClock();
    const env = { ...SYSTEMD, WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' };
    createServiceNotifier({ env, log, clock }).startWatchdog(() => true);
    clock.advance(1_000);
    expect(sent()).toEqual([]);
  });

  test('logs once, and goes on, when the command fails or is not installed', async () => {
    installCommand('exit 3');
    const failing = createServiceNotifier({ env: SYSTEMD, log });
    failing.ready();
    failing.status('x');
    await failing.stopping();
    expect(warnings).toEqual(['systemd not notified']);

    vi.stubEnv('PATH', join(folder, 'empty'));
    const missing = createServiceNotifier({ env: SYSTEMD, log });
    missing.ready();
    await missing.stopping();
    expect(warnings).toHaveLength(2);
  });

  test('does not wait for a command that hangs', async () => {
    installCommand(`echo $$ > ${folder}/pid; exec tail -f /dev/null`);
    const clock = new ManualClock();
    const service = createServiceNotifier({ env: SYSTEMD, log, clock });
    const stopped = service.stopping();
    const pid = await vi.waitFor(() => {
      const text = readFileSync(join(folder, 'pid'), 'utf8').trim();
      expect(text).not.toBe('');
      return Number(text);
    });
    let isStopped = false;
    void stopped.then(() => {
      isStopped = true;
    });
    await vi.waitFor(() => {
      clock.advance(5_000);
      expect(isStopped).toBe(true);
    });
    process.kill(pid, 'SIGKILL');
    expect(warnings).toEqual(['systemd not notified']);
  });
});
