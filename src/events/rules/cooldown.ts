/** What cools down. */
export interface CooldownEntry {
  readonly key: string;
  /** Monotonic. */
  readonly dueMs: number;
  /** How often it was held back. */
  readonly suppressed: number;
}

/** Keeps what has just been told from being told again. Pure: time comes in. */
export class Cooldowns {
  readonly #until = new Map<string, { dueMs: number; suppressed: number }>();

  /** @param entries of an earlier run */
  constructor(entries: readonly CooldownEntry[] = []) {
    for (const { key, ...entry } of entries) this.#until.set(key, entry);
  }

  get entries(): CooldownEntry[] {
    return [...this.#until].map(([key, entry]) => ({ key, ...entry }));
  }

  /**
   * Whether something may be told now; it then cools down for so long. What comes before does not prolong that.
   * @param nowMs monotonic
   * @returns how often it was held back since it was last told; null where it is held back
   */
  claim(key: string, cooldownMs: number, nowMs: number): number | null {
    const known = this.#until.get(key);
    // More than a whole cooldown is left only where a clock or the configuration is another one.
    if (known !== undefined && nowMs < known.dueMs && known.dueMs - nowMs <= cooldownMs) {
      known.suppressed++;
      return null;
    }
    if (cooldownMs > 0) this.#until.set(key, { dueMs: nowMs + cooldownMs, suppressed: 0 });
    return known?.suppressed ?? 0;
  }
}
