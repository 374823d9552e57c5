import type { CooldownEntry } from './cooldown.ts';
import type { KnownObject } from './known-objects.ts';

/** What the rules of a camera know, as it outlives the daemon. Times are monotonic. */
export interface RuleMemory {
  readonly objects: readonly KnownObject[];
  readonly cooldowns: readonly CooldownEntry[];
  /** Rules with a count that have fired for those who are there, with the zone. */
  readonly crowds: readonly (readonly [rule: string, zone: string | null])[];
}

export const NO_MEMORY: RuleMemory = { objects: [], cooldowns: [], crowds: [] };

/** The same by a clock that shows so much more. */
export function shiftedMemory({ objects, cooldowns, crowds }: RuleMemory, ms: number): RuleMemory {
  return {
    objects: objects.map((object) => ({
      ...object,
      firstSeenMs: object.firstSeenMs + ms,
      lastSeenMs: object.lastSeenMs + ms,
      stillSinceMs: object.stillSinceMs + ms,
      zones: Object.fromEntries(
        Object.entries(object.zones).map(([zone, sinceMs]) => [zone, sinceMs + ms]),
      ),
    })),
    cooldowns: cooldowns.map((entry) => ({ ...entry, dueMs: entry.dueMs + ms })),
    crowds,
  };
}
