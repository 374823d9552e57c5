import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LANES, type Lane } from '../../../src/protocol/lanes.ts';
import { CoreScene, gapsOf, messagesOf } from './store-scene.ts';

const MIB = 1024 * 1024;

type Step =
  | { readonly do: 'put'; readonly lane: Lane; readonly count: number; readonly size: number }
  | { readonly do: 'ack'; readonly lane: Lane; readonly share: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart' | 'crash' | 'renew' };

const lane = fc.constantFrom(...LANES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      lane,
      count: fc.integer({ min: 1, max: 60 }),
      size: fc.integer({ min: 0, max: 4000 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('ack' as const),
      lane,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 1, max: 600 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('restart' as const, 'crash' as const, 'renew' as const),
    }),
  },
);

/** What the store must not lose: numbers of alerts that were taken and not acknowledged. */
class Model {
  readonly scene: CoreScene;
  readonly alerts = new Set<number>();
  #n = 0;

  constructor(dir: string) {
    this.scene = new CoreScene({ dir, budgetBytes: MIB });
  }

  async apply(one: Step): Promise<void> {
    const { scene } = this;
    if (one.do === 'put') this.#put(one);
    else if (one.do === 'ack') await this.#ack(one);
    else if (one.do === 'wait') {
      scene.clock.pass(one.ms);
      scene.core.tidy();
    } else if (one.do === 'renew') scene.do({ op: 'renewEpoch' });
    else if (one.do === 'crash') scene.crash();
    else {
      scene.core.close();
      scene.restart();
    }
  }

  #put({ lane: to, count, size }: Extract<Step, { do: 'put' }>): void {
    for (let index = 0; index < count; index++) {
      const n = ++this.#n;
      const [outcome] = this.scene.put(this.scene.row(to, n, { filler: 'x'.repeat(size) }));
      if (to === 0 && outcome === 'ok') this.alerts.add(n);
    }
  }

  /** As a hub does: the oldest stream of the lane first, a part of it. */
  async #ack({ lane: of, share }: Extract<Step, { do: 'ack' }>): Promise<void> {
    const [stream] = this.scene.streams(of);
    if (stream === undefined) return;
    const through = stream.firstSeq - 1 + Math.floor(share * (stream.nextSeq - stream.firstSeq));
    const taken = messagesOf(await this.scene.entriesOf(stream, through));
    this.scene.ack(of, through, stream.epoch);
    if (of === 0) for (const n of taken) this.alerts.delete(n);
  }

  /** Reading fails by itself where a number is left out or told twice. */
  async check(): Promise<void> {
    const epochs = new Set<string>();
    for (const one of LANES) {
      const entries = await this.scene.entries(one);
      const streams = this.scene.streams(one);
      for (const { epoch, firstSeq, nextSeq } of streams) {
        expect(epochs.has(`${epoch}/${one}`)).toBe(false);
        epochs.add(`${epoch}/${one}`);
        expect(nextSeq).toBeGreaterThanOrEqual(firstSeq);
      }
      streams.reduce((before, stream) => {
        expect(stream.firstSeq).toBeGreaterThanOrEqual(before);
        return stream.nextSeq;
      }, 1);
      if (one > 0) continue;
      expect(messagesOf(entries)).toEqual(expect.arrayContaining([...this.alerts]));
      expect(gapsOf(entries).filter(({ reason }) => reason !== 'hub_regression')).toEqual([]);
    }
  }
}

test('whatever happens, alerts are kept and every number is told once: as a message or as part of a gap', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 5, maxLength: 40 }),
    async (steps) => {
      const dir = mkdtempSync(join(tmpdir(), 'apex-model-'));
      try {
        const model = new Model(dir);
        for (const one of steps) {
          await model.apply(one);
          if (one.do !== 'put') await model.check();
        }
        await model.check();
        model.scene.core.close();
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  );
  await fc.assert(property, { numRuns: 25, endOnFailure: true });
}, 120_000);
