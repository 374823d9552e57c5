import { join } from 'node:path';
import { z } from 'zod';
import type { ToldOutage } from '../../events/watch/camera-outages.ts';
import type { ToldCondition } from '../../events/watch/open-conditions.ts';
import { SEVERITIES } from '../../protocol/payloads.ts';
import type { Logger } from '../../system/logger.ts';
import { monotonicShift, type SavedTime, savedTimeSchema } from '../../system/saved-time.ts';
import { type ExecutionProvider, PROVIDERS } from '../../vision/contract.ts';
import { StateFile } from '../state-file.ts';

const NAME = 'health.json';

const fileSchema = z.object({
  version: z.literal(1),
  saved: savedTimeSchema,
  outages: z.array(
    z.object({
      cameraId: z.string(),
      kind: z.enum(['offline', 'flapping']),
      sinceMs: z.number(),
    }),
  ),
  conditions: z.array(
    z.object({
      key: z.string(),
      type: z.string(),
      severity: z.enum(SEVERITIES),
      cameraId: z.string().nullable(),
      why: z.string(),
      sinceMs: z.number(),
    }),
  ),
  bestProvider: z.enum(PROVIDERS).nullable(),
});

/** What was told of the health of cameras and box and is not over, with monotonic times. */
export interface KnownHealth {
  readonly outages: readonly ToldOutage[];
  readonly conditions: readonly ToldCondition[];
  /** The best that ever ran the detector on this box; null where none has. */
  readonly bestProvider: ExecutionProvider | null;
}

const NOTHING: KnownHealth = { outages: [], conditions: [], bestProvider: null };

/** The file `health.json` in the data folder: what was told is not told again by the next run of the daemon. */
export class HealthMemory {
  readonly known: KnownHealth;
  readonly #file: StateFile<z.infer<typeof fileSchema>>;
  #text = '';

  static async open(dataDir: string, now: SavedTime, log: Logger): Promise<HealthMemory> {
    const { file, state } = await StateFile.open(join(dataDir, NAME), fileSchema, log);
    if (state === null) return new HealthMemory(file, NOTHING);
    const shift = monotonicShift(state.saved, now);
    const shifted = <Told extends { sinceMs: number }>(told: readonly Told[]): Told[] =>
      told.map((each) => ({ ...each, sinceMs: each.sinceMs + shift }));
    const { outages, conditions, bestProvider } = state;
    return new HealthMemory(file, {
      ...{ outages: shifted(outages), conditions: shifted(conditions), bestProvider },
    });
  }

  private constructor(file: StateFile<z.infer<typeof fileSchema>>, known: KnownHealth) {
    this.#file = file;
    this.known = known;
  }

  /** Whether that differs from what was kept last. */
  isNews(known: KnownHealth): boolean {
    return JSON.stringify(known) !== this.#text;
  }

  keep(known: KnownHealth, saved: SavedTime): void {
    this.#text = JSON.stringify(known);
    const { outages, conditions, bestProvider } = known;
    this.#file.save({
      ...{ version: 1, saved, bestProvider },
      outages: [...outages],
      conditions: [...conditions],
    });
  }

  async settled(): Promise<void> {
    await this.#file.settled();
  }
}
