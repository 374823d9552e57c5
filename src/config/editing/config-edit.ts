import { isDeepStrictEqual } from 'node:util';
import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { ApexError } from '../../system/errors.ts';
import type { KeyPath } from '../schema-shape.ts';

/** A value of the configuration file that is to be another one; undefined for none any more. */
export interface ConfigEdit {
  readonly path: KeyPath;
  readonly value: unknown;
}

/**
 * The text of a configuration file with some values changed. Every line that no change is about stays as it is, with
 * its comments, to the byte.
 * @throws ApexError CONFIG_NOT_EDITABLE where a value comes from elsewhere in the file, or the result would mean
 *   something else than was asked for
 */
export function editConfig(text: string, edits: readonly ConfigEdit[]): string {
  const edited = edits.reduce((current, edit) => applied(current, edit), text);
  const wanted = edits.reduce((data, edit) => withValue(data, edit.path, edit.value), dataOf(text));
  if (isDeepStrictEqual(withoutEmpty(dataOf(edited)), withoutEmpty(wanted))) return edited;
  throw notEditable('the file is written in a way that cannot be changed from here');
}

/** Of two values of a section the smallest changes that make one of the other: what is alike stays untouched. */
export function editsBetween(before: unknown, after: unknown, path: KeyPath): ConfigEdit[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [{ path, value: after }];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => editsBetween(before[key], after[key], [...path, key]));
}

function applied(text: string, { path, value }: ConfigEdit): string {
  const document = parseDocument(text, PARSER);
  const places = placesAlong(document.contents, path);
  const depth = places.length;
  const own = places.at(-1);
  if (depth === path.length && own !== undefined) {
    return value === undefined ? removed(text, places) : replaced(text, own, value);
  }
  if (value === undefined) return text;
  // What is missing is made together with what it is in.
  const missing = path
    .slice(depth + 1)
    .reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  return inserted(text, { own, root: document.contents }, String(path[depth]), missing);
}

const PARSER = { merge: true, uniqueKeys: false, prettyErrors: false, logLevel: 'error' } as const;
const INDENT = 2;

interface Place {
  readonly pair: Pair;
  readonly parent: YAMLMap;
}

/** The keys of a path that are in the file, from the outermost on. @throws ApexError CONFIG_NOT_EDITABLE */
function placesAlong(root: unknown, path: KeyPath): Place[] {
  const places: Place[] = [];
  let node = root;
  for (const step of path) {
    if (isAlias(node)) throw notEditable(`${path.join('.')} comes from an anchor (*)`);
    if (!isMap(node)) return places;
    const pair = node.items.findLast(({ key }) => keyOf(key) === String(step));
    if (pair === undefined) {
      if (node.items.some(({ key }) => keyOf(key) === '<<'))
        throw notEditable(`${path.join('.')} may come from an anchor (<<)`);
      return places;
    }
    places.push({ pair, parent: node });
    node = pair.value;
  }
  if (isAlias(node)) throw notEditable(`${path.join('.')} comes from an anchor (*)`);
  return places;
}

function replaced(text: string, { pair }: Place, value: unknown): string {
  const start = startOf(pair.key);
  return (
    text.slice(0, start) +
    rendered(keyOf(pair.key), value, columnAt(text, start)) +
    text.slice(endOf(text, pair))
  );
}

function removed(text: string, places: readonly Place[]): string {
  const { pair, parent } = places.at(-1) as Place;
  const outer = places.at(-2);
  if (parent.items.length === 1 && outer !== undefined) return replaced(text, outer, {});
  if (parent.flow === true) return reflowed(text, outer, keyOf(pair.key), undefined);
  const from = lineStart(text, startOf(pair.key));
  const lineEnd = text.indexOf('\n', endOf(text, pair));
  return text.slice(0, from) + (lineEnd === -1 ? '' : text.slice(lineEnd + 1));
}

function inserted(
  text: string,
  { own, root }: { readonly own: Place | undefined; readonly root: unknown },
  key: string,
  value: unknown,
): string {
  const parent = own === undefined ? root : own.pair.value;
  if (isMap(parent) && parent.flow !== true && parent.items.length > 0) {
    const last = parent.items.at(-1) as Pair;
    const column = columnAt(text, startOf(last.key));
    const end = lineEndAfter(text, endOf(text, last));
    return `${text.slice(0, end)}\n${' '.repeat(column)}${rendered(key, value, column)}${text.slice(end)}`;
  }
  if (own === undefined) return `${text.trimEnd()}\n${rendered(key, value, 0)}\n`;
  return reflowed(text, own, key, value);
}

/** A section that is empty, or stands in braces, is written anew. */
function reflowed(text: string, outer: Place | undefined, key: string, value: unknown): string {
  if (outer === undefined) throw notEditable('the file is one value in braces');
  const before: unknown = isCollection(outer.pair.value) ? outer.pair.value.toJSON() : {};
  return replaced(text, outer, withValue(before, [key], value));
}

/** `key: value` as it stands behind so many spaces, without a line end. */
function rendered(key: string, value: unknown, column: number): string {
  const isEmpty = isRecord(value) && Object.keys(value).length === 0;
  const document = new Document({ [key]: isEmpty ? null : value });
  // Short lists on their line, as people write them.
  visit(document, {
    Seq: (_, list) => {
      list.flow = list.items.every((item) => isScalar(item));
    },
  });
  const text = document.toString({
    indent: INDENT,
    lineWidth: 0,
    nullStr: isEmpty ? '' : 'null',
    flowCollectionPadding: false,
  });
  return text
    .trimEnd()
    .split('\n')
    .join(`\n${' '.repeat(column)}`);
}

function startOf(key: unknown): number {
  const range = isScalar(key) ? key.range : null;
  if (range === null || range === undefined)
    throw notEditable('a key of the file is no plain word');
  return range[0];
}

/** Behind the last character of a pair that is no white space. */
function endOf(text: string, { key, value }: Pair): number {
  const range = (value as { range?: readonly number[] | null } | null)?.range;
  const keyEnd = (isScalar(key) ? key.range?.[1] : undefined) ?? 0;
  // An empty value stands behind the colon.
  let end = Math.max(range?.[1] ?? 0, text.indexOf(':', keyEnd) + 1);
  while (/\s/.test(text[end - 1] ?? '')) end--;
  return end;
}

/** A remark behind a value stays with it. */
function lineEndAfter(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

function columnAt(text: string, at: number): number {
  return at - lineStart(text, at);
}

function keyOf(key: unknown): string {
  if (!isScalar(key)) return String(key);
  // The key `<<` is a symbol where it merges.
  return typeof key.value === 'symbol' ? (key.source ?? '<<') : String(key.value);
}

function dataOf(text: string): unknown {
  return parseDocument(text, PARSER).toJS({ maxAliasCount: 100 }) ?? {};
}

function withValue(data: unknown, [step, ...rest]: KeyPath, value: unknown): unknown {
  if (step === undefined) return value;
  const record = isRecord(data) ? data : {};
  const inner = withValue(record[String(step)], rest, value);
  const { [String(step)]: _, ...others } = record;
  if (inner === undefined) return others;
  return Object.hasOwn(record, String(step))
    ? { ...record, [String(step)]: inner }
    : { ...others, [String(step)]: inner };
}

/** `zones:` without anything means the same as no zones. */
function withoutEmpty(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, withoutEmpty(each)] as const);
  const isEmpty = (each: unknown): boolean =>
    each === null || (isRecord(each) && Object.keys(each).length === 0);
  return Object.fromEntries(entries.filter(([, each]) => !isEmpty(each)));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notEditable(message: string): ApexError {
  return new ApexError('CONFIG_NOT_EDITABLE', message);
}
