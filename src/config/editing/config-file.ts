import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { writeFileAtomically } from '../../system/atomic-file.ts';
import type { Clock } from '../../system/clock.ts';
import { ApexError } from '../../system/errors.ts';
import { type LoadedConfig, readConfig, readConfigText } from '../load.ts';
import type { KeyPath } from '../schema-shape.ts';
import { type ConfigEdit, editConfig } from './config-edit.ts';
import { type ConfigVersion, ConfigVersions } from './config-versions.ts';

export interface ConfigFileOptions {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
  /** Of earlier versions. */
  readonly versionsDir: string;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Writes the file in one step. */
  readonly write?: typeof writeFileAtomically;
}

/** The file as it is, and what it means. */
export interface ReadConfig {
  readonly text: string;
  /** Names this very text. */
  readonly etag: string;
  readonly loaded: LoadedConfig;
}

export interface ChangeOrder {
  readonly by: string;
  /** Of the text that the change was made from; absent for whatever it is. */
  readonly etag?: string | undefined;
  readonly isDryRun: boolean;
}

/** The configuration file, changed while the daemon runs: one change after the other, each whole or not at all. */
export class ConfigFile {
  readonly #options: ConfigFileOptions;
  readonly #versions: ConfigVersions;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: ConfigFileOptions) {
    this.#options = options;
    this.#versions = new ConfigVersions(options.versionsDir);
  }

  /** @throws ApexError CONFIG_NOT_FOUND, CONFIG_UNREADABLE, CONFIG_INVALID */
  read(): ReadConfig {
    const { path, env } = this.#options;
    const text = readConfigText(path);
    return { text, etag: etagOf(text), loaded: readConfig(path, text, env) };
  }

  /**
   * Changes values, and returns the file as it is then, or would be.
   * @param edits made from the file as it is in its turn
   * @throws ApexError CONFIG_CHANGED, CONFIG_INVALID, CONFIG_NOT_EDITABLE, CONFIG_READ_ONLY and as `read` does; then
   *   nothing has changed
   */
  change(
    edits: (before: ReadConfig) => readonly ConfigEdit[],
    order: ChangeOrder,
  ): Promise<ReadConfig> {
    return this.#inTurn(async () => {
      const before = this.read();
      if (order.etag !== undefined && order.etag !== before.etag)
        throw new ApexError(
          'CONFIG_CHANGED',
          'the file is another one than the change was made from',
        );
      const wanted = edits(before);
      for (const { path } of wanted) assertOfFile(before, path);
      const text = editConfig(before.text, wanted);
      const changed = wanted.map(({ path }) => path.join('.'));
      return this.#put(before.text, text, { ...order, changed });
    });
  }

  versions(): Promise<ConfigVersion[]> {
    return this.#versions.list();
  }

  /** The text of an earlier version. @throws ApexError CONFIG_VERSION_UNKNOWN */
  version(id: string): Promise<string> {
    return this.#versions.read(id);
  }

  /** @throws ApexError CONFIG_VERSION_UNKNOWN, CONFIG_INVALID, CONFIG_READ_ONLY */
  restore(id: string, by: string): Promise<ReadConfig> {
    return this.#inTurn(async () => {
      const text = await this.#versions.read(id);
      const before = readConfigText(this.#options.path);
      return this.#put(before, text, { by, isDryRun: false, changed: [`restored ${id}`] });
    });
  }

  async #put(
    before: string,
    text: string,
    { by, isDryRun, changed }: ChangeOrder & { readonly changed: readonly string[] },
  ): Promise<ReadConfig> {
    const { path, env, clock, write = writeFileAtomically } = this.#options;
    const loaded = readConfig(path, text, env);
    if (loaded.cameraFaults.size > 0) throw firstFault(loaded);
    if (!isDryRun && text !== before) {
      await this.#versions.keep(before, { by, changed, nowMs: clock.wallMs() });
      try {
        await write(path, text, (await stat(path)).mode & 0o777);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ApexError('CONFIG_READ_ONLY', `${path} cannot be written: ${reason}`, { cause });
      }
    }
    return { text, etag: etagOf(text), loaded };
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }
}

/** A camera that would be left out is a mistake here: it ran until now. */
function firstFault({ cameraFaults }: LoadedConfig): ApexError {
  const [fault] = cameraFaults.values();
  const { message = '', details = {} } = fault ?? {};
  return new ApexError('CONFIG_INVALID', message, { details });
}

/** @throws ApexError CONFIG_NOT_EDITABLE */
function assertOfFile({ loaded }: ReadConfig, path: KeyPath): void {
  const { variable } = loaded.originOf(path);
  if (variable === null) return;
  throw new ApexError(
    'CONFIG_NOT_EDITABLE',
    `${path.join('.')} is set by the variable ${variable}`,
  );
}

function etagOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
