import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

/** The way that packets take, as seen from the namespace. */
type Direction = 'in' | 'out';

const HOOKS: Readonly<Record<Direction, string>> = { in: 'input', out: 'output' };
const TABLE = ['inet', 'fault'] as const;
let nextNetwork = 0;

/** A network namespace that a cable (veth) joins with this one. Needs root. */
export class NetworkNamespace {
  /** Of this end of the cable. */
  readonly hostAddress: string;
  readonly #name: string;
  readonly #address: string;

  private constructor() {
    const index = nextNetwork++;
    this.#name = `apex-${process.pid}-${index}`;
    // Inside 10.213.0.0/16, a /30 of its own.
    const network = `10.213.${process.pid % 256}`;
    this.hostAddress = `${network}.${4 * index + 1}`;
    this.#address = `${network}.${4 * index + 2}`;
  }

  static create(): NetworkNamespace {
    const namespace = new NetworkNamespace();
    onTestFinished(() => namespace.#remove());
    namespace.#lay();
    return namespace;
  }

  /** In front of a command that is to run inside. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** Drops all packets of these directions; none given lets all pass again. Nobody is told of a drop. */
  drop(...directions: readonly Direction[]): void {
    this.#inside('nft', 'add', 'table', ...TABLE);
    this.#inside('nft', 'delete', 'table', ...TABLE);
    if (directions.length === 0) return;
    this.#inside('nft', 'add', 'table', ...TABLE);
    for (const direction of directions) {
      const type = `{ type filter hook ${HOOKS[direction]} priority 0; policy drop; }`;
      this.#inside('nft', 'add', 'chain', ...TABLE, direction, type);
    }
  }

  /** Drops so many of a hundred packets at random, each way; 0 lets all pass again. */
  lose(percent: number): void {
    this.drop();
    if (percent === 0) return;
    this.#inside('nft', 'add', 'table', ...TABLE);
    for (const direction of ['in', 'out'] as const) {
      const type = `{ type filter hook ${HOOKS[direction]} priority 0; policy accept; }`;
      this.#inside('nft', 'add', 'chain', ...TABLE, direction, type);
      const chance = ['numgen', 'random', 'mod', '100', '<', String(percent)];
      this.#inside('nft', 'add', 'rule', ...TABLE, direction, ...chance, 'drop');
    }
  }

  /** Ends the TCP connections of one end as its kernel would after an error; the other end hears a RST, if anything. */
  destroyConnections(end: 'inside' | 'host'): void {
    if (end === 'inside') this.#inside('ss', '-K', 'dst', this.hostAddress);
    else run('ss', '-K', 'dst', this.#address);
  }

  #lay(): void {
    const [near, far] = [`${this.#name}h`.slice(-15), `${this.#name}n`.slice(-15)];
    run('ip', 'netns', 'add', this.#name);
    run('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', this.#name);
    run('ip', 'addr', 'add', `${this.hostAddress}/30`, 'dev', near);
    run('ip', 'link', 'set', near, 'up');
    run('ip', '-n', this.#name, 'addr', 'add', `${this.#address}/30`, 'dev', far);
    run('ip', '-n', this.#name, 'link', 'set', far, 'up');
  }

  /** The cable goes with the namespace. */
  #remove(): void {
    run('ip', 'netns', 'delete', this.#name);
  }

  #inside(...command: readonly string[]): void {
    run(...this.prefix, ...command);
  }
}

function run(...command: readonly string[]): void {
  const [program = '', ...args] = command;
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
