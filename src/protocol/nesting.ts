const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * True where a value has more than `levels` of objects and lists in one another.
 *
 * JSON.parse takes any depth, but JSON.stringify and other walks run out of stack on what it gave. Every frame
 * comes through here: a walk without `Object.values` costs a twentieth of JSON.parse, a scan of the text a third.
 */
export function isDeeperThan(levels: number, value: unknown): boolean {
  return typeof value === 'object' && value !== null && hasDeeperPart(levels, value);
}

function hasDeeperPart(levels: number, value: object): boolean {
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const part of value)
      if (typeof part === 'object' && part !== null && hasDeeperPart(levels - 1, part)) return true;
    return false;
  }
  for (const name in value) {
    const part = (value as Record<string, unknown>)[name];
    if (typeof part === 'object' && part !== null && hasDeeperPart(levels - 1, part)) return true;
  }
  return false;
}

/**
 * The same for the text of a value, which need not be JSON. For long texts that nobody has vouched for: JSON.parse
 * takes 100 ms for a MiB of brackets, this stops at the first that is too many.
 */
export function isTextDeeperThan(levels: number, text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      if (at === -1) return false;
    } else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      depth++;
      if (depth > levels) return true;
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
  }
  return false;
}

/** Where the string that begins at `start` has its closing quote; -1 where it has none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    const isEscaped = (at - before) % 2 === 0;
    if (!isEscaped) return at;
  }
  return -1;
}
