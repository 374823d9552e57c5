import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { EVENT_STATUS } from '../../../src/hub/store/schema.ts';
import { freePort, waitFor } from '../../support/program.ts';
import { type EdgeOptions, EdgeUnderTest } from './edge.ts';
import { type HubOptions, HubUnderTest } from './hub.ts';
import { type HubRecord, readHubRecord } from './hub-record.ts';
import {
  acksAreTrue,
  everyAlertOnce,
  hasRecovered,
  lossIsDeclared,
  nothingUnexpected,
  type Producers,
  streamsAreWhole,
  subscriberSawAll,
} from './invariants.ts';
import { readProducerLog } from './producer-log.ts';
import { SEED } from './seed.ts';

export interface SceneOptions {
  /** Client ids; one edge by default. */
  readonly edges?: readonly string[];
  readonly hub?: Partial<HubOptions>;
  /** For every edge, or by the edge's index. */
  readonly edge?: Partial<EdgeOptions> | ((index: number) => Partial<EdgeOptions>);
}

export interface Healing {
  /** Generous: these tell a recovery from none, not a fast machine from a slow one. */
  readonly drainedWithinMs?: number;
  readonly probeWithinMs?: number;
}

/** A hub and its edges in a folder of their own; ended and removed with the test. */
export class FaultScene {
  readonly folder = mkdtempSync(join(tmpdir(), 'apex-fault-'));
  readonly hub: HubUnderTest;
  readonly edges: readonly EdgeUnderTest[];

  private constructor(options: SceneOptions, port: number) {
    const ids = options.edges ?? ['edge-1'];
    this.hub = new HubUnderTest({
      dir: join(this.folder, 'hub'),
      edges: ids,
      ...options.hub,
      port,
    });
    this.edges = ids.map((clientId, index) => {
      const log = join(this.folder, `${clientId}.log`);
      const dir = join(this.folder, clientId);
      mkdirSync(dir);
      const token = this.hub.tokenOf(clientId);
      const seed = SEED + index;
      const hubUrl = this.hub.url;
      const own = typeof options.edge === 'function' ? options.edge(index) : options.edge;
      return new EdgeUnderTest({ dir, log, hubUrl, token, clientId, seed, ...own });
    });
  }

  /** Nothing runs yet; the hub's address is settled. */
  static async create(options: SceneOptions = {}): Promise<FaultScene> {
    const port = options.hub?.port ?? (await freePort());
    const scene = new FaultScene(options, port);
    onTestFinished(() => scene.#end());
    return scene;
  }

  get edge(): EdgeUnderTest {
    const [edge] = this.edges;
    if (edge === undefined) throw new Error('a scene without an edge');
    return edge;
  }

  /** The backlog of every running edge is empty. */
  async drained(timeoutMs = 30_000): Promise<void> {
    for (const edge of this.edges)
      await waitFor(
        'an empty backlog',
        async () => {
          const { lanes } = await edge.command('queue');
          return lanes.every(({ depth }) => depth === 0);
        },
        timeoutMs,
      );
  }

  /** I6: with the fault over, production stopped and hub and edges running. */
  async recovers({ drainedWithinMs = 30_000, probeWithinMs = 5000 }: Healing = {}): Promise<void> {
    const began = performance.now();
    for (const edge of this.edges) await edge.command('rates', { rates: {} });
    const drainedMs = await this.drained(drainedWithinMs).then(
      () => performance.now() - began,
      () => null,
    );
    for (const edge of this.edges) {
      const probe = await edge.command('probe', {}, 60_000).catch(() => null);
      const probeMs = probe?.tookMs ?? null;
      const recovery = { drainedMs, drainedWithinMs, probeMs, probeWithinMs };
      expect(
        hasRecovered(recovery),
        `${JSON.stringify(await edge.command('queue'))} ${edge.process.stderr.slice(-4000)}`,
      ).toEqual([]);
    }
  }

  /**
   * Ends edges and hub in good order, reads what the hub holds and checks I1 to I4 and that loss is declared.
   * @param others producers beside the scene's edges
   * @param isJudged false of events and streams that came from elsewhere
   */
  async verdict(
    others: Producers = new Map(),
    isJudged: (from: { readonly clientId: string }) => boolean = () => true,
  ): Promise<HubRecord> {
    for (const edge of this.edges) await edge.stop();
    await this.hub.stop();
    const whole = readHubRecord(this.hub.databasePath);
    const record = {
      events: whole.events.filter(isJudged),
      streams: whole.streams.filter(isJudged),
    };
    const producers = new Map([...this.producers(), ...others]);
    expect(
      [
        ...everyAlertOnce(record, producers),
        ...nothingUnexpected(record, producers),
        ...streamsAreWhole(record, producers),
        ...acksAreTrue(record, producers),
        ...lossIsDeclared(record, producers),
      ],
      `seed ${SEED}`,
    ).toEqual([]);
    return whole;
  }

  producers(): Producers {
    return new Map(
      this.edges.map(({ options }) => [options.clientId, readProducerLog(options.log)]),
    );
  }

  async #end(): Promise<void> {
    for (const edge of this.edges) await edge.kill();
    await this.hub.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** I7 for a subscriber to everything. */
export function expectSawAll(record: HubRecord, seen: readonly number[]): void {
  const shown = record.events
    .filter(({ status }) => status === EVENT_STATUS.ok || status === EVENT_STATUS.opaque)
    .map(({ eventId }) => eventId);
  expect(subscriberSawAll(shown, seen), `seed ${SEED}`).toEqual([]);
}
