import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Output kept for the report of a failed test. */
const KEPT_CHARACTERS = 200_000;

/**
 * A program that is to be harmed: it may run under a prefix (`strace …`, `ip netns exec …`, `faketime …`), and
 * signals go to the program itself, whose pid it tells in its output.
 */
export class ProcessUnderTest {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Of the program, behind all prefixes. */
  pid: number | null = null;
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(
    command: readonly string[],
    options: { env?: NodeJS.ProcessEnv; onLine?: (line: string) => void } = {},
  ) {
    this.#onLine = options.onLine ?? (() => undefined);
    const [program = '', ...args] = command;
    this.child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#onStdout(text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-KEPT_CHARACTERS);
    });
    // A program that was killed no longer reads; that is what is tested.
    this.child.stdin?.on('error', () => undefined);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Ended by SIGKILL, its prefix along with it. */
  get wasKilled(): boolean {
    return this.child.signalCode === 'SIGKILL' || this.child.exitCode === 137;
  }

  write(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) process.kill(this.#programPid(), signal);
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    try {
      this.signal(signal);
    } catch (error) {
      // It ended between the look and the signal.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await this.ended();
  }

  async ended(): Promise<void> {
    if (!this.hasEnded) await once(this.child, 'exit');
  }

  #programPid(): number {
    const pid = this.pid ?? this.child.pid;
    if (pid === undefined) throw new Error('the program was not started');
    return pid;
  }

  #onStdout(text: string): void {
    this.stdout = (this.stdout + text).slice(-KEPT_CHARACTERS);
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line);
  }
}
