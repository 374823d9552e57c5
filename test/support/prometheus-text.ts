/** One sample of an exposition. */
export interface Sample {
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

/**
 * Reads the Prometheus text format 0.0.4 as strictly as `promtool check metrics`: every family once, with help and
 * type before its samples, no sample twice, counters that end in `_total`, histograms whose buckets rise to `+Inf`.
 * @throws Error naming the line
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family & { samples: Sample[] }>();
  let help: { name: string; text: string } | undefined;
  let name = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const fault = (why: string) => new Error(`${why}: ${line}`);
    const [, helped, words] = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line) ?? [];
    if (helped !== undefined) {
      if (help !== undefined) throw fault('HELP without TYPE before');
      if (families.has(helped)) throw fault('a family twice');
      help = { name: helped, text: words ?? '' };
      continue;
    }
    const [, typed, type] = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line) ?? [];
    if (typed !== undefined) {
      if (help?.name !== typed) throw fault('TYPE without HELP');
      if ((type === 'counter') !== typed.endsWith('_total')) throw fault('the name of a counter');
      families.set(typed, { type: type as Family['type'], help: help.text, samples: [] });
      name = typed;
      help = undefined;
      continue;
    }
    const [, sampled, labels = '', value] = SAMPLE.exec(line) ?? [];
    const family = families.get(name);
    if (sampled === undefined || family === undefined || help !== undefined)
      throw fault('not a sample');
    const isPart = family.type === 'histogram' && /^_(?:bucket|sum|count)$/.test(sampled.slice(name.length));
    if (!sampled.startsWith(name) || (sampled !== name && !isPart)) throw fault('a sample astray');
    const sample = { name: sampled, labels: labelsOf(labels), value: Number(value?.replace('Inf', 'Infinity')) };
    if (family.samples.some((other) => keyOf(other) === keyOf(sample))) throw fault('a sample twice');
    if (family.type === 'counter' && !(sample.value >= 0)) throw fault('a counter below zero');
    family.samples.push(sample);
  }
  for (const [family, { type, samples }] of families) {
    if (samples.length === 0) throw new Error(`${family} has no samples`);
    if (type === 'histogram') checkHistogram(family, samples);
  }
  return families;
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const count = samples.find((sample) => sample.name === `${name}_count`);
  let [bound, through] = [Number.NEGATIVE_INFINITY, 0];
  for (const { labels, value } of buckets) {
    const le = Number(labels['le']?.replace('Inf', 'Infinity'));
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
