export interface ReadQueueLimits {
  readonly perAsker: number;
  readonly inAll: number;
}

/** What waits to be read. Askers take turns, so that one who asks a lot waits for itself and not the others for it. Pure. */
export class ReadQueue<Call> {
  readonly #limits: ReadQueueLimits;
  /** In the order of their turns. */
  readonly #byAsker = new Map<string, Call[]>();
  #size = 0;

  constructor(limits: ReadQueueLimits) {
    this.#limits = limits;
  }

  /** Whose fault it is that nothing more is taken of this asker; null where it is. */
  obstacle(asker: string): 'asker' | 'all' | null {
    if ((this.#byAsker.get(asker)?.length ?? 0) >= this.#limits.perAsker) return 'asker';
    return this.#size >= this.#limits.inAll ? 'all' : null;
  }

  push(asker: string, call: Call): void {
    const own = this.#byAsker.get(asker);
    if (own === undefined) this.#byAsker.set(asker, [call]);
    else own.push(call);
    this.#size++;
  }

  take(): Call | undefined {
    const [turn] = this.#byAsker;
    if (turn === undefined) return undefined;
    const [asker, own] = turn;
    const call = own.shift();
    this.#byAsker.delete(asker);
    if (own.length > 0) this.#byAsker.set(asker, own);
    this.#size--;
    return call;
  }

  remove(asker: string, call: Call): void {
    const own = this.#byAsker.get(asker);
    const index = own?.indexOf(call) ?? -1;
    if (own === undefined || index < 0) return;
    own.splice(index, 1);
    if (own.length === 0) this.#byAsker.delete(asker);
    this.#size--;
  }
}
