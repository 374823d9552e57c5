interface Kept<Answered> {
  readonly asker: string;
  readonly atMs: number;
  readonly request: Answered;
}

interface KeepingLimits {
  readonly keepMs: number;
  readonly perAsker: number;
  readonly inAll: number;
}

/** Requests that have been answered, for a while and so many: the oldest go first. Pure. */
export class KeptAnswers<Answered> {
  readonly #limits: KeepingLimits;
  /** In the order of their answers, as are those of each asker. */
  readonly #all = new Map<string, Kept<Answered>>();
  readonly #byAsker = new Map<string, Set<string>>();

  constructor(limits: KeepingLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  get(key: string, nowMs: number): Answered | undefined {
    this.#expire(nowMs);
    return this.#all.get(key)?.request;
  }

  add(key: string, asker: string, request: Answered, nowMs: number): void {
    this.#expire(nowMs);
    this.#all.set(key, { asker, atMs: nowMs, request });
    const own = this.#byAsker.get(asker) ?? new Set<string>();
    own.add(key);
    this.#byAsker.set(asker, own);
    if (own.size > this.#limits.perAsker) this.#removeFirst(own);
    if (this.#all.size > this.#limits.inAll) this.#removeFirst(this.#all);
  }

  #expire(nowMs: number): void {
    for (const [key, { atMs }] of this.#all) {
      if (nowMs - atMs < this.#limits.keepMs) return;
      this.#remove(key);
    }
  }

  #removeFirst(keys: { keys(): Iterator<string> }): void {
    const { value, done } = keys.keys().next();
    if (done !== true) this.#remove(value);
  }

  #remove(key: string): void {
    const kept = this.#all.get(key);
    if (kept === undefined) return;
    this.#all.delete(key);
    const own = this.#byAsker.get(kept.asker);
    own?.delete(key);
    if (own?.size === 0) this.#byAsker.delete(kept.asker);
  }
}
