const QUOTED = String.raw`(?:'(?<single>(?:[^'\\]|\\.)*)'|"(?<double>(?:[^"\\]|\\.)*)")`;
const DICT_ENTRY = String.raw`\s*["']?(?<key>\d{1,5})["']?\s*:\s*${QUOTED}\s*(?:,\s*|$)`;
const LIST_ENTRY = String.raw`\s*${QUOTED}\s*(?:,\s*|$)`;

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r' };

function unescapePython(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g,
    (_, hex2: string | undefined, hex4: string | undefined, other: string | undefined) =>
      other === undefined
        ? String.fromCharCode(Number.parseInt(hex2 ?? hex4 ?? '0', 16))
        : (ESCAPES[other] ?? other),
  );
}

function readEntries(body: string, pattern: string): string[] | null {
  const entry = new RegExp(pattern, 'y');
  const names: string[] = [];
  while (entry.lastIndex < body.length) {
    const groups = entry.exec(body)?.groups;
    if (groups === undefined) return null;
    const { key, single, double } = groups;
    const index = key === undefined ? names.length : Number(key);
    names[index] = unescapePython(single ?? double ?? '');
  }
  return names;
}

/**
 * Reads the class names that Ultralytics writes into a model's metadata: a Python dict literal such as
 * `{0: 'person', 1: "driver's seat"}`, a list of names, or the same as JSON.
 *
 * @returns the names by class number, or null when the text is none of these or leaves a number out
 */
export function parseClassNames(text: string): string[] | null {
  const trimmed = text.trim();
  const ends = `${trimmed.at(0)}${trimmed.at(-1)}`;
  if (ends !== '{}' && ends !== '[]') return null;
  const names = readEntries(trimmed.slice(1, -1).trim(), ends === '{}' ? DICT_ENTRY : LIST_ENTRY);
  if (names === null || names.length === 0) return null;
  return Array.from(names).some((name) => name === undefined) ? null : names;
}
