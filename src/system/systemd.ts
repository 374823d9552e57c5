import { spawn as spawnChild } from 'node:child_process';
import notifyPackage from 'systemd-notify';
import { type Clock, systemClock, type TimerHandle } from './clock.ts';
import { ApexError } from './errors.ts';
import type { Logger } from './logger.ts';
import { redactText } from './redact.ts';

/** Longer than any healthy call (15 ms), far shorter than any watchdog interval in use. */
const HELPER_TIMEOUT_MS = 5_000;

/** What a service tells its manager (sd_notify(3)). Nothing here waits, throws or rejects. */
export interface ServiceNotifier {
  /** The service is up; sent once. */
  ready(status?: string): void;
  /** One line for `systemctl status`. Of several in quick succession only the newest is sent. */
  status(text: string): void;
  /** The service is going down, and sends no more keep-alives. Resolves when the manager was told, or could not be. */
  stopping(status?: string): Promise<void>;
  /**
   * Keeps systemd's watchdog quiet as long as `isHealthy` says so; without a watchdog does nothing.
   * An unhealthy service is killed and restarted by systemd when its `WatchdogSec=` has passed.
   */
  startWatchdog(isHealthy: () => boolean): void;
}

export interface ServiceNotifierOptions {
  /** `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` as systemd sets them. */
  env: NodeJS.ProcessEnv;
  log: Logger;
  clock?: Clock;
  spawn?: typeof spawnChild;
}

/** Speaks to the systemd that started this process; does nothing when it was started otherwise. */
export function createServiceNotifier(options: ServiceNotifierOptions): ServiceNotifier {
  return options.env.NOTIFY_SOCKET ? new SystemdNotifier(options) : NO_NOTIFIER;
}

const NO_NOTIFIER: ServiceNotifier = {
  ready() {},
  status() {},
  stopping: () => Promise.resolve(),
  startWatchdog() {},
};

/**
 * Speaks through the command systemd-notify, because Node cannot open datagram sockets. Each message is sent by
 * a child process, so the unit needs `NotifyAccess=all`.
 */
class SystemdNotifier implements ServiceNotifier {
  readonly #options: ServiceNotifierOptions;
  readonly #clock: Clock;
  readonly #spawn: typeof spawnChild;
  /** Messages leave one after the other: a status must not overtake READY. */
  #lastMessage: Promise<void> = Promise.resolve();
  #nextStatus: string | null = null;
  #lastStatus: string | null = null;
  #watchdog: TimerHandle | null = null;
  #isStopping = false;
  #isBroken = false;

  constructor(options: ServiceNotifierOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#spawn = options.spawn ?? spawnChild;
  }

  ready(status = 'running'): void {
    this.#lastStatus = singleLine(status);
    void this.#enqueue(() => notifyPackage({ ready: true, status: singleLine(status) }));
  }

  status(text: string): void {
    const status = singleLine(text);
    if (this.#isStopping || status === (this.#nextStatus ?? this.#lastStatus)) return;
    const isQueued = this.#nextStatus !== null;
    this.#nextStatus = status;
    if (isQueued) return;
    void this.#enqueue(() => {
      const newest = this.#nextStatus ?? status;
      this.#nextStatus = null;
      this.#lastStatus = newest;
      return notifyPackage({ status: newest });
    });
  }

  stopping(status = 'stopping'): Promise<void> {
    this.#isStopping = true;
    this.#watchdog?.cancel();
    this.#watchdog = null;
    return this.#enqueue(() => this.#send(['STOPPING=1', `STATUS=${singleLine(status)}`]));
  }

  startWatchdog(isHealthy: () => boolean): void {
    const { env, log } = this.#options;
    const intervalMs = watchdogIntervalMs(env);
    if (intervalMs === null || this.#watchdog !== null) return;
    log.info({ interval_ms: intervalMs }, 'watchdog started');
    const beat = (): void => {
      if (this.#isStopping) return;
      // The next beat is set first: nothing that goes wrong with this one may end the series.
      this.#watchdog = this.#clock.setTimeout(beat, intervalMs);
      if (isHealthy()) void this.#attempt(() => this.#send(['WATCHDOG=1']));
      else log.warn({}, 'watchdog not fed: unhealthy');
    };
    beat();
  }

  #enqueue(send: () => Promise<unknown>): Promise<void> {
    this.#lastMessage = this.#lastMessage.then(() => this.#attempt(send));
    return this.#lastMessage;
  }

  /** Failing to tell systemd is logged, once until it works again, and never more than that. */
  async #attempt(send: () => Promise<unknown>): Promise<void> {
    try {
      await this.#limited(send());
      this.#isBroken = false;
    } catch (error) {
      if (this.#isBroken) return;
      this.#isBroken = true;
      const cause = error instanceof Error ? error : new Error(String(error));
      const err = new ApexError('SYSTEMD_NOTIFY_FAILED', cause.message, { cause });
      this.#options.log.warn({ err }, 'systemd not notified');
    }
  }

  #limited(sent: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(
        () => reject(new Error(`systemd-notify did not end within ${HELPER_TIMEOUT_MS} ms`)),
        HELPER_TIMEOUT_MS,
      );
      sent.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  /** For what the package systemd-notify does not know: assignments, passed to the command as they are. */
  #send(assignments: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn('systemd-notify', [...assignments], {
        stdio: 'ignore',
        timeout: HELPER_TIMEOUT_MS,
        killSignal: 'SIGKILL',
      });
      child.once('error', reject);
      child.once('close', (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`systemd-notify ended with ${signal ?? code}`));
      });
    });
  }
}

/** Half of what systemd allows between two keep-alives; null where it expects none of this process. */
function watchdogIntervalMs(env: NodeJS.ProcessEnv): number | null {
  const microseconds = Number(env.WATCHDOG_USEC);
  if (!Number.isFinite(microseconds) || microseconds <= 0) return null;
  if (env.WATCHDOG_PID && Number(env.WATCHDOG_PID) !== process.pid) return null;
  return microseconds / 2 / 1000;
}

/** A line break would end the assignment in sd_notify's protocol. */
function singleLine(text: string): string {
  return redactText(text).replace(/\s+/g, ' ').trim();
}
