/**
 * The one redactor of logs, status pages and error texts.
 *
 * Three nets, because each has holes: user info in addresses, values under telling key names, and the literal
 * secrets that the program itself has read (`registerSecret`), wherever and however escaped they appear.
 */

const REDACTED = '***';

/** Shorter values would blank out ordinary text, and protect nothing. */
const SHORTEST_SECRET = 4;
const DEEPEST = 8;

interface KnownSecret {
  value: string;
  /** All its spellings; null when it has but one. */
  spellings: RegExp | null;
}

/** The longest first: of two secrets where one begins the other, the whole of the longer one must go. */
let secrets: readonly KnownSecret[] = [];

/** From now on `value` is replaced wherever it appears, also percent-encoded or JSON-escaped. */
export function registerSecret(value: string): void {
  if (value.length < SHORTEST_SECRET || secrets.some((known) => known.value === value)) return;
  const isUnreserved = /^[A-Za-z0-9._~-]+$/.test(value);
  const known = { value, spellings: isUnreserved ? null : new RegExp(anySpelling(value), 'gu') };
  secrets = [...secrets, known].sort((a, b) => b.value.length - a.value.length);
}

function withoutSecrets(text: string): string {
  let shown = text;
  for (const { value, spellings } of secrets)
    shown = shown.replaceAll(spellings ?? value, REDACTED);
  return shown;
}

/** Registers the password of an address that the program is about to use. */
export function registerUrlSecrets(url: string): void {
  const userInfo = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)@/i.exec(url)?.[1];
  const colon = userInfo?.indexOf(':') ?? -1;
  if (userInfo === undefined || colon < 0) return;
  const password = userInfo.slice(colon + 1);
  registerSecret(password);
  try {
    registerSecret(decodeURIComponent(password));
  } catch {
    // Not percent-encoded: the spelling registered above is the only one.
  }
}

/** Every character as itself, percent-encoded (RFC 3986) or escaped as in a JSON string (RFC 8259). */
function anySpelling(secret: string): string {
  return Array.from(secret, (character) => {
    const json = JSON.stringify(character).slice(1, -1);
    const percent = Array.from(
      Buffer.from(character, 'utf8'),
      (byte) =>
        `%${Array.from(byte.toString(16).padStart(2, '0'), (digit) =>
          digit >= 'a' ? `[${digit}${digit.toUpperCase()}]` : digit,
        ).join('')}`,
    ).join('');
    const spellings = new Set([json, character].map(literal));
    return `(?:${[...spellings, percent].join('|')})`;
  }).join('');
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

// A value may be quoted; a quote inside a quoted value ends it, as it does for whoever wrote the line.
const NAMED_VALUE =
  /(?<![a-z])(pass(?:word|wd|phrase)?|pwd|(?:access[_-]?|refresh[_-]?)?token|secret|api[_-]?key|credentials?)(["']?\s*[=:]\s*)("[^"\n]*"|'[^'\n]*'|[^\s&;,"'}\])]+)/gi;
// HTTP and RTSP credentials (RFC 7617, 6750, 7616); a word without capitals or digits is just a word.
const AUTHORIZATION =
  /\b(Basic|Bearer|Digest)\s+(?:\w+=["\w][^\n]*|(?=\S*[A-Z0-9=_.])[A-Za-z0-9+/_.~-]{6,}=*)/g;
// The length of a scheme is bounded so that a long word costs no quadratic time.
const ADDRESS = /([a-z][a-z0-9+.-]{0,15}:\/\/)([^\n]*?)(?=[a-z][a-z0-9+.-]{0,15}:\/\/|\n|$)/gi;

/** Text without registered secrets, user info of addresses, and `password=...`, `Bearer ...` and their like. */
export function redactText(text: string): string {
  return withoutSecrets(text)
    .replace(ADDRESS, (_, scheme: string, rest: string) => scheme + withoutUserInfo(scheme, rest))
    .replace(AUTHORIZATION, `$1 ${REDACTED}`)
    .replace(NAMED_VALUE, `$1$2${REDACTED}`);
}

/** One whole address, for showing; whatever stands before its last `@` is taken for user info. */
export function redactUrl(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0] ?? '';
  const rest = url.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  return redactText(at < 0 ? url : `${scheme}${REDACTED}@${rest.slice(at + 1)}`);
}

/**
 * People paste passwords as they are, so `@`, `:`, `/` and spaces may stand unencoded before the real `@`.
 * Rather one host name too many is hidden than half a password shown.
 *
 * @param rest what follows the scheme, up to the next address or the end of the line
 */
function withoutUserInfo(scheme: string, rest: string): string {
  const word = /^\S*/.exec(rest)?.[0] ?? '';
  const authority = /^[^/?#\s]*/.exec(rest)?.[0] ?? '';
  if (isPlainHost(scheme, authority, word)) return rest;
  // Without an `@` in the word, a colon that no port follows begins a password with a space in it.
  const reach = word.includes('@') ? word : rest;
  const at = reach.lastIndexOf('@');
  if (at >= 0) return `${REDACTED}${rest.slice(at)}`;
  return `${REDACTED}${rest.slice(authority.length)}`;
}

function isPlainHost(scheme: string, authority: string, word: string): boolean {
  if (authority.includes('@')) return false;
  if (!word.includes('@')) return /^(?:\[[0-9a-f:.%]*\]|[^:]*)(?::\d*)?\W*$/i.test(authority);
  // `https://host/@scope/name` is an ordinary address; cameras' paths hold no `@`, their passwords do.
  return !/^rtsps?:/i.test(scheme) && !authority.includes(':');
}

const SECRET_KEY =
  /(?:^|[^a-z0-9])(?:pass(?:word|wd|phrase)?|pwd|(?:access|auth|refresh)?token|secret|authorization|cookie|api_?-?key|private_?-?key|token_sha256)$/;
const SECRET_LIST_KEY = /(?:^|[^a-z0-9])(?:passwords|tokens|secrets|credentials)$/;

/**
 * A copy of any value for showing: plain data, at most eight levels deep, with the values of secret keys
 * (`password`, `token`, `authorization`, ...) and every secret inside texts replaced by `***`.
 */
export function redact(value: unknown): unknown {
  return copy(value, 0, new Set());
}

function copy(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (above.has(value)) return '[circular]';
  if (depth >= DEEPEST) return '[too deep]';
  above.add(value);
  try {
    if (value instanceof Error) return copyError(value, depth, above);
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1, above));
    if (value instanceof Map) return copyEntries([...value], depth, above);
    if (value instanceof Set) return [...value].map((item) => copy(item, depth + 1, above));
    if (hasToJson(value)) return copy(value.toJSON(), depth + 1, above);
    return copyEntries(Object.entries(value), depth, above);
  } finally {
    above.delete(value);
  }
}

function copyEntries(
  entries: readonly (readonly [unknown, unknown])[],
  depth: number,
  above: Set<object>,
): Record<string, unknown> {
  return Object.fromEntries(
    entries.map(([key, value]) => [String(key), copyField(String(key), value, depth, above)]),
  );
}

function copyField(key: string, value: unknown, depth: number, above: Set<object>): unknown {
  const words = key.replace(/([a-z0-9])(?=[A-Z])/g, '$1_').toLowerCase();
  if (SECRET_KEY.test(words)) return hide(value);
  if (SECRET_LIST_KEY.test(words)) return hideScalars(value, depth, above);
  return copy(value, depth + 1, above);
}

/** Whether there is a value, and nothing of it. */
function hide(value: unknown): unknown {
  const isEmpty = value === undefined || value === null || value === '';
  return isEmpty || typeof value === 'boolean' ? value : REDACTED;
}

/** A list of credentials: texts are secrets themselves, objects say with their keys what is. */
function hideScalars(value: unknown, depth: number, above: Set<object>): unknown {
  if (depth >= DEEPEST) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => hideScalars(item, depth + 1, above));
  if (typeof value === 'object' && value !== null) return copy(value, depth + 1, above);
  return hide(value);
}

/** The fields of an error that are worth showing, its causes included. */
function copyError(error: Error, depth: number, above: Set<object>): Record<string, unknown> {
  const { code, remedy, details } = error as {
    code?: unknown;
    remedy?: unknown;
    details?: unknown;
  };
  const isExplained = typeof remedy === 'string';
  const fields: [string, unknown][] = [
    ['name', error.name],
    ['code', code],
    ['message', error.message],
    ['remedy', remedy],
    ['details', isEmptyObject(details) ? undefined : details],
    // An error with a remedy is for the person who runs the box; any other is for whoever mends the program.
    ['stack', isExplained ? undefined : error.stack],
    ['cause', error.cause],
    ['errors', error instanceof AggregateError ? error.errors : undefined],
  ];
  return copyEntries(
    fields.filter(([, value]) => value !== undefined),
    depth,
    above,
  );
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}
