import {
  Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { KeyPath } from './schema-shape.ts';

/** A place in the file; both count from 1. */
export interface Location {
  line: number;
  column: number;
}

export interface SyntaxFault extends Location {
  message: string;
}

export interface DuplicateKey {
  path: KeyPath;
  first: Location;
}

/** The configuration file as parsed YAML that knows its lines. */
export class ConfigDocument {
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(text: string) {
    // `prettyErrors` would quote lines of the file, and with them passwords.
    // `logLevel` keeps the package from writing warnings to the console; `silent` would hide errors too.
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
      merge: true,
      logLevel: 'error',
    });
  }

  syntaxFaults(): SyntaxFault[] {
    const { errors, warnings } = this.#document;
    return [...errors, ...warnings].map((fault) => ({
      ...this.#locationAt(this.#openQuoteBefore(fault) ?? fault.pos[0]),
      message: SYNTAX_MESSAGES[fault.code] ?? OTHER_SYNTAX,
    }));
  }

  /** A quote that is never closed is noticed at the end of the file, where nobody would look for it. */
  #openQuoteBefore(fault: YAMLError): number | null {
    let start: number | null = null;
    walk(this.#document.contents, { path: [], above: [] }, (node) => {
      if (fault.code !== 'MISSING_CHAR' || !isScalar(node) || !node.type?.startsWith('QUOTE'))
        return;
      const [from, , to] = node.range ?? [0, 0, 0];
      if (from < fault.pos[0] && fault.pos[0] <= to) start = from;
    });
    return start;
  }

  /** Anchors that are not set, that hold themselves, or that unfold into a huge file. */
  aliasFaults(): SyntaxFault[] {
    const faults: SyntaxFault[] = [];
    walk(this.#document.contents, { path: [], above: [] }, (node, { above }) => {
      if (!isAlias(node)) return;
      const target = node.resolve(this.#document);
      if (target === undefined || above.includes(target))
        faults.push({ ...this.#locationOf(node), message: BAD_ALIAS });
    });
    if (faults.length > 0) return faults;
    try {
      this.toData();
      return [];
    } catch {
      return [{ line: 1, column: 1, message: 'the anchors of the file unfold too far' }];
    }
  }

  /** Keys that stand twice in one section, at their second place. */
  duplicateKeys(): DuplicateKey[] {
    const duplicates: DuplicateKey[] = [];
    walk(this.#document.contents, { path: [], above: [] }, (node, { path }) => {
      if (!isMap(node)) return;
      const seen = new Map<string, Location>();
      for (const { key } of node.items) {
        const name = keyName(key);
        const first = seen.get(name);
        if (first !== undefined && name !== '<<') duplicates.push({ path: [...path, name], first });
        else seen.set(name, this.#locationOf(key));
      }
    });
    return duplicates;
  }

  /**
   * The file's content as plain data, of two equal keys the last. Only without alias faults.
   */
  toData(): unknown {
    return this.#document.toJS({ maxAliasCount: 100 });
  }

  /** Where a key stands, or the nearest section around it that is in the file; null for an empty file. */
  locate(path: KeyPath): { location: Location; isExact: boolean } | null {
    let node: unknown = this.#document.contents;
    let location: Location | null = null;
    for (const step of path) {
      const found = this.#child(node, step);
      if (found === null) return location === null ? null : { location, isExact: false };
      location = this.#locationOf(found.key);
      node = found.value;
    }
    return location === null ? null : { location, isExact: true };
  }

  #child(parent: unknown, step: string | number): { key: unknown; value: unknown } | null {
    const node = this.#resolved(parent);
    if (isSeq(node)) {
      const item = node.items[Number(step)];
      return item === undefined ? null : { key: item, value: item };
    }
    if (!isMap(node)) return null;
    const own = node.items.findLast((pair) => keyName(pair.key) === String(step));
    if (own !== undefined) return own;
    return this.#mergedChild(node, step);
  }

  /** `<<: *other` brings the keys of other sections. */
  #mergedChild(node: YAMLMap, step: string | number): { key: unknown; value: unknown } | null {
    for (const pair of node.items.filter(({ key }) => keyName(key) === '<<')) {
      const source = this.#resolved(pair.value);
      for (const merged of isSeq(source) ? source.items : [source]) {
        const found = this.#child(merged, step);
        if (found !== null) return found;
      }
    }
    return null;
  }

  #resolved(node: unknown): unknown {
    return node instanceof Alias ? node.resolve(this.#document) : node;
  }

  #locationOf(node: unknown): Location {
    return this.#locationAt((node as Node | null)?.range?.[0] ?? 0);
  }

  #locationAt(offset: number): Location {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

function keyName(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

interface Place {
  path: KeyPath;
  above: readonly unknown[];
}

function walk(node: unknown, place: Place, visit: (node: unknown, place: Place) => void): void {
  visit(node, place);
  const above = [...place.above, node];
  if (isMap(node))
    for (const { key, value } of node.items as Pair[])
      walk(value, { path: [...place.path, keyName(key)], above }, visit);
  else if (isSeq(node))
    for (const [index, item] of node.items.entries())
      walk(item, { path: [...place.path, index], above }, visit);
}

const OTHER_SYNTAX = 'this is not YAML; look at indentation, colons, brackets and quotes';
const BAD_ALIAS =
  'a value that begins with * refers to an anchor (&name) above; quote a text that begins with *';

/** In our words, because the parser's own messages quote values, which may be secret. */
const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
  BAD_ALIAS,
  BAD_INDENT: 'the indentation does not fit the lines above, or a bracket is not closed',
  BAD_SCALAR_START: 'a text that begins with @, ` or % needs quotes around it',
  BAD_DQ_ESCAPE: 'unknown \\ sequence in double quotes; use single quotes to take \\ as it is',
  BLOCK_AS_IMPLICIT_KEY:
    'a second colon on the line, or wrong indentation; quote a text that holds ": "',
  MISSING_CHAR: 'a closing quote, bracket or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key without a colon after it, or wrong indentation',
  MULTIPLE_DOCS: 'a second document begins here (---); the configuration is one document',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'a value that begins with ! is a tag; quote a text that begins with !',
};
