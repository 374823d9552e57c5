import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock } from '../system/clock.ts';
import { parentDeathGuard } from '../system/parent-death.ts';

/** How a child ended. `error` is set when it could not be started at all. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  error: Error | null;
}

export interface FfmpegStart {
  path: string;
  args: readonly string[];
  /** Written to standard input, which is then closed; null leaves it empty. */
  stdin: string | Buffer | null;
  /** Whether descriptor 3 is read too. */
  pictures: boolean;
  onLine: (line: string) => void;
}

/** Between the request to end and the kill: ffmpeg may ignore SIGTERM while it waits on the network. */
const TERMINATION_GRACE_MS = 2000;

/**
 * A running ffmpeg, leader of its own process group.
 *
 * It cannot outlive its parent: `stop` ends the whole group, and where util-linux is installed the kernel kills
 * it when the thread that started it is gone, however that thread ended. So it must be started from a thread
 * that lives as long as it should: the main thread.
 */
export class FfmpegProcess {
  /** Resolves when the process has ended, is reaped, and all it wrote has been read. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  #hasEnded = false;

  private constructor(child: ChildProcess, clock: Clock, onLine: (line: string) => void) {
    this.#child = child;
    this.#clock = clock;
    // A script that nobody reads any more: the exit code tells why.
    child.stdin?.on('error', () => {});
    if (child.stderr) {
      const lines = createInterface({ input: child.stderr });
      lines.on('line', onLine);
      // After the last line nobody will start to read the output any more; unread, it would hold up 'close'.
      lines.on('close', () => this.#discardUnread());
    }
    this.ended = new Promise((resolve) => {
      let error: Error | null = null;
      const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#hasEnded = true;
        resolve({ code: error === null ? code : null, signal, error });
      };
      child.on('error', (cause) => {
        error = cause;
        // A process that never began may never close either.
        if (child.pid === undefined) finish(null, null);
      });
      child.on('close', finish);
    });
  }

  static async start(start: FfmpegStart, clock: Clock): Promise<FfmpegProcess> {
    const guard = await parentDeathGuard();
    const [command = start.path, ...args] = [...guard, start.path, ...start.args];
    const child = spawn(command, args, {
      detached: true,
      stdio: [
        start.stdin === null ? 'ignore' : 'pipe',
        'pipe',
        'pipe',
        start.pictures ? 'pipe' : 'ignore',
      ],
    });
    const process = new FfmpegProcess(child, clock, start.onLine);
    child.stdin?.end(start.stdin);
    return process;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Model frames, descriptor 1. */
  get frames(): Readable {
    return this.#stream(1);
  }

  /** Snapshot pictures, descriptor 3. */
  get pictures(): Readable {
    return this.#stream(3);
  }

  /** Ends the process group; resolves when it is gone. Unread output is thrown away. */
  async stop(): Promise<ProcessEnd> {
    if (!this.#hasEnded) {
      this.#signal('SIGTERM');
      const kill = this.#clock.setTimeout(() => this.#signal('SIGKILL'), TERMINATION_GRACE_MS);
      // 'close' comes only after everything is read or thrown away.
      for (const descriptor of [1, 3]) this.#child.stdio[descriptor]?.destroy();
      await this.ended;
      kill.cancel();
    }
    return this.ended;
  }

  #stream(descriptor: number): Readable {
    const stream = this.#child.stdio[descriptor];
    if (!stream) throw new Error(`ffmpeg was started without descriptor ${descriptor}`);
    return stream as Readable;
  }

  #discardUnread(): void {
    for (const descriptor of [1, 3]) {
      const stream = this.#child.stdio[descriptor] as Readable | null | undefined;
      if (stream && stream.listenerCount('data') === 0) stream.resume();
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // The group is gone already.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
