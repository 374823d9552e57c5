/** A rule as it stands in the configuration file. */
export type Rule = Readonly<Record<string, unknown>>;

type FieldKind = 'flag' | 'text' | 'number' | 'list' | 'choice' | 'schedule';

export interface RuleField {
  readonly key: string;
  readonly kind: FieldKind;
  readonly name: string;
  readonly hint: string;
  readonly options?: readonly string[];
}

/** Every key of a rule; docs/rules.md says what they do. */
export const RULE_FIELDS: readonly RuleField[] = [
  { key: 'enabled', kind: 'flag', name: 'Enabled', hint: '' },
  {
    ...{ key: 'severity', kind: 'choice', name: 'Severity', hint: 'medium when left out' },
    options: ['low', 'medium', 'high', 'critical'],
  },
  { key: 'labels', kind: 'list', name: 'Objects', hint: 'person, car…; person when left out' },
  { key: 'cameras', kind: 'list', name: 'Cameras', hint: 'all when left out' },
  { key: 'zones', kind: 'list', name: 'In any of these zones', hint: 'anywhere when left out' },
  { key: 'lines', kind: 'list', name: 'Across any of these lines', hint: 'instead of zones' },
  {
    ...{ key: 'direction', kind: 'choice', name: 'To which side', hint: 'both when left out' },
    options: ['left', 'right'],
  },
  { key: 'duration_s', kind: 'number', name: 'For at least, s', hint: 'loitering' },
  { key: 'count', kind: 'number', name: 'At least so many at once', hint: '1 when left out' },
  { key: 'min_score', kind: 'number', name: 'Lowest score', hint: '0 to 1; 0.5 when left out' },
  {
    key: 'min_speed_kmh',
    kind: 'number',
    name: 'At least so fast, km/h',
    hint: 'in zones with a size',
  },
  {
    ...{ key: 'identity', kind: 'list', name: 'Only who is any of these' },
    hint: 'known, unknown, safe, watch_list, threat, person:ID',
  },
  {
    key: 'schedule',
    kind: 'schedule',
    name: 'Hours',
    hint: 'a line each: mon tue 22:00-06:00; always when left out',
  },
  { key: 'cooldown_s', kind: 'number', name: 'Quiet after an alert, s', hint: '60 when left out' },
  { key: 'alert', kind: 'text', name: 'Type of the alert', hint: 'chosen by what it asks for' },
];

/** What stands in the field of a form. */
export function textOf({ kind }: RuleField, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (kind === 'list') return Array.isArray(value) ? value.join(', ') : String(value);
  if (kind === 'schedule') return Array.isArray(value) ? value.map(lineOf).join('\n') : '';
  return String(value);
}

/** And back; undefined for what is left out. What cannot be meant goes on as it is, and the box says what is wrong. */
export function parsedOf({ kind }: RuleField, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (kind === 'number') return Number.isNaN(Number(trimmed)) ? trimmed : Number(trimmed);
  if (kind === 'flag') return trimmed === 'true';
  if (kind === 'list')
    return trimmed
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  if (kind === 'schedule') return trimmed.split('\n').map(windowOf);
  return trimmed;
}

/** A rule with another value of one key. */
export function withValue(rule: Rule, { key }: RuleField, value: unknown): Rule {
  const { [key]: _, ...rest } = rule;
  if (value === undefined) return rest;
  return Object.hasOwn(rule, key) ? { ...rule, [key]: value } : { ...rest, [key]: value };
}

function lineOf(window: { days?: readonly string[]; from?: string; to?: string }): string {
  const hours = `${window.from ?? ''}-${window.to ?? ''}`;
  return window.days === undefined ? hours : `${window.days.join(' ')} ${hours}`;
}

function windowOf(line: string): object {
  const words = line.trim().split(/\s+/);
  const [from = '', to = ''] = (words.at(-1) ?? '').split('-');
  const days = words.slice(0, -1);
  return days.length === 0 ? { from, to } : { days, from, to };
}
