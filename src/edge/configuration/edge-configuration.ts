import { join } from 'node:path';
import { parse } from 'yaml';
import type { BoxConfiguration, ConfigChangeOrder } from '../../api/local-box.ts';
import { type ConfigEdit, editsBetween } from '../../config/editing/config-edit.ts';
import { ConfigFile, type ReadConfig } from '../../config/editing/config-file.ts';
import { redactConfig } from '../../config/json-schema.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import type { Config } from '../../config/schema.ts';
import type {
  ConfigAnswer,
  ConfigChanged,
  ConfigVersion,
  Rules,
  Zones,
} from '../../protocol/local-api/configuration.ts';
import type { Clock } from '../../system/clock.ts';
import { redactText } from '../../system/redact.ts';
import { unknownCamera } from '../cameras/camera-catalogue.ts';
import { rulePlaceProblems } from '../cameras/camera-rules-plan.ts';
import { type ConfigTakeover, differences, takeover } from './config-takeover.ts';

export interface EdgeConfigurationDeps {
  /** Its `config` is what is in force; replaced with every change that is taken over. */
  readonly loaded: LoadedConfig;
  readonly file: ConfigFile;
  /** Has the cameras go on with what is in force now. */
  readonly apply: (change: ConfigTakeover) => Promise<void>;
}

export function openConfiguration({
  loaded,
  env,
  clock,
  apply,
}: Pick<EdgeConfigurationDeps, 'loaded' | 'apply'> & {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Pick<Clock, 'wallMs'>;
}): EdgeConfiguration {
  const versionsDir = join(loaded.config.edge.data_dir, 'config-versions');
  const file = new ConfigFile({ path: loaded.sourcePath, env, versionsDir, clock });
  return new EdgeConfiguration({ loaded, file, apply });
}

const SECTIONS = ['zones', 'lines', 'masks', 'privacy_masks'] as const;
const NO_PLACES: Zones = { zones: {}, lines: {}, masks: {}, privacy_masks: {} };

/** The configuration of the running daemon: read and changed through the API, taken over without dropping a camera. */
export class EdgeConfiguration implements BoxConfiguration {
  readonly #deps: EdgeConfigurationDeps;
  #needsRestart: readonly string[] = [];

  constructor(deps: EdgeConfigurationDeps) {
    this.#deps = deps;
  }

  /** What is odd about it now, in words. */
  get problems(): string[] {
    const { loaded } = this.#deps;
    const pending = this.#needsRestart.map(
      (key) => `${key}: changed, counts from the next start on`,
    );
    return [...rulePlaceProblems(loaded.config, new Set(loaded.cameraFaults.keys())), ...pending];
  }

  async zones(cameraId: string): Promise<Zones & { etag: string }> {
    const { text, etag, loaded } = this.#deps.file.read();
    assertConfigured(loaded.config, cameraId);
    return { ...placesOf(text, cameraId), etag };
  }

  putZones(cameraId: string, zones: Zones, order: ConfigChangeOrder): Promise<ConfigChanged> {
    return this.#change(({ text, loaded }) => {
      assertConfigured(loaded.config, cameraId);
      const before = placesOf(text, cameraId);
      return SECTIONS.flatMap((section) =>
        editsBetween(before[section], zones[section], ['cameras', cameraId, section]),
      );
    }, order);
  }

  async rules(): Promise<{ rules: Rules; etag: string }> {
    const { text, etag } = this.#deps.file.read();
    return { rules: rulesOf(text), etag };
  }

  putRules(rules: Rules, order: ConfigChangeOrder): Promise<ConfigChanged> {
    return this.#change(({ text }) => editsBetween(rulesOf(text), rules, ['rules']), order);
  }

  async current(): Promise<ConfigAnswer> {
    const { text, etag, loaded } = this.#deps.file.read();
    return {
      config: redactConfig(loaded.config) as Record<string, unknown>,
      text: redactText(text),
      path: loaded.sourcePath,
      etag,
      problems: [...this.problems, ...problemsOf(loaded)],
    };
  }

  async versions(): Promise<ConfigVersion[]> {
    return (await this.#deps.file.versions()).map(({ id, savedMs, by, changed, bytes }) => ({
      ...{ id, bytes },
      saved_at: savedMs,
      saved_by: by,
      changed: [...changed],
    }));
  }

  async version(id: string): Promise<string> {
    return redactText(await this.#deps.file.version(id));
  }

  async restore(id: string, { by }: Pick<ConfigChangeOrder, 'by'>): Promise<ConfigChanged> {
    const before = this.#deps.file.read().loaded.config;
    const after = await this.#deps.file.restore(id, by);
    return this.#taken(after, differences(before, after.loaded.config, []), false);
  }

  async #change(
    edits: (before: ReadConfig) => readonly ConfigEdit[],
    order: ConfigChangeOrder,
  ): Promise<ConfigChanged> {
    let changed: string[] = [];
    const after = await this.#deps.file.change((before) => {
      const wanted = edits(before);
      changed = wanted.map(({ path }) => path.join('.'));
      return wanted;
    }, order);
    return this.#taken(after, changed, order.isDryRun);
  }

  async #taken(
    { loaded, etag }: ReadConfig,
    changed: string[],
    isDryRun: boolean,
  ): Promise<ConfigChanged> {
    const change = takeover(this.#deps.loaded.config, loaded.config);
    if (!isDryRun) {
      this.#deps.loaded.config = change.config;
      this.#needsRestart = change.needsRestart;
      await this.#deps.apply(change);
    }
    const odd = rulePlaceProblems(loaded.config, new Set(loaded.cameraFaults.keys()));
    return {
      ...{ etag, changed },
      needs_restart: [...change.needsRestart],
      problems: odd.map((message) => ({
        path: message.split(':', 1)[0] ?? '',
        message,
        line: null,
      })),
    };
  }
}

/** @throws ApexError CAMERA_UNKNOWN */
function assertConfigured({ cameras }: Config, cameraId: string): void {
  if (!Object.hasOwn(cameras, cameraId)) throw unknownCamera(cameraId);
}

/** As they stand in the file, without defaults, which are not to be written into it. */
function placesOf(text: string, cameraId: string): Zones {
  const { cameras = {} } = dataOf(text) as { cameras?: Record<string, Partial<Zones> | null> };
  const own = cameras[cameraId] ?? {};
  const entries = SECTIONS.map((section) => [section, own[section] ?? {}] as const);
  return { ...NO_PLACES, ...Object.fromEntries(entries) };
}

function rulesOf(text: string): Rules {
  const { rules } = dataOf(text) as { rules?: Rules | null };
  return rules ?? {};
}

function dataOf(text: string): object {
  return (parse(text, { merge: true, logLevel: 'error' }) as object | null) ?? {};
}

function problemsOf({ problems, sourcePath }: LoadedConfig): string[] {
  return problems.map((problem) => formatProblem(problem, sourcePath));
}
