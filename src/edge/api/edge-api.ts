import { join } from 'node:path';
import { z } from 'zod';
import type { SavedSession } from '../../api/access/sessions.ts';
import type { ApiView } from '../../api/edge-status.ts';
import { LocalApi } from '../../api/http/local-api.ts';
import { readStaticFiles } from '../../api/http/static-files.ts';
import type { LocalBox } from '../../api/local-box.ts';
import type { Config } from '../../config/schema.ts';
import { apiTls } from '../../config/secrets.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import { type ApexError, asApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import { PACKAGE_ROOT } from '../../system/package-info.ts';
import { StateFile } from '../state-file.ts';

export interface EdgeApiOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly box: LocalBox;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The port may be free by then, the disk well again. */
const RETRY_MS = 5000;
const PAGES_DIR = join(PACKAGE_ROOT, 'dist', 'console');

const sessionsSchema = z.object({
  sessions: z
    .array(
      z.object({
        secret_sha256: z.string().length(64),
        token_sha256: z.string().length(64),
        idle_ms: z.number().min(0),
        age_ms: z.number().min(0),
      }),
    )
    .max(1000),
});

/** The local API of the daemon. Where it cannot run, everything else does, and the status says why. */
export class EdgeApi {
  readonly #options: EdgeApiOptions;
  readonly #log: Logger;
  #api: LocalApi | null = null;
  #sessions: StateFile<z.infer<typeof sessionsSchema>> | null = null;
  #starting: Promise<void> | null = null;
  #fault: ApexError | null = null;
  #retry: TimerHandle | null = null;
  #isStopping = false;

  constructor(options: EdgeApiOptions) {
    this.#options = options;
    this.#log = options.log.child({ part: 'api' });
  }

  /** In its own time: nobody waits for it. */
  begin(): void {
    if (!this.#options.config.api.enabled) return;
    this.#starting = this.#start().catch((error: unknown) => this.#failed(error));
  }

  view(): ApiView {
    const { enabled: isEnabled, host, tls } = this.#options.config.api;
    const scheme = tls.cert_file === undefined ? 'http' : 'https';
    const port = this.#api?.address.port ?? null;
    return {
      enabled: isEnabled,
      url: port === null ? null : `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/`,
      has_tokens: this.#api?.hasTokens ?? null,
      fault: this.#fault?.toJSON() ?? null,
    };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#retry?.cancel();
    await this.#starting;
    await this.#api?.stop();
    await this.#sessions?.settled();
  }

  async #start(): Promise<void> {
    const { config, env, box, clock } = this.#options;
    const { host, port, tls, insecure_plaintext: isPlaintextAllowed } = config.api;
    const { data_dir: dataDir } = config.edge;
    const path = join(dataDir, 'sessions.json');
    const { file, state } = await StateFile.open(path, sessionsSchema, this.#log);
    this.#sessions = file;
    const hasTls = tls.cert_file !== undefined;
    const api = await LocalApi.start({
      ...{ box, dataDir, host, port, isPlaintextAllowed, clock, log: this.#log },
      ...(hasTls && { tls: { read: () => apiTls(config, env), clientCertificates: 'off' } }),
      pages: await readStaticFiles(PAGES_DIR),
      sessions: {
        saved: state?.sessions ?? [],
        save: (sessions: readonly SavedSession[]) => file.save({ sessions: [...sessions] }),
      },
    });
    this.#fault = null;
    this.#api = api;
    if (this.#isStopping) await api.stop();
  }

  #failed(error: unknown): void {
    const fault = asApexError(error, 'API_FAILED');
    if (fault.message !== this.#fault?.message)
      this.#log.error({ err: fault }, 'the local API does not run');
    this.#fault = fault;
    if (this.#isStopping) return;
    this.#retry = this.#options.clock.setTimeout(() => this.begin(), RETRY_MS);
  }
}
