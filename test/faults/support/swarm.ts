import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { waitFor } from '../../support/program.ts';
import type { Producers } from './invariants.ts';
import { ProcessUnderTest } from './process-under-test.ts';
import { parseProducerLog } from './producer-log.ts';
import { SEED } from './seed.ts';

const DRIVER = fileURLToPath(new URL('./swarm-driver.mjs', import.meta.url));
const DIST = new URL('../../../dist/', import.meta.url).href;
const ANSWER_MS = 30_000;
/** Seeds of swarms lie so far apart from each other and from those of edges: ids are made of them. */
const OWN_SEEDS = 1_000_000;
let swarms = 0;

/** A `FaultScene`, or what of one there has to be. */
interface SwarmHome {
  readonly folder: string;
  readonly hub: { readonly url: string; tokenOf(name: string): string };
}

interface SwarmOptions {
  /** A name of the hub's list whose token all clients use; their own ids begin with it. */
  readonly name: string;
  readonly count: number;
  /** Messages per second and client. */
  readonly rate: number;
  readonly kind?: 'alert' | 'detection';
  readonly fillerBytes?: number;
  readonly ignoresCredit?: boolean;
  /** In place of the cap that the hub tells. */
  readonly capMs?: number;
}

interface SwarmStatus {
  readonly identified: number;
  readonly waiting: number;
  readonly issued: number;
  /** Connections tried, by all clients. */
  readonly attempts: number;
  /** Resident, bytes. */
  readonly memory: number;
}

interface Commands {
  rate: { args: { perClient: number }; result: null };
  status: { args: Record<never, never>; result: SwarmStatus };
  mark: { args: Record<never, never>; result: null };
  firstAcks: { args: Record<never, never>; result: number[] };
  latencies: { args: Record<never, never>; result: number[] };
  stop: { args: Record<never, never>; result: null };
}

/** Many clients of one hub in a process of their own; see swarm-driver.mjs. */
export class Swarm {
  readonly #process: ProcessUnderTest;
  readonly #options: SwarmOptions;
  readonly #log: string;
  readonly #answers = new Map<number, (result: unknown) => void>();
  #nextId = 1;

  private constructor(home: SwarmHome, options: SwarmOptions) {
    this.#options = options;
    this.#log = join(home.folder, `${options.name}.log`);
    const driver = {
      kind: 'alert',
      fillerBytes: 100,
      ignoresCredit: false,
      ...options,
      url: home.hub.url,
      token: home.hub.tokenOf(options.name),
      log: this.#log,
      seed: SEED + OWN_SEEDS * ++swarms,
      dist: DIST,
    };
    this.#process = new ProcessUnderTest([process.execPath, DRIVER, JSON.stringify(driver)], {
      onLine: (line) => this.#onLine(line),
    });
  }

  static start(home: SwarmHome, options: SwarmOptions): Swarm {
    const swarm = new Swarm(home, options);
    onTestFinished(() => swarm.#process.end('SIGKILL'));
    return swarm;
  }

  command<Name extends keyof Commands>(
    command: Name,
    args: Commands[Name]['args'] = {} as Commands[Name]['args'],
  ): Promise<Commands[Name]['result']> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error(`${command}: no answer\n${this.#process.stderr}`));
      const timer = setTimeout(fail, ANSWER_MS);
      this.#answers.set(id, (result) => {
        clearTimeout(timer);
        resolve(result as Commands[Name]['result']);
      });
      this.#process.write(JSON.stringify({ id, command, ...args }));
    });
  }

  /** All clients are known to the hub. */
  async identified(timeoutMs = 30_000): Promise<void> {
    const { count } = this.#options;
    const areAll = async (): Promise<boolean> =>
      (await this.command('status')).identified === count;
    await waitFor('all clients are identified', areAll, timeoutMs);
  }

  /** No more is made, and the hub has acknowledged all. */
  async drained(timeoutMs = 30_000): Promise<void> {
    await this.command('rate', { perClient: 0 });
    const isEmpty = async (): Promise<boolean> => (await this.command('status')).waiting === 0;
    await waitFor('nothing waits in the swarm', isEmpty, timeoutMs);
  }

  /** Times of the first acknowledgements since the last `mark`, one of each client. */
  async firstAcks(timeoutMs = 60_000): Promise<readonly number[]> {
    return waitFor(
      'each client had an acknowledgement',
      async () => {
        const times = await this.command('firstAcks');
        return times.length === this.#options.count && times;
      },
      timeoutMs,
    );
  }

  async stop(): Promise<void> {
    const ended = this.#process.ended();
    await this.command('stop');
    await ended;
  }

  /** What the clients made and were told, for the oracle. To be called after `stop`. */
  producers(): Producers {
    const texts = new Map<string, string[]>();
    for (const line of readFileSync(this.#log, 'utf8').split('\n').slice(0, -1)) {
      const at = line.indexOf(' ');
      const clientId = line.slice(0, at);
      const own = texts.get(clientId);
      const rest = `${line.slice(at + 1)}\n`;
      if (own === undefined) texts.set(clientId, [rest]);
      else own.push(rest);
    }
    return new Map([...texts].map(([id, lines]) => [id, parseProducerLog(lines.join(''))]));
  }

  #onLine(line: string): void {
    const message = JSON.parse(line) as { pid?: number; answer?: number; result?: unknown };
    if (message.pid !== undefined) this.#process.pid = message.pid;
    if (message.answer === undefined) return;
    this.#answers.get(message.answer)?.(message.result);
    this.#answers.delete(message.answer);
  }
}

/** The value below which this part of all values lies; `values` in any order. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
