import { parseDocument } from 'yaml';
import type { Finding } from './issue-problems.ts';
import { isTextOnly, type KeyPath, shapeAt } from './schema-shape.ts';

const PREFIX = 'APEX_EDGE__';

/** One key of the configuration that the environment sets. */
export interface Override {
  variable: string;
  path: KeyPath;
  text: string;
}

/**
 * Variables like `APEX_EDGE__cameras__front__detect__fps`, in the order of their names. Case does not count,
 * because all keys and camera names are lower case.
 */
export function readOverrides(env: NodeJS.ProcessEnv): Override[] {
  return Object.entries(env)
    .filter(([variable]) => variable.startsWith(PREFIX))
    .map(([variable, text]) => ({
      variable,
      path: variable.slice(PREFIX.length).toLowerCase().split('__'),
      text: text ?? '',
    }))
    .sort((a, b) => (a.variable < b.variable ? -1 : 1));
}

/**
 * Sets the overrides in `data`, which is changed. An empty value takes the key away, so that its default holds.
 * @returns what could not be set; the finding's path is the override's
 */
export function applyOverrides(
  data: Record<string, unknown>,
  overrides: readonly Override[],
): Finding[] {
  const findings: Finding[] = [];
  const setBy = new Map<string, string>();
  for (const override of overrides) {
    const key = override.path.join('.');
    const other = setBy.get(key);
    const fault = other === undefined ? apply(data, override) : `sets the same key as ${other}`;
    if (fault !== null) findings.push({ path: override.path, message: `${key} ${fault}` });
    setBy.set(key, override.variable);
  }
  return findings;
}

/** @returns why it cannot be set; null when it was */
function apply(data: Record<string, unknown>, { path, text }: Override): string | null {
  const key = path.at(-1);
  if (key === undefined || path.includes(''))
    return `is not a key; allowed: ${PREFIX}section__key, each part with two underscores before it`;
  let section: object = data;
  for (const [depth, step] of path.slice(0, -1).entries()) {
    if (!mayHold(section, step)) return noEntry(section);
    const next = childSection(section, path.slice(0, depth + 1));
    if (next === null) return 'is inside of a value that is not a section';
    section = next;
  }
  if (!mayHold(section, key)) return noEntry(section);
  if (text === '' && !Array.isArray(section)) {
    Reflect.deleteProperty(section, key);
    return null;
  }
  const value = isTextOnly(path) ? { parsed: text } : parseValue(text);
  if (value === null) return 'is not a YAML value; allowed: text, a number, true, false, [a, b]';
  define(section, key, value.parsed);
  return null;
}

/** Of a list, entries can be changed and one added at the end. */
function mayHold(section: object, key: string | number): boolean {
  if (!Array.isArray(section)) return true;
  return /^\d{1,4}$/.test(String(key)) && Number(key) <= section.length;
}

function noEntry(list: object): string {
  return `is not an entry of the list; allowed: 0 to ${Reflect.get(list, 'length')}`;
}

/** The object or list at the end of `path` in its parent, made where it is missing; null for a single value. */
function childSection(parent: object, path: KeyPath): object | null {
  const key = path.at(-1) ?? '';
  const known: unknown = Object.hasOwn(parent, key) ? Reflect.get(parent, key) : undefined;
  if (typeof known === 'object' && known !== null) return known;
  if (known !== undefined && known !== null) return null;
  const made = shapeAt(path)?.type === 'array' ? [] : {};
  define(parent, key, made);
  return made;
}

/** Assigning would call the setter of `__proto__`. */
function define(section: object, key: string | number, value: unknown): void {
  Object.defineProperty(section, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function parseValue(text: string): { parsed: unknown } | null {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0 || document.warnings.length > 0) return null;
  try {
    return { parsed: document.toJS() };
  } catch {
    return null; // an alias, which has nothing to refer to
  }
}
