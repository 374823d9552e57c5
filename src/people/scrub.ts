/** A person of whom nothing is to be left. */
export interface ForgottenPerson {
  readonly personId: string;
  /** Every name that the person had; those that stand beside the id in a body are found without. */
  readonly names: readonly string[];
}

/** Stands in free text where the name stood. */
const NOBODY = 'a forgotten person';

/** Fields that name something else than a person: a camera called like somebody keeps its name. */
const NOT_FREE_TEXT: ReadonlySet<string> = new Set([
  'camera_id',
  'event_id',
  'type',
  'label',
  'phase',
  'end_reason',
  'model',
  'provider',
  'status',
  'severity',
  'rule',
]);

/** Who an event is about: as a whole or not at all. */
const IDENTITY = 'identity';

type Fields = Readonly<Record<string, unknown>>;

/** What one body is freed of. */
interface Traces {
  readonly personId: string;
  readonly names: readonly string[];
}

/**
 * Whether a JSON text may hold a trace of the person. Cheap, and never wrong where it says no, as long as the text was
 * written by `JSON.stringify`.
 */
export function mayMention(json: string, { personId, names }: ForgottenPerson): boolean {
  return (
    json.includes(personId) || names.some((name) => name !== '' && json.includes(inJson(name)))
  );
}

/** A text as it stands within a JSON string. */
export function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/**
 * The JSON text of a body without traces of the person; the very same text where it has none. A body that cannot be
 * read as JSON and mentions the person becomes `null`.
 */
export function scrubJson(json: string, person: ForgottenPerson): string {
  if (!mayMention(json, person)) return json;
  let body: unknown;
  try {
    body = JSON.parse(json);
  } catch {
    return 'null';
  }
  const scrubbed = scrubBody(body, person);
  return scrubbed === body ? json : JSON.stringify(scrubbed);
}

/**
 * A body without traces of the person; the very same value where it has none.
 *
 * An `identity` that is theirs is left out. Any other object that carries the person's id, such as a face, loses id and
 * name and becomes that of somebody unknown. In all other text the id and the names are replaced, where they stand as whole words. A name alone is no proof: beside another person's id,
 * and in a body that tells of another person of that name and not of this one, it stays.
 */
export function scrubBody(body: unknown, { personId, names }: ForgottenPerson): unknown {
  const beside = namesBeside(body, personId);
  const isAbout = beside !== null;
  const others = isAbout ? new Set<string>() : namesOfOthers(body, personId);
  // The words that take a name's place must not be replaced themselves. Full names go before their parts.
  const all = [...new Set([...names, ...(beside ?? [])])]
    .filter((name) => name !== '' && !NOBODY.includes(name) && !others.has(name))
    .sort((a, b) => b.length - a.length);
  return scrubbed(body, { personId, names: all }, false);
}

/** Names that stand beside the person's id in a body; null where the id is nowhere in it. */
export function namesBeside(body: unknown, personId: string): string[] | null {
  let isThere = false;
  const names: string[] = [];
  walk(body, (value) => {
    if (typeof value === 'string' && value.includes(personId)) isThere = true;
    if (isFields(value) && value.person_id === personId && typeof value.name === 'string')
      names.push(value.name);
  });
  return isThere ? names : null;
}

/** Ids of the events in which a body tells of the person. */
export function eventsAbout(body: unknown, personId: string): string[] {
  return [...new Set(eventsWithin(body, personId, []))];
}

/** @param around events that the value is a part of */
function eventsWithin(value: unknown, personId: string, around: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((part) => eventsWithin(part, personId, around));
  if (!isFields(value)) return [];
  const here = typeof value.event_id === 'string' ? [...around, value.event_id] : around;
  const own = value.person_id === personId ? here : [];
  const parts = Object.values(value).flatMap((part) => eventsWithin(part, personId, here));
  return [...own, ...parts];
}

function namesOfOthers(body: unknown, personId: string): Set<string> {
  const names = new Set<string>();
  walk(body, (value) => {
    if (isFields(value) && isOther(value, personId) && typeof value.name === 'string')
      names.add(value.name);
  });
  return names;
}

function walk(value: unknown, visit: (value: unknown) => void): void {
  visit(value);
  if (Array.isArray(value)) for (const part of value) walk(part, visit);
  else if (isFields(value)) for (const part of Object.values(value)) walk(part, visit);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOther(fields: Fields, personId: string): boolean {
  return typeof fields.person_id === 'string' && fields.person_id !== personId;
}

function scrubbed(value: unknown, traces: Traces, isFixed: boolean): unknown {
  if (typeof value === 'string') return scrubbedText(value, traces, isFixed);
  if (Array.isArray(value)) {
    const parts = value.map((part) => scrubbed(part, traces, isFixed));
    return parts.some((part, index) => part !== value[index]) ? parts : value;
  }
  return isFields(value) ? scrubbedFields(value, traces) : value;
}

function scrubbedFields(fields: Fields, traces: Traces): Fields {
  const isTheirs = fields.person_id === traces.personId;
  const isOthers = isOther(fields, traces.personId);
  let isChanged = isTheirs;
  const entries: [string, unknown][] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (isTheirs && (key === 'person_id' || key === 'name')) continue;
    if (key === IDENTITY && isFields(value) && value.person_id === traces.personId) {
      isChanged = true;
      continue;
    }
    const newKey = scrubbedText(key, traces, NOT_FREE_TEXT.has(key));
    const isFixed = NOT_FREE_TEXT.has(key) || (isOthers && key === 'name');
    const newValue = scrubbed(value, traces, isFixed);
    isChanged ||= newKey !== key || newValue !== value;
    entries.push([newKey, newValue]);
  }
  if (!isChanged) return fields;
  // Not by assignment: `__proto__` is a key like any other.
  const rest = Object.fromEntries(entries);
  if (!isTheirs) return rest;
  const isFace = 'is_known' in fields || 'face_id' in fields;
  return { ...rest, ...(isFace && { is_known: false }), threat_level: 'unknown' };
}

/** @param isFixed the text is no free text: only the id, which means nobody else, is replaced */
function scrubbedText(text: string, { personId, names }: Traces, isFixed: boolean): string {
  const withoutId = text.replaceAll(personId, NOBODY);
  if (isFixed) return withoutId;
  return names.reduce(withoutName, withoutId);
}

/** Whole words only: who forgets an Ann must not change every annual report. */
function withoutName(text: string, name: string): string {
  if (!text.includes(name)) return text;
  const word = name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])`, 'gu'), NOBODY);
}
