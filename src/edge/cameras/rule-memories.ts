import { join } from 'node:path';
import { z } from 'zod';
import type { CameraRules } from '../../events/rules/camera-rules.ts';
import { NO_MEMORY, type RuleMemory, shiftedMemory } from '../../events/rules/rule-memory.ts';
import { boundingBoxSchema } from '../../protocol/detection.ts';
import { bootId, type Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import { monotonicShift, type SavedTime, savedTimeSchema } from '../../system/saved-time.ts';
import { StateFile } from '../state-file.ts';

const NAME = 'rules.json';
/** What is in view is written at most this often; that a rule fired is written at once. */
const LEAST_MS = 5000;
/** When something was last seen is not news, but has to be known roughly. */
const REFRESH_MS = 15_000;

const firing = z.tuple([z.string(), z.string().nullable()]);

const memorySchema = z.object({
  objects: z
    .array(
      z.object({
        label: z.string(),
        box: boundingBoxSchema,
        firstSeenMs: z.number(),
        lastSeenMs: z.number(),
        stillSinceMs: z.number(),
        zones: z.record(z.string(), z.number()),
        told: z.array(firing),
      }),
    )
    .max(1024),
  cooldowns: z.array(
    z.object({ key: z.string(), dueMs: z.number(), suppressed: z.number().min(0) }),
  ),
  crowds: z.array(firing),
});

const fileSchema = z.object({
  version: z.literal(1),
  saved: savedTimeSchema,
  cameras: z.record(z.string(), memorySchema),
});

/** What was written last. */
interface Written {
  readonly monoMs: number;
  readonly fired: number;
  readonly facts: string;
}

/**
 * The file `rules.json` in the data folder: what the rules of all cameras know outlives the daemon, so that what
 * stands there and was told is not told again.
 */
export class RuleMemories {
  readonly #clock: Clock;
  readonly #bootId: string;
  readonly #file: StateFile<z.infer<typeof fileSchema>>;
  readonly #earlier: ReadonlyMap<string, RuleMemory>;
  readonly #rules = new Map<string, CameraRules>();
  #written: Written = { monoMs: Number.NEGATIVE_INFINITY, fired: 0, facts: '' };

  /** @param boot id of this boot of the machine */
  static async open(
    dataDir: string,
    { clock, log, boot = bootId() }: { clock: Clock; log: Logger; boot?: string },
  ): Promise<RuleMemories> {
    const { file, state } = await StateFile.open(join(dataDir, NAME), fileSchema, log);
    const now = { bootId: boot, monoMs: clock.monotonicMs(), wallMs: clock.wallMs() };
    const shift = state === null ? 0 : monotonicShift(state.saved, now);
    const earlier = Object.entries(state?.cameras ?? {}).map(
      ([id, memory]) => [id, shiftedMemory(memory, shift)] as const,
    );
    return new RuleMemories(clock, boot, file, new Map(earlier));
  }

  private constructor(
    clock: Clock,
    boot: string,
    file: StateFile<z.infer<typeof fileSchema>>,
    earlier: ReadonlyMap<string, RuleMemory>,
  ) {
    this.#clock = clock;
    this.#bootId = boot;
    this.#file = file;
    this.#earlier = earlier;
  }

  /** The rules of a camera, which go on with what an earlier run knew of it, and are remembered from now on. */
  rulesOf(cameraId: string, plan: (memory: RuleMemory) => CameraRules | null): CameraRules | null {
    const earlier = this.#rules.get(cameraId)?.memory ?? this.#earlier.get(cameraId);
    const rules = plan(earlier ?? NO_MEMORY);
    if (rules === null) this.#rules.delete(cameraId);
    else this.#rules.set(cameraId, rules);
    return rules;
  }

  /** To be called about every second: writes what is news. */
  tick(): void {
    const monoMs = this.#clock.monotonicMs();
    const fired = this.#fired();
    const sinceMs = monoMs - this.#written.monoMs;
    if (fired === this.#written.fired && sinceMs < LEAST_MS) return;
    const cameras = this.#memories();
    const facts = JSON.stringify(Object.values(cameras).map(factsOf));
    const isInView = Object.values(cameras).some(({ objects }) => objects.length > 0);
    const isNews = facts !== this.#written.facts || fired !== this.#written.fired;
    if (!isNews && !(isInView && sinceMs >= REFRESH_MS)) return;
    this.#written = { monoMs, fired, facts };
    this.#save(cameras);
  }

  /** Resolves when nothing waits to be written. */
  async settled(): Promise<void> {
    await this.#file.settled();
  }

  /** Writes what is known in the end, and waits until it is on disk. */
  async stop(): Promise<void> {
    this.#save(this.#memories());
    await this.#file.settled();
  }

  #fired(): number {
    return [...this.#rules.values()].reduce((sum, rules) => sum + rules.fired, 0);
  }

  #memories(): Record<string, RuleMemory> {
    const memories = [...this.#rules].map(([id, rules]) => [id, rules.memory] as const);
    return Object.fromEntries(
      memories.filter(
        ([, { objects, cooldowns, crowds }]) =>
          objects.length + cooldowns.length + crowds.length > 0,
      ),
    );
  }

  #save(cameras: Record<string, RuleMemory>): void {
    const monoMs = this.#clock.monotonicMs();
    const saved: SavedTime = { bootId: this.#bootId, monoMs, wallMs: this.#clock.wallMs() };
    this.#file.save({ version: 1, saved, cameras } as z.infer<typeof fileSchema>);
  }
}

/** What of a memory is news when it changes: not that a box trembles, or that something was seen once more. */
function factsOf({ objects, cooldowns, crowds }: RuleMemory): unknown {
  const known = objects.map(({ label, firstSeenMs, stillSinceMs, told }) => [
    ...[label, firstSeenMs, stillSinceMs, told],
  ]);
  return [known, cooldowns.map(({ key, dueMs }) => [key, dueMs]), crowds];
}
