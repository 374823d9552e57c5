import { MetricRegistry } from './metrics.ts';

/** One metric that is read from a `Source`. Null: nothing to tell now. A counter's name ends in `_total`. */
export interface Reading<Source> {
  readonly name: string;
  readonly help: string;
  readonly of: (source: Source) => number | null;
}

export type Labels = Readonly<Record<string, string>>;

/**
 * Metrics that are read from a snapshot at the moment when somebody asks, so that a status and the metrics never
 * tell different things. All names begin with one prefix.
 */
export class MetricReadings<Snapshot> {
  readonly registry = new MetricRegistry();
  readonly #prefix: string;
  readonly #updates: ((snapshot: Snapshot) => void)[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The exposition for this snapshot. */
  render(snapshot: Snapshot): string {
    for (const update of this.#updates) update(snapshot);
    return this.registry.render();
  }

  read<Source>(
    readings: readonly Reading<Source>[],
    labels: readonly string[],
    sources: (snapshot: Snapshot) => readonly (readonly [Source, Labels])[],
  ): void {
    for (const { name, help, of } of readings) {
      const spec = { name: this.#prefix + name, help, labels };
      const isCounter = name.endsWith('_total');
      const metric = isCounter ? this.registry.counter(spec) : this.registry.gauge(spec);
      this.#updates.push((snapshot) => {
        metric.clear();
        for (const [source, values] of sources(snapshot)) metric.set(of(source), values);
      });
    }
  }

  /** A gauge whose samples tell by their labels. */
  oneOf(
    name: string,
    help: string,
    labels: readonly string[],
    samples: (snapshot: Snapshot) => readonly (readonly [number, Labels])[],
  ): void {
    this.read([{ name, help, of: (value: number) => value }], labels, samples);
  }
}
