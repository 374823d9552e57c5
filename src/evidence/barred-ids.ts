/** More people than are forgotten within the time in which something can still be made of an event. */
const MOST = 50_000;

/** Ids of events and alerts of which nothing is kept any more: the newest, by the time that begins each id. Pure. */
export class BarredIds {
  #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(ids: readonly string[]): void {
    for (const id of ids) this.#ids.add(id);
    if (this.#ids.size <= MOST) return;
    const newest = [...this.#ids].sort((a, b) => secondsOf(b) - secondsOf(a));
    this.#ids = new Set(newest.slice(0, MOST));
  }
}

/** 0 for what is no id of an event. */
function secondsOf(id: string): number {
  return Number.parseFloat(id) || 0;
}
