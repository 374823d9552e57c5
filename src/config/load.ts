import { readFileSync } from 'node:fs';
import { ApexError } from '../system/errors.ts';
import { registerSecret, registerUrlSecrets } from '../system/redact.ts';
import { ConfigDocument, type DuplicateKey, type SyntaxFault } from './document.ts';
import { type Finding, issueFindings, type OriginOf, toProblem } from './issue-problems.ts';
import { applyOverrides, type Override, readOverrides } from './overrides.ts';
import { type ConfigProblem, formatProblem } from './problem.ts';
import { type Config, configSchema } from './schema.ts';
import { type KeyPath, shapeAt } from './schema-shape.ts';

export interface LoadedConfig {
  /** Without the cameras that have a fault. */
  config: Config;
  /** Everything that is wrong with cameras; nothing else is, or there would be no result. */
  problems: ConfigProblem[];
  /** Cameras that are left out, with the reason to show in their place (`CONFIG_CAMERA_INVALID`). */
  cameraFaults: ReadonlyMap<string, ApexError>;
  sourcePath: string;
  /** Where a key was set, for problems found later. */
  originOf: OriginOf;
}

/**
 * Reads the configuration file and the `APEX_EDGE__` variables over it.
 *
 * Mistakes in a camera disable that camera only. All others are fatal, and reported together with those of
 * cameras in one error, whose `details.problems` is the list of `ConfigProblem`s.
 * Passwords and tokens that stand in the file or in variables are registered with the redactor.
 *
 * @throws ApexError `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE`, `CONFIG_INVALID`
 */
export function loadConfig(path: string, env: NodeJS.ProcessEnv): LoadedConfig {
  return readConfig(path, readConfigText(path), env);
}

/**
 * What a text would mean as the configuration file of this path.
 * @throws ApexError `CONFIG_INVALID`
 */
export function readConfig(path: string, text: string, env: NodeJS.ProcessEnv): LoadedConfig {
  const document = parseFile(path, text);
  const overrides = readOverrides(env);
  const originOf = originsOf(document, overrides);
  const data = withEmptySections(mappingOf(path, document), []) as Record<string, unknown>;
  const findings = applyOverrides(data, overrides);
  registerSecretsIn(data);
  findings.push(...document.duplicateKeys().map(duplicateFinding));
  const parsed = configSchema.safeParse(data);
  findings.push(...issueFindings(parsed.error?.issues ?? [], data));

  const problems = findings.map((finding) => toProblem(finding, originOf)).sort(byPlace);
  if (problems.some(({ cameraId }) => cameraId === null)) throw invalid(path, problems);
  const cameraFaults = faultsOf(path, problems);
  const config = configSchema.parse(withoutCameras(data, cameraFaults));
  return { config, problems, cameraFaults, sourcePath: path, originOf };
}

/** @throws ApexError `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE` */
export function readConfigText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new ApexError('CONFIG_NOT_FOUND', `there is no configuration file ${path}`, { cause });
    const reason = UNREADABLE[code ?? ''] ?? `cannot be read (${code})`;
    throw new ApexError('CONFIG_UNREADABLE', `the configuration file ${path} ${reason}`, { cause });
  }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
  ENOTDIR: 'cannot be there: part of its path is not a folder',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 text',
};

function parseFile(path: string, text: string): ConfigDocument {
  const document = new ConfigDocument(text);
  const syntax = document.syntaxFaults();
  const faults = syntax.length > 0 ? syntax : document.aliasFaults();
  if (faults.length > 0) throw invalid(path, faults.filter(isFirstOfLine).map(syntaxProblem));
  return document;
}

/** The parser often stumbles twice over one mistake. */
function isFirstOfLine(fault: SyntaxFault, index: number, all: readonly SyntaxFault[]): boolean {
  return all.findIndex(({ line }) => line === fault.line) === index;
}

function syntaxProblem({ line, column, message }: SyntaxFault): ConfigProblem {
  return wholeFile(message, { line, column });
}

function wholeFile(
  message: string,
  place: { line: number; column: number } | null = null,
): ConfigProblem {
  const location = place && { line: place.line, column: place.column };
  return toProblem({ path: [], message }, () => ({ location, variable: null }));
}

function mappingOf(path: string, document: ConfigDocument): object {
  const data = document.toData();
  if (data === null || data === undefined) throw invalid(path, [wholeFile('the file is empty')]);
  if (typeof data !== 'object' || Array.isArray(data)) {
    const found = Array.isArray(data) ? 'a list' : 'a single value';
    throw invalid(path, [wholeFile(`the file is ${found}; allowed: sections such as cameras:`)]);
  }
  return data;
}

function originsOf(document: ConfigDocument, overrides: readonly Override[]): OriginOf {
  return (path) => {
    const covers = (outer: KeyPath, inner: KeyPath): boolean =>
      outer.every((step, index) => String(step) === String(inner[index]));
    const setting = overrides.find((override) => covers(override.path, path));
    if (setting !== undefined) return { location: null, variable: setting.variable };
    const place = document.locate(path);
    const within = overrides.find((override) => covers(path, override.path));
    if (place?.isExact !== true && within !== undefined)
      return { location: null, variable: within.variable };
    return { location: place?.location ?? null, variable: null };
  };
}

function duplicateFinding({ path, first }: DuplicateKey): Finding {
  const message = `${path.join('.')} stands here for the second time; the first is in line ${first.line}`;
  return { path, message, allowed: 'each key once' };
}

/**
 * A copy in which sections that are named but hold nothing are empty ones: a file whose keys below `uplink:`
 * are all commented out means the defaults. Copying also parts sections that share an anchor.
 */
function withEmptySections(value: unknown, path: KeyPath): unknown {
  if (value === null) {
    const type = shapeAt(path)?.type;
    if (type === 'object') return {};
    return type === 'array' ? [] : null;
  }
  if (Array.isArray(value))
    return value.map((item, index) => withEmptySections(item, [...path, index]));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withEmptySections(item, [...path, key])]),
  );
}

/** Before anything is said about the values, so that no message can show one. */
function registerSecretsIn(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== 'string') registerSecretsIn(item);
    else if (key === 'password' || key === 'token') registerSecret(item);
    else if (key === 'url') registerUrlSecrets(item);
  }
}

function withoutCameras(
  data: Record<string, unknown>,
  faults: ReadonlyMap<string, unknown>,
): Record<string, unknown> {
  const cameras = Object.entries(data.cameras ?? {}).filter(([id]) => !faults.has(id));
  return { ...data, cameras: Object.fromEntries(cameras) };
}

function faultsOf(path: string, problems: readonly ConfigProblem[]): Map<string, ApexError> {
  const byCamera = new Map<string, ConfigProblem[]>();
  for (const problem of problems) {
    if (problem.cameraId === null) continue;
    byCamera.set(problem.cameraId, [...(byCamera.get(problem.cameraId) ?? []), problem]);
  }
  return new Map([...byCamera].map(([id, own]) => [id, cameraFault(path, own)]));
}

function cameraFault(path: string, problems: readonly ConfigProblem[]): ApexError {
  const message = problems.map((problem) => formatProblem(problem, path)).join('\n');
  return new ApexError('CONFIG_CAMERA_INVALID', message, { details: { problems } });
}

function invalid(path: string, problems: readonly ConfigProblem[]): ApexError {
  const lines = problems.map((problem) => `  ${formatProblem(problem, path)}`);
  const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`;
  const message = [`the configuration has ${count}:`, ...lines].join('\n');
  return new ApexError('CONFIG_INVALID', message, { details: { problems } });
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
