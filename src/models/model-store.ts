import { existsSync } from 'node:fs';
import { access, constants, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import { candidatesOf } from './fetch/candidates.ts';
import { digestFile, matches } from './fetch/digest.ts';
import { pullModel } from './fetch/pull-model.ts';
import { readImportIndex } from './import-index.ts';
import { type ImportResult, importModel } from './import-model.ts';
import { type ManifestEntry, type ModelKind, packagedManifest } from './manifest.ts';
import type { PullProgress } from './progress-line.ts';
import { TEST_DETECTOR } from './test-detector.ts';

export interface ModelStoreOptions {
  /** Folder of installed models; made when first written to. */
  dir: string;
  /** `APEX_MODELS_MIRROR` and npm's settings are read from here. */
  env: NodeJS.ProcessEnv;
  /** The package's own list unless told otherwise. */
  manifest?: readonly ManifestEntry[];
  clock?: Clock;
}

export interface ModelListing {
  name: string;
  title: string;
  kind: ModelKind;
  /** Null for an imported model: only its owner knows. */
  licence: string | null;
  origin: 'manifest' | 'imported';
  installed: boolean;
  path: string;
  /** Bytes. */
  size: number;
}

export interface PulledModel {
  name: string;
  path: string;
  /** Where it came from; null when it was already there and whole. */
  source: string | null;
  licence: string;
  /** To be shown to whoever pulls. */
  notice: string | null;
}

export interface VerifiedModel {
  name: string;
  path: string;
  state: 'ok' | 'damaged' | 'missing';
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

function looksLikePath(text: string): boolean {
  return text.includes('/') || text.endsWith('.onnx');
}

/** The folder of installed models: fetched ones that the manifest names, and a user's own. */
export class ModelStore {
  readonly #dir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #clock: Clock;
  #entries: readonly ManifestEntry[] | undefined;

  constructor({ dir, env, manifest, clock = systemClock }: ModelStoreOptions) {
    this.#dir = resolve(dir);
    this.#env = env;
    this.#clock = clock;
    this.#entries = manifest;
  }

  /** @throws ApexError MODEL_INDEX_DAMAGED */
  list(): ModelListing[] {
    const known = this.#manifest().map((entry): ModelListing => {
      const { name, title, kind, licence, size } = entry;
      const path = join(this.#dir, entry.file);
      return {
        name,
        title,
        kind,
        licence,
        size,
        path,
        origin: 'manifest',
        installed: existsSync(path),
      };
    });
    const own = Object.entries(readImportIndex(this.#dir)).map(([name, model]): ModelListing => {
      const path = join(this.#dir, model.file);
      return {
        name,
        title: `imported YOLOv8 detector, ${model.labels.length} classes`,
        kind: 'object-detector',
        licence: null,
        origin: 'imported',
        installed: existsSync(path),
        path,
        size: model.size,
      };
    });
    return [...known, ...own];
  }

  /**
   * Absolute path of an installed model, or of the model file that a path names. `test-detector` stands for
   * itself. Only presence is checked; `verify` checks content.
   *
   * @throws ApexError MODEL_NOT_INSTALLED, MODEL_UNKNOWN, MODEL_INDEX_DAMAGED
   */
  resolve(nameOrPath: string): string {
    if (nameOrPath === TEST_DETECTOR) return TEST_DETECTOR;
    const listing = this.list().find(({ name }) => name === nameOrPath);
    if (listing === undefined) return this.#resolvePath(nameOrPath);
    if (listing.installed) return listing.path;
    throw new ApexError('MODEL_NOT_INSTALLED', `the model ${nameOrPath} is not installed`, {
      remedy:
        listing.origin === 'manifest'
          ? `Fetch it with \`apex-edge models pull ${nameOrPath}\`.`
          : `Import it again with \`apex-edge models import FILE --name ${nameOrPath}\`.`,
    });
  }

  /**
   * Fetches a model of the manifest; one that is there and whole is left as it is.
   *
   * @throws ApexError MODEL_UNKNOWN, MODEL_DIR_NOT_WRITABLE, MODEL_UNAVAILABLE, MODEL_DIGEST_MISMATCH
   */
  async pull(
    name: string,
    options: { onProgress?: (progress: PullProgress) => void; signal?: AbortSignal } = {},
  ): Promise<PulledModel> {
    const entry = this.#manifest().find((candidate) => candidate.name === name);
    if (entry === undefined) throw this.#unknown(name);
    const path = join(this.#dir, entry.file);
    const { licence, notice = null } = entry;
    if (existsSync(path) && matches(entry.digests, await digestFile(path))) {
      return { name, path, source: null, licence, notice };
    }
    await this.#makeWritable();
    const candidates = candidatesOf(entry, this.#env);
    const source = await pullModel(entry, path, candidates, { ...options, clock: this.#clock });
    return { name, path, source, licence, notice };
  }

  /**
   * Compares installed files with their digests.
   *
   * @param name one model; all installed ones when left out
   * @throws ApexError MODEL_UNKNOWN, MODEL_INDEX_DAMAGED
   */
  async verify(name?: string): Promise<VerifiedModel[]> {
    const wanted = this.list().filter((model) =>
      name === undefined ? model.installed : model.name === name,
    );
    if (name !== undefined && wanted.length === 0) throw this.#unknown(name);
    const results: VerifiedModel[] = [];
    for (const model of wanted) {
      results.push({ name: model.name, path: model.path, state: await this.#stateOf(model) });
    }
    return results;
  }

  /**
   * Takes a user's own YOLOv8 export: checks its shape, runs it once, copies it under a name of its own.
   *
   * @throws ApexError MODEL_NAME_REFUSED, MODEL_UNREADABLE, MODEL_NOT_YOLOV8, MODEL_DOES_NOT_RUN,
   *   MODEL_DIR_NOT_WRITABLE, MODEL_INDEX_DAMAGED
   */
  async import(path: string, { name }: { name: string }): Promise<ImportResult> {
    if (!NAME.test(name) || name.endsWith('.onnx')) {
      throw new ApexError('MODEL_NAME_REFUSED', `'${name}' cannot be the name of a model`);
    }
    const isTaken = name === TEST_DETECTOR || this.#manifest().some((entry) => entry.name === name);
    if (isTaken)
      throw new ApexError('MODEL_NAME_REFUSED', `the name ${name} is that of another model`);
    await this.#makeWritable();
    return await importModel(path, { dir: this.#dir, name }, this.#clock);
  }

  #manifest(): readonly ManifestEntry[] {
    this.#entries ??= packagedManifest();
    return this.#entries;
  }

  async #stateOf(model: ModelListing): Promise<VerifiedModel['state']> {
    if (!model.installed) return 'missing';
    const own = readImportIndex(this.#dir)[model.name];
    const entry = this.#manifest().find(({ name }) => name === model.name);
    const digests = own === undefined ? (entry?.digests ?? []) : [{ sha256: own.sha256 }];
    return matches(digests, await digestFile(model.path)) ? 'ok' : 'damaged';
  }

  #resolvePath(text: string): string {
    if (!looksLikePath(text)) throw this.#unknown(text);
    const path = resolve(text);
    if (existsSync(path)) return path;
    throw new ApexError('MODEL_NOT_INSTALLED', `there is no model file ${path}`, {
      remedy: 'Check the path, or name an installed model: `apex-edge models list`.',
    });
  }

  #unknown(name: string): ApexError {
    const known = [...this.list().map((model) => model.name), TEST_DETECTOR].join(', ');
    return new ApexError('MODEL_UNKNOWN', `there is no model ${name}; known are ${known}`);
  }

  /** Told apart from a source that fails, because no other source would help. */
  async #makeWritable(): Promise<void> {
    try {
      await mkdir(this.#dir, { recursive: true });
      await access(this.#dir, constants.W_OK);
    } catch (cause) {
      throw new ApexError(
        'MODEL_DIR_NOT_WRITABLE',
        `cannot write to the models folder ${this.#dir}`,
        {
          cause,
        },
      );
    }
  }
}
