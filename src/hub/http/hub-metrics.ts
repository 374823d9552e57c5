import { type Labels, MetricReadings } from '../../system/metric-readings.ts';
import type { Histogram, MetricDescription } from '../../system/metrics.ts';
import type { ProcessFacts } from '../../system/process-watch.ts';
import type { HubStats } from '../hub-stats.ts';
import { type Figure, HUB_FIGURES } from './hub-figures.ts';

interface Snapshot {
  readonly stats: HubStats;
  readonly process: ProcessFacts;
  readonly version: string;
}

/** Upper bounds in seconds: from a fast disk to one that makes clients wait. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The hub's metrics. All but the histograms are read from its statistics when somebody asks. */
export class HubMetrics {
  readonly #readings = new MetricReadings<Snapshot>('apex_hub_');
  readonly #commit: Histogram;
  readonly #ack: Histogram;

  constructor() {
    const readings = this.#readings;
    readings.oneOf('info', 'Always 1; tells the version.', ['version'], ({ version }) => [
      [1, { version }],
    ]);
    for (const [key, figure] of Object.entries(HUB_FIGURES))
      if (figure.metric !== null) this.#figure(key as keyof HubStats, figure, figure.metric);
    const process = ({ process: facts }: Snapshot): [ProcessFacts, Labels][] => [[facts, {}]];
    readings.read(PROCESS, [], process);
    this.#commit = readings.registry.histogram(
      { name: 'apex_hub_commit_seconds', help: 'Time of a transaction with its fsync.' },
      BOUNDS,
    );
    this.#ack = readings.registry.histogram(
      { name: 'apex_hub_ack_seconds', help: 'From receiving a batch to its commit.' },
      BOUNDS,
    );
  }

  committed(commitMs: number): void {
    this.#commit.observe(commitMs / 1000);
  }

  acknowledged(latencyMs: number): void {
    this.#ack.observe(latencyMs / 1000);
  }

  /** For the reference in docs/metrics.md. */
  descriptions(): MetricDescription[] {
    return this.#readings.registry.descriptions();
  }

  render(snapshot: Snapshot): string {
    return this.#readings.render(snapshot);
  }

  #figure(key: keyof HubStats, { help, factor }: Figure, name: string): void {
    const reading = { name, help, of: (value: number) => value * factor };
    if (key !== 'clients') {
      this.#readings.read([reading], [], ({ stats }) => [[Number(stats[key]), {}]]);
      return;
    }
    this.#readings.read([reading], ['type'], ({ stats }) =>
      Object.entries(stats.clients).map(([type, clients]) => [clients, { type }]),
    );
  }
}

const PROCESS = [
  {
    name: 'resident_memory_bytes',
    help: 'Memory of the hub.',
    of: ({ rssBytes }: ProcessFacts) => rssBytes,
  },
  {
    name: 'cpu_seconds_total',
    help: 'CPU time of the hub.',
    of: ({ cpuSeconds }: ProcessFacts) => cpuSeconds,
  },
  {
    name: 'event_loop_delay_p99_seconds',
    help: '99th percentile of the delay of the event loop since it was last asked for.',
    of: ({ eventLoopDelay }: ProcessFacts) => eventLoopDelay.p99,
  },
];
