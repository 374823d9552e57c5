/**
 * Metrics in the Prometheus text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). Pure: numbers in, text out.
 */

type LabelValues = Readonly<Record<string, string | number>>;

export interface MetricSpec {
  /** With its unit: `_seconds`, `_bytes`, and `_total` for counters. */
  readonly name: string;
  readonly help: string;
  /** Names of the labels that every sample has. */
  readonly labels?: readonly string[];
}

export interface MetricDescription extends Required<MetricSpec> {
  readonly type: 'counter' | 'gauge' | 'histogram';
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Values by their labels. */
class Samples<Value> {
  readonly #name: string;
  readonly #labels: readonly string[];
  readonly #values = new Map<string, Value>();

  constructor({ name, labels }: MetricDescription) {
    this.#name = name;
    this.#labels = labels;
  }

  get(labels: LabelValues): Value | undefined {
    return this.#values.get(this.#text(labels));
  }

  set(labels: LabelValues, value: Value): void {
    this.#values.set(this.#text(labels), value);
  }

  delete(labels: LabelValues): void {
    this.#values.delete(this.#text(labels));
  }

  clear(): void {
    this.#values.clear();
  }

  entries(): Iterable<[labels: string, value: Value]> {
    return this.#values;
  }

  #text(given: LabelValues): string {
    const names = Object.keys(given);
    if (names.length !== this.#labels.length || !this.#labels.every((name) => name in given))
      throw new RangeError(`${this.#name} has the labels ${this.#labels}, not ${names}`);
    return this.#labels.map((name) => `${name}="${escaped(String(given[name]))}"`).join(',');
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** A number that goes up and down. */
export class Gauge {
  readonly #samples: Samples<number>;

  constructor(description: MetricDescription) {
    this.#samples = new Samples(description);
  }

  /** Null where there is nothing to tell: the sample is left out. */
  set(value: number | null, labels: LabelValues = {}): void {
    if (value !== null) this.#samples.set(labels, value);
  }

  /** Forgets all samples, so that what no longer exists is no longer told. */
  clear(): void {
    this.#samples.clear();
  }

  *lines(name: string): Iterable<string> {
    for (const [labels, value] of this.#samples.entries()) yield sample(name, labels, value);
  }
}

/** A number that only goes up, and begins at 0 with the process. Where something else counts, its count is `set`. */
export class Counter extends Gauge {}

/** How often a value was at most each bound. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #samples: Samples<{ counts: number[]; sum: number; count: number }>;

  /** @param bounds ascending, without infinity */
  constructor(description: MetricDescription, bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#samples = new Samples(description);
  }

  observe(value: number, labels: LabelValues = {}): void {
    let entry = this.#samples.get(labels);
    if (entry === undefined) {
      entry = { counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
      this.#samples.set(labels, entry);
    }
    const index = this.#bounds.findIndex((bound) => value <= bound);
    if (index >= 0) entry.counts[index] = (entry.counts[index] ?? 0) + 1;
    entry.sum += value;
    entry.count++;
  }

  /** What these labels name no longer exists. */
  forget(labels: LabelValues): void {
    this.#samples.delete(labels);
  }

  *lines(name: string): Iterable<string> {
    for (const [labels, { counts, sum, count }] of this.#samples.entries()) {
      let through = 0;
      const bucket = (bound: string, value: number): string =>
        sample(`${name}_bucket`, [labels, `le="${bound}"`].filter(Boolean).join(','), value);
      for (const [index, bound] of this.#bounds.entries()) {
        through += counts[index] ?? 0;
        yield bucket(shown(bound), through);
      }
      yield bucket('+Inf', count);
      yield sample(`${name}_sum`, labels, sum);
      yield sample(`${name}_count`, labels, count);
    }
  }
}

function sample(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${shown(value)}`;
}

function shown(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** All metrics of one process. */
export class MetricRegistry {
  readonly #metrics = new Map<string, [MetricDescription, Gauge | Histogram]>();

  static readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';

  gauge(spec: MetricSpec): Gauge {
    return this.#add(spec, 'gauge', (description) => new Gauge(description));
  }

  counter(spec: MetricSpec): Counter {
    if (!spec.name.endsWith('_total')) throw new RangeError(`${spec.name} must end in _total`);
    return this.#add(spec, 'counter', (description) => new Counter(description));
  }

  histogram(spec: MetricSpec, bounds: readonly number[]): Histogram {
    return this.#add(spec, 'histogram', (description) => new Histogram(description, bounds));
  }

  /** In the order in which they were made. */
  descriptions(): MetricDescription[] {
    return [...this.#metrics.values()].map(([description]) => description);
  }

  /** The exposition: every metric with its help, its type and its samples. */
  render(): string {
    const lines: string[] = [];
    for (const [{ name, help, type }, metric] of this.#metrics.values()) {
      const samples = [...metric.lines(name)];
      if (samples.length === 0) continue;
      const safeHelp = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
      lines.push(`# HELP ${name} ${safeHelp}`, `# TYPE ${name} ${type}`, ...samples);
    }
    return lines.map((line) => `${line}\n`).join('');
  }

  #add<Metric extends Gauge | Histogram>(
    { name, help, labels = [] }: MetricSpec,
    type: MetricDescription['type'],
    make: (description: MetricDescription) => Metric,
  ): Metric {
    if (!NAME.test(name) || !labels.every((label) => LABEL.test(label)))
      throw new RangeError(`${name}{${labels}} cannot be the name of a metric`);
    if (this.#metrics.has(name)) throw new RangeError(`${name} is there twice`);
    const description = { name, help, labels, type };
    const metric = make(description);
    this.#metrics.set(name, [description, metric]);
    return metric;
  }
}
