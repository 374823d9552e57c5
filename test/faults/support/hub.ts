import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { waitFor } from '../../support/program.ts';
import type { LifeOptions } from './edge.ts';
import { ProcessUnderTest } from './process-under-test.ts';

const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

export interface HubOptions {
  /** Data folder; the configuration stands beside it. */
  readonly dir: string;
  /** The clients' ids; each has a token of its own, `tokenOf`. */
  readonly edges: readonly string[];
  readonly host?: string;
  /** Entries of the configuration's list of tokens, beside those of edges and viewer. */
  readonly tokens?: readonly object[];
  /** Each line of its log. */
  readonly onLine?: (line: string) => void;
  /** The same through all lives. */
  readonly port: number;
  /** Of pages in a browser that connect. */
  readonly allowedOrigins?: readonly string[];
}

/** The hub as users run it, `apex-edge hub --config …`, life after life over the same folder and port. */
export class HubUnderTest {
  readonly viewerToken = 'token-of-the-viewer';
  readonly #options: HubOptions;
  #process: ProcessUnderTest | null = null;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get process(): ProcessUnderTest {
    if (this.#process === null) throw new Error('the hub was never started');
    return this.#process;
  }

  get host(): string {
    return this.#options.host ?? '127.0.0.1';
  }

  get port(): number {
    return this.#options.port;
  }

  get url(): string {
    return `ws://${this.host}:${this.port}/ws`;
  }

  get databasePath(): string {
    return join(this.#options.dir, 'hub.sqlite');
  }

  tokenOf(edge: string): string {
    return `token-of-${edge}`;
  }

  /** Begins a life. Resolves with true once it listens, with false where it ended before. */
  async start(life: LifeOptions = {}): Promise<boolean> {
    if (this.#process !== null && !this.#process.hasEnded) throw new Error('the hub still runs');
    let isListening = false;
    const child = new ProcessUnderTest(
      [...(life.prefix ?? []), process.execPath, CLI, 'hub', '--config', this.#writeConfig()],
      {
        ...(life.env && { env: life.env }),
        onLine: (line) => {
          this.#options.onLine?.(line);
          const { pid, event } = parsedLine(line);
          if (pid !== undefined) child.pid = pid;
          isListening ||= event === 'hub listening';
        },
      },
    );
    this.#process = child;
    await waitFor('the hub listens', () => isListening || child.hasEnded, 60_000);
    return isListening;
  }

  async open(life: LifeOptions = {}): Promise<void> {
    if (await this.start(life)) return;
    throw new Error(`the hub ended at its start: ${this.process.stdout} ${this.process.stderr}`);
  }

  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#process?.end('SIGTERM');
  }

  pause(): void {
    this.process.signal('SIGSTOP');
  }

  resume(): void {
    this.process.signal('SIGCONT');
  }

  #writeConfig(): string {
    const { dir, edges, tokens: others = [], allowedOrigins = [] } = this.#options;
    mkdirSync(dir, { recursive: true });
    const tokens = [
      ...edges.map((name) => ({ name, type: 'ai_engine', token: this.tokenOf(name) })),
      { name: 'viewer', type: 'frontend', token: this.viewerToken },
      ...others,
    ];
    const path = join(dir, 'hub.yaml');
    const address = { host: this.host, port: this.port, insecure_plaintext: true };
    const hub = { ...address, data_dir: dir, tokens, allowed_origins: allowedOrigins };
    writeFileSync(path, stringify({ hub }), { mode: 0o600 });
    return path;
  }
}

function parsedLine(line: string): { pid?: number; event?: string } {
  try {
    return JSON.parse(line) as { pid?: number; event?: string };
  } catch {
    // The last line of a killed process may be half a line.
    return {};
  }
}
