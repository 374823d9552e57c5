import type { z } from 'zod';
import { redactUrl } from '../system/redact.ts';
import type { ConfigProblem, Origin } from './problem.ts';
import {
  describeAllowed,
  findKeyBelow,
  isTextOnly,
  type KeyPath,
  keysAt,
  wordsAt,
} from './schema-shape.ts';
import { nearestWord } from './spelling.ts';

const LONGEST_QUOTE = 60;
const HIDDEN_KEYS = new Set(['password', 'token', 'token_sha256']);

/** What is said of a problem; the rest follows from its key. */
export interface Finding {
  path: KeyPath;
  message: string;
  found?: string;
  allowed?: string;
  suggestion?: string | null;
  severity?: 'error' | 'warning';
}

export type OriginOf = (path: KeyPath) => Origin;

export function toProblem(finding: Finding, originOf: OriginOf): ConfigProblem {
  const { path, message, found, allowed, suggestion, severity } = finding;
  const { location, variable } = originOf(path);
  return {
    severity: severity ?? 'error',
    line: location?.line ?? null,
    column: location?.column ?? null,
    variable,
    key: path.join('.'),
    found: found ?? null,
    allowed: allowed ?? null,
    suggestion: suggestion ?? null,
    message,
    cameraId: path[0] === 'cameras' && path[1] !== undefined ? String(path[1]) : null,
  };
}

/**
 * What zod found, in the words of this file's reader.
 * @param data what was parsed
 */
export function issueFindings(issues: readonly z.core.$ZodIssue[], data: unknown): Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => unknownKey(path, key));
      case 'invalid_key':
        return [badName(path, issue.issues[0]?.message ?? describeAllowed(path))];
      // The schema's own patterns and checks say in their message what is allowed.
      case 'custom':
      case 'invalid_format':
        return [badValue(path, valueAt(data, path), issue.message)];
      default:
        return [badValue(path, valueAt(data, path), describeAllowed(path))];
    }
  });
}

function unknownKey(section: KeyPath, key: string): Finding {
  const keys = keysAt(section);
  const meant = nearestKey(section, key);
  const where = section.length === 0 ? 'the file' : section.join('.');
  return {
    path: [...section, key],
    found: JSON.stringify(key),
    allowed: keys.join(', '),
    suggestion: meant,
    message: sentence(`${where} has no key ${JSON.stringify(key)}`, keys.join(', '), meant),
  };
}

/** A key of this section that is spelt nearly so, else one of this very name in a section within. */
function nearestKey(section: KeyPath, key: string): string | null {
  const near = nearestWord(key, keysAt(section));
  return near ?? findKeyBelow(section, key)?.join('.') ?? null;
}

function badName(path: KeyPath, allowed: string): Finding {
  const name = String(path.at(-1));
  const meant = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[_-]+|-+$/g, '')
    .slice(0, 63);
  const suggestion = meant === '' ? null : meant;
  return {
    path,
    found: JSON.stringify(name),
    allowed,
    suggestion,
    message: sentence(`${JSON.stringify(name)} cannot be a name here`, allowed, suggestion),
  };
}

function badValue(path: KeyPath, value: unknown, rule: string): Finding {
  const isUnquoted = isTextOnly(path) && ['number', 'boolean', 'bigint'].includes(typeof value);
  const allowed = isUnquoted ? `${rule}; put quotes around it` : rule;
  const suggestion = typeof value === 'string' ? nearestWord(value, wordsAt(path)) : null;
  const found = describeFound(path, value);
  const what = path.length === 0 ? 'the file' : path.join('.');
  const opening = value === undefined ? `${what} is missing` : `${what} is ${found}`;
  return { path, found, allowed, suggestion, message: sentence(opening, allowed, suggestion) };
}

function sentence(opening: string, allowed: string, suggestion: string | null): string {
  const meant = suggestion === null ? '' : `; did you mean ${JSON.stringify(suggestion)}?`;
  return `${opening}; allowed: ${allowed}${meant}`;
}

function describeFound(path: KeyPath, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  const isHidden = HIDDEN_KEYS.has(String(path.at(-1)));
  if (isHidden) return typeof value === 'string' ? 'a text (not shown)' : 'no text (not shown)';
  if (typeof value !== 'string') return String(value);
  const shown = redactUrl(value);
  const isLong = shown.length > LONGEST_QUOTE;
  return JSON.stringify(isLong ? `${shown.slice(0, LONGEST_QUOTE)}...` : shown);
}

function valueAt(data: unknown, path: KeyPath): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
