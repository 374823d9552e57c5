/** One sample of an exposition. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const VALUE = String.raw`[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN`;
const LABELS = String.raw`(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*`;
const SAMPLE = new RegExp(String.raw`^(${NAME})(?:\{(${LABELS})\})? (${VALUE})$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"/g;

const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);

/**
 * Reads the Prometheus text format 0.0.4 as strictly as `promtool check metrics`: every family once, with help and
 * type before its samples, no sample twice, counters that end in `_total`, histograms whose buckets rise to `+Inf`.
 * @throws Error naming the line
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const reader = new ExpositionReader();
  for (const line of text.slice(0, -1).split('\n')) {
    const fault = reader.read(line);
    if (fault !== null) throw new Error(`${fault}: ${line}`);
  }
  for (const [family, { type, samples }] of reader.families) {
    if (samples.length === 0) throw new Error(`${family} has no samples`);
    if (type === 'histogram') checkHistogram(family, samples);
  }
  return reader.families;
}

class ExpositionReader {
  readonly families = new Map<string, Family & { samples: Sample[] }>();
  #help: { name: string; text: string } | undefined;
  #name = '';

  /** What is wrong with the line; null when nothing is. */
  read(line: string): string | null {
    const [, helped, words = ''] = HELP.exec(line) ?? [];
    if (helped !== undefined) return this.#onHelp(helped, words);
    const [, typed, type] = TYPE.exec(line) ?? [];
    if (typed !== undefined) return this.#onType(typed, type as Family['type']);
    const [, name, labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    if (name === undefined) return 'not a sample';
    const number = Number(value.replace('Inf', 'Infinity'));
    return this.#onSample({ name, labels: labelsOf(labels), value: number });
  }

  #onHelp(name: string, text: string): string | null {
    if (this.#help !== undefined) return 'HELP without TYPE before';
    if (this.families.has(name)) return 'a family twice';
    this.#help = { name, text };
    return null;
  }

  #onType(name: string, type: Family['type']): string | null {
    const help = this.#help;
    this.#help = undefined;
    if (help?.name !== name) return 'TYPE without HELP';
    if ((type === 'counter') !== name.endsWith('_total')) return 'the name of a counter';
    this.families.set(name, { type, help: help.text, samples: [] });
    this.#name = name;
    return null;
  }

  #onSample(sample: Sample): string | null {
    const family = this.families.get(this.#name);
    if (family === undefined || this.#help !== undefined) return 'a sample without TYPE';
    const part = sample.name.slice(this.#name.length);
    const parts = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!sample.name.startsWith(this.#name) || !parts.includes(part)) return 'a sample astray';
    if (family.samples.some((other) => keyOf(other) === keyOf(sample))) return 'a sample twice';
    if (family.type === 'counter' && !(sample.value >= 0)) return 'a counter below zero';
    family.samples.push(sample);
    return null;
  }
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const count = samples.find((sample) => sample.name === `${name}_count`);
  let [bound, through] = [Number.NEGATIVE_INFINITY, 0];
  for (const { labels, value } of buckets) {
    const le = Number(labels.le?.replace('Inf', 'Infinity'));
    if (!(le > bound) || value < through) throw new Error(`${name}: buckets do not rise`);
    [bound, through] = [le, value];
  }
  const hasSum = samples.some((sample) => sample.name === `${name}_sum`);
  if (bound !== Number.POSITIVE_INFINITY || through !== count?.value || !hasSum)
    throw new Error(`${name}: incomplete histogram`);
}

function labelsOf(text: string): Record<string, string> {
  const unescaped = (value: string) =>
    value.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [name, unescaped(value)]),
  );
}

function keyOf({ name, labels }: Sample): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}
