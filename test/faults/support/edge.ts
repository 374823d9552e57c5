import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QueueStatus } from '../../../src/store/store.ts';
import type { UplinkStatus } from '../../../src/uplink/uplink.ts';
import { ProcessUnderTest } from './process-under-test.ts';

const DRIVER = fileURLToPath(new URL('./edge-driver.mjs', import.meta.url));
const DIST = new URL('../../../dist/', import.meta.url).href;
const ANSWER_MS = 60_000;

type Kind = 'alert' | 'face' | 'event' | 'detection' | 'status';
/** Messages per second. */
type Rates = Partial<Record<Kind, number>>;

export interface EdgeOptions {
  /** Folder of the store. */
  readonly dir: string;
  /** The producer's own log; on another disk than `dir` where that one is filled or failed. */
  readonly log: string;
  /** Null for an edge without an uplink. */
  readonly hubUrl: string | null;
  readonly token: string;
  readonly clientId: string;
  readonly seed: number;
  readonly rates?: Rates;
  /** More options of `Store.open`: `budgetBytes` and the like. */
  readonly store?: object;
  /** Most random letters in a message. */
  readonly fillerBytes?: { readonly alert: number; readonly detection: number };
}

/** How one life of the edge is started. */
export interface LifeOptions {
  /** In front of `node`: `strace` and its arguments, `ip netns exec …`. */
  readonly prefix?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

interface Totals {
  readonly issued: number;
  readonly obligated: number;
  readonly refused: number;
}

interface EdgeState {
  readonly uplink: UplinkStatus | null;
  readonly totals: Totals;
  readonly alertsUnderWay: number;
  readonly memory: NodeJS.MemoryUsage;
  readonly cpu: NodeJS.CpuUsage;
}

interface Commands {
  rates: { args: { rates: Rates }; result: null };
  burst: {
    args: { kind: Kind; count: number; group?: number };
    result: { refused: number; tookMs: number; slowestMs: number };
  };
  probe: {
    args: Record<never, never>;
    result: { id: string; refusal: string | null; tookMs: number | null };
  };
  enqueue: { args: { kind: Kind }; result: { ids: string[]; refusal: string | null } };
  queue: { args: Record<never, never>; result: QueueStatus };
  token: { args: { token: string }; result: null };
  status: { args: Record<never, never>; result: EdgeState };
  latencies: { args: Record<never, never>; result: number[] };
  stop: { args: { drainMs: number }; result: null };
}

type Opening = { readonly tookMs: number } | 'ended';

/** An edge (store, uplink and a seeded producer) as a process, life after life over the same folder. */
export class EdgeUnderTest {
  readonly options: EdgeOptions;
  #life = 0;
  #process: ProcessUnderTest | null = null;
  #answers = new Map<number, (line: { result?: unknown; error?: string }) => void>();
  #nextId = 1;

  constructor(options: EdgeOptions) {
    this.options = options;
  }

  get process(): ProcessUnderTest {
    if (this.#process === null) throw new Error('the edge was never started');
    return this.#process;
  }

  get databasePath(): string {
    return join(this.options.dir, 'outbox.db');
  }

  /** Begins a life. Resolves when the store is open, or with 'ended' where the process did not get there. */
  async start(life: LifeOptions = {}): Promise<Opening> {
    if (this.#process !== null && !this.#process.hasEnded) throw new Error('the edge still runs');
    this.#answers.clear();
    let opened: (opening: Opening) => void = () => undefined;
    const opening = new Promise<Opening>((resolve) => {
      opened = resolve;
    });
    const child = new ProcessUnderTest(
      [...(life.prefix ?? []), process.execPath, DRIVER, this.#arguments()],
      { ...(life.env && { env: life.env }), onLine: (line) => this.#onLine(line, opened) },
    );
    this.#process = child;
    this.#life++;
    child.child.once('exit', () => opened('ended'));
    return opening;
  }

  /** As `start`, for lives that nothing keeps from opening. */
  async open(life: LifeOptions = {}): Promise<{ readonly tookMs: number }> {
    const opening = await this.start(life);
    if (opening === 'ended') throw new Error(`the edge ended at its start: ${this.process.stderr}`);
    return opening;
  }

  command<Name extends keyof Commands>(
    command: Name,
    args: Commands[Name]['args'] = {} as Commands[Name]['args'],
    timeoutMs = ANSWER_MS,
  ): Promise<Commands[Name]['result']> {
    const id = this.#nextId++;
    const child = this.process;
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        this.#answers.delete(id);
        reject(new Error(`${command}: ${reason}\n${child.stderr.slice(-3000)}`));
      };
      const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
      const onExit = (): void => {
        clearTimeout(timer);
        fail('the edge ended');
      };
      child.child.once('exit', onExit);
      this.#answers.set(id, ({ result, error }) => {
        clearTimeout(timer);
        child.child.off('exit', onExit);
        if (error === undefined) resolve(result as Commands[Name]['result']);
        else fail(error);
      });
      child.write(JSON.stringify({ id, command, ...args }));
    });
  }

  /** Stops the producer, sends what is left for up to `drainMs` and ends in good order. */
  async stop(drainMs = 5000): Promise<void> {
    if (this.#process === null || this.#process.hasEnded) return;
    const ended = this.process.ended();
    await this.command('stop', { drainMs });
    await ended;
  }

  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
  }

  #arguments(): string {
    const { rates = {}, store = {}, fillerBytes, ...options } = this.options;
    const filler = fillerBytes ?? { alert: 600, detection: 400 };
    return JSON.stringify({
      ...options,
      rates,
      store,
      fillerBytes: filler,
      life: this.#life,
      dist: DIST,
    });
  }

  #onLine(line: string, opened: (opening: Opening) => void): void {
    const message = JSON.parse(line) as {
      event?: 'started' | 'open';
      pid?: number;
      tookMs?: number;
      answer?: number;
      result?: unknown;
      error?: string;
    };
    if (message.event === 'started') this.process.pid = message.pid ?? null;
    if (message.event === 'open') opened({ tookMs: message.tookMs ?? 0 });
    if (message.answer === undefined) return;
    const answer = this.#answers.get(message.answer);
    this.#answers.delete(message.answer);
    answer?.(message);
  }
}
